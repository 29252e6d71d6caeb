//! A wave image: slices of frames with a known meaning.

mod mask;

use super::warning::Warning;
use crate::error::{Error, Result};
use crate::io::volume::{Format, Samples, Volume, VolumeGeometry, shape_text};
use crate::size::Size;

/// The minimum length of the image's axes in pixels; smaller images have no room for the stencils.
pub const MIN_PIXELS: usize = 16;
/// Allowed range of the greatest magnitude, so that f32 can hold its square.
const MAGNITUDES: std::ops::RangeInclusive<f64> = 1e-15..=1e15;
/// Relative difference between two statements of the same spacing that is accepted as rounding.
const SPACING_TOLERANCE: f64 = 1e-2;

/// The layout of the array, as chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrameLayoutChoice {
    /// Chosen by the shape. Complex arrays are complex. For real arrays, 2 frames along the last axis are
    /// re-im, 3 or more are phases.
    #[default]
    Auto,
    /// The last axis holds a real and an imaginary channel; each is rescaled.
    ReIm,
    /// The last axis holds phases over one period.
    Phases,
    /// Complex samples, or real and imaginary part along the last axis with their true zero.
    Complex,
}

/// The zero level, as chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroChoice {
    /// Known for phases and complex data, lost for re-im.
    #[default]
    Auto,
    /// The zero level is known.
    Known,
    /// The zero level is lost.
    Lost,
}

/// Options for reading a [`Volume`] as a wave image.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReadOptions {
    /// The layout.
    pub layout: FrameLayoutChoice,
    /// The zero level.
    pub zero: ZeroChoice,
    /// Pixel spacing of both axes in mm; it replaces the header's.
    pub spacing_mm: Option<f64>,
}

/// The meaning of a wave image's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameLayout {
    /// A real and an imaginary channel, each rescaled separately.
    ReIm,
    /// Three or more phases over one period.
    Phases,
    /// Real and imaginary part, with their true zero.
    Complex,
}

/// The state of the field's zero level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroLevel {
    /// The samples have the true zero.
    Known,
    /// The offset of each channel is unknown.
    Lost,
}

/// A wave image in memory.
#[derive(Debug, Clone)]
pub struct WaveImage {
    /// The size of a slice: pixels along axis 0 (x) and axis 1 (y).
    pub size: Size,
    /// Number of slices, at least 1.
    pub slices: usize,
    /// Frames per slice: 2 for re-im and complex, else the number of phases.
    pub frames: usize,
    /// The meaning of the frames.
    pub layout: FrameLayout,
    /// The zero level of the samples.
    pub zero: ZeroLevel,
    /// Pixel spacing in mm along x and y.
    pub spacing_mm: [f64; 2],
    /// Samples `[slice][frame][y][x]`, x fastest.
    pub data: Vec<f32>,
    /// The input's geometry; the outputs get the same.
    pub geometry: VolumeGeometry,
    /// The format of the input file.
    pub format: Format,
    /// The axes of the maps: `[nx, ny]`, or `[nx, ny, slices]` if the input had a slice axis.
    pub map_dims: Vec<usize>,
    /// Warnings found so far.
    pub warnings: Vec<Warning>,
}

impl WaveImage {
    /// Interprets the axes of `volume` as a wave image.
    ///
    /// Real arrays hold their frames along the last of 3 axes (X, Y, frame) or 4 axes (X, Y, slice, frame). 2
    /// frames are re-im, with the zero level lost; 3 or more are phases, with the zero level known. Complex
    /// arrays are X, Y or X, Y, slice, with the zero level known. `options` override each of these.
    ///
    /// Samples may still be infinite or NaN: see [`check_mask`](Self::check_mask).
    ///
    /// # Errors
    /// - [`Error::Setting`] if the given spacing is not a positive number.
    /// - [`Error::Layout`] if the array does not fit the layout that was asked for.
    /// - [`Error::Data`] if the array fits no layout, has an axis below [`MIN_PIXELS`], is all zero, or has its
    ///   greatest value outside 1e-15 to 1e15.
    /// - [`Error::HeaderSpacing`] if the header states an invalid spacing or two different ones.
    pub fn from_volume(volume: &Volume, options: &ReadOptions) -> Result<Self> {
        let (layout, frames) = layout(volume, options.layout)?;
        let grid = match &volume.data {
            Samples::Real(_) => &volume.shape[..volume.shape.len() - 1],
            // The fourth axis has length 1 here.
            Samples::Complex(_) => &volume.shape[..volume.shape.len().min(3)],
        };
        let (size, slices) = (Size::new(grid[0], grid[1]), grid.get(2).copied().unwrap_or(1));
        if size.nx.min(size.ny) < MIN_PIXELS {
            return Err(Error::Data(format!(
                "an image of {size} pixels is too small; both axes need at least {MIN_PIXELS} (this array is {})",
                shape_text(&volume.shape)
            )));
        }
        check_magnitude(&volume.data)?;
        let zero = match (options.zero, layout) {
            (ZeroChoice::Known, _) | (ZeroChoice::Auto, FrameLayout::Phases | FrameLayout::Complex) => {
                ZeroLevel::Known
            }
            (ZeroChoice::Lost, _) | (ZeroChoice::Auto, FrameLayout::ReIm) => ZeroLevel::Lost,
        };
        let mut warnings = Vec::new();
        let spacing_mm = spacing(&volume.geometry, options.spacing_mm, &mut warnings)?;
        if zero == ZeroLevel::Lost {
            warnings.push(Warning::LostZero);
        }
        let plane = size.pixels();
        let planes = (0..slices).flat_map(|slice| (0..frames).map(move |frame| (slice, frame)));
        let data = match &volume.data {
            Samples::Real(v) => planes
                .flat_map(|(slice, frame)| &v[(frame * slices + slice) * plane..][..plane])
                .map(|&v| v as f32)
                .collect(),
            Samples::Complex(v) => planes
                .flat_map(|(slice, part)| {
                    v[slice * plane..][..plane].iter().map(move |v| [v.re, v.im][part] as f32)
                })
                .collect(),
        };
        Ok(WaveImage {
            size,
            slices,
            frames,
            layout,
            zero,
            spacing_mm,
            data,
            geometry: volume.geometry.clone(),
            format: volume.format,
            map_dims: grid.to_vec(),
            warnings,
        })
    }

    /// The samples of one frame, `[y][x]`.
    ///
    /// # Panics
    /// If the slice or frame does not exist.
    pub fn frame(&self, slice: usize, frame: usize) -> &[f32] {
        assert!(frame < self.frames, "frame {frame} of {}", self.frames);
        let plane = self.size.pixels();
        &self.data[(slice * self.frames + frame) * plane..][..plane]
    }
}

/// Returns the layout of an array and its number of frames.
fn layout(volume: &Volume, choice: FrameLayoutChoice) -> Result<(FrameLayout, usize)> {
    let shape = shape_text(&volume.shape);
    let axes = volume.shape.len();
    let fail = |what: String| Err(Error::Data(what));
    let name = match choice {
        FrameLayoutChoice::Auto => "auto",
        FrameLayoutChoice::ReIm => "re-im",
        FrameLayoutChoice::Phases => "phases",
        FrameLayoutChoice::Complex => "complex",
    };
    let misfit = |found: String, needed| Err(Error::Layout { layout: name, found, needed });
    if let Samples::Complex(_) = volume.data {
        return match (choice, axes) {
            (FrameLayoutChoice::ReIm | FrameLayoutChoice::Phases, _) => {
                misfit(format!("complex samples ({shape})"), "real ones")
            }
            (_, 2 | 3) => Ok((FrameLayout::Complex, 2)),
            (_, 4) if volume.shape[3] == 1 => Ok((FrameLayout::Complex, 2)),
            _ => fail(format!(
                "a complex array of {shape} is not a wave image; it must have the axes X, Y or X, Y, slice"
            )),
        };
    }
    let frames = if axes > 2 { volume.shape[axes - 1] } else { 1 };
    match (choice, frames) {
        (_, 1) => fail(format!(
            "one frame ({shape}): a wave image needs a real and an imaginary channel, or three or more phases over \
             one period, along the last axis of X, Y, frame or X, Y, slice, frame"
        )),
        (FrameLayoutChoice::Auto | FrameLayoutChoice::ReIm, 2) => Ok((FrameLayout::ReIm, 2)),
        (FrameLayoutChoice::Complex, 2) => Ok((FrameLayout::Complex, 2)),
        (FrameLayoutChoice::Auto | FrameLayoutChoice::Phases, 3..) => Ok((FrameLayout::Phases, frames)),
        (FrameLayoutChoice::Phases, _) => {
            misfit(format!("{frames} frames along the last axis ({shape})"), "three or more")
        }
        (FrameLayoutChoice::ReIm | FrameLayoutChoice::Complex, _) => {
            misfit(format!("{frames} frames along the last axis ({shape})"), "two")
        }
        (FrameLayoutChoice::Auto, _) => fail(format!("no frames ({shape})")),
    }
}

/// Returns the spacing along both axes: the given one, else that of the header, else 1 mm.
fn spacing(geometry: &VolumeGeometry, given: Option<f64>, warnings: &mut Vec<Warning>) -> Result<[f64; 2]> {
    if geometry.identity {
        warnings.push(Warning::IdentityAffine);
    }
    let valid = |mm: &f64| *mm > 0.0 && mm.is_finite();
    if let Some(mm) = given {
        return if valid(&mm) {
            Ok([mm, mm])
        } else {
            Err(Error::setting("spacing_mm", format!("{mm} mm"), "it must be above 0 and finite"))
        };
    }
    let Some([x, y]) = geometry.spacing_mm.filter(|_| !geometry.identity) else {
        warnings.push(Warning::AssumedSpacing);
        return Ok([1.0, 1.0]);
    };
    if ![x, y].iter().all(valid) {
        return Err(Error::HeaderSpacing { stated: [x, y], affine: None });
    }
    let [ax, ay] = geometry.affine_spacing_mm.unwrap_or([x, y]);
    let agree = |stated: f64, affine: f64| (affine / stated - 1.0).abs() <= SPACING_TOLERANCE;
    if !(agree(x, ax) && agree(y, ay)) {
        return Err(Error::HeaderSpacing { stated: [x, y], affine: Some([ax, ay]) });
    }
    Ok([x, y])
}

/// Refuses data that are all zero, all non-finite, or too large or too small for f32.
fn check_magnitude(data: &Samples) -> Result<()> {
    let greatest = |values: &mut dyn Iterator<Item = f64>| {
        values.filter(|v| v.is_finite()).map(f64::abs).reduce(f64::max)
    };
    let greatest = match data {
        Samples::Real(v) => greatest(&mut v.iter().copied()),
        Samples::Complex(v) => greatest(&mut v.iter().flat_map(|v| [v.re, v.im])),
    };
    match greatest {
        None => Err(Error::Data("every sample is NaN or infinite".into())),
        Some(0.0) => Err(Error::Data("the image holds nothing but zeros".into())),
        Some(v) if MAGNITUDES.contains(&v) => Ok(()),
        Some(v) => Err(Error::Data(format!(
            "the greatest sample is {v:e}, outside 1e-15 to 1e15; rescale the image (stiffness does not change)"
        ))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::io::volume::Stated;
    use crate::wave::warning::Code;
    use num_complex::Complex64;

    pub(crate) const N: usize = 20;

    /// An array of the given shape with sample (x, y, …) from `value`; zero at the border.
    pub(crate) fn volume(shape: &[usize], value: impl Fn(&[usize]) -> f64) -> Volume {
        let mut index = vec![0; shape.len()];
        let data = (0..shape.iter().product())
            .map(|flat: usize| {
                shape.iter().zip(&mut index).fold(flat, |rest, (n, i)| {
                    *i = rest % n;
                    rest / n
                });
                let inside = index.iter().zip(shape).take(2).all(|(&i, &n)| i > 0 && i + 1 < n);
                if inside { value(&index) } else { 0.0 }
            })
            .collect();
        let geometry = VolumeGeometry { spacing_mm: Some([1.5, 1.5]), ..VolumeGeometry::default() };
        Volume {
            shape: shape.to_vec(),
            data: Samples::Real(data),
            geometry,
            format: Format::Npy,
            stated: Stated::default(),
        }
    }

    pub(crate) fn phases(shape: &[usize]) -> Volume {
        let frames = shape[shape.len() - 1];
        volume(shape, |i| {
            let t = i[i.len() - 1] as f64 / frames as f64;
            2000.0 + 900.0 * (0.3 * i[0] as f64 + 0.1 * i[1] as f64 + std::f64::consts::TAU * t).sin()
        })
    }

    pub(crate) fn samples(volume: &mut Volume) -> &mut Vec<f64> {
        match &mut volume.data {
            Samples::Real(values) => values,
            Samples::Complex(_) => panic!("complex"),
        }
    }

    pub(crate) fn read(volume: &Volume) -> Result<WaveImage> {
        WaveImage::from_volume(volume, &ReadOptions::default())
    }

    pub(crate) fn codes(image: &WaveImage) -> Vec<Code> {
        image.warnings.iter().map(Warning::code).collect()
    }

    #[test]
    fn layouts_follow_from_the_shape() {
        let by = |shape: &[usize], layout| {
            let options = ReadOptions { layout, ..ReadOptions::default() };
            WaveImage::from_volume(&volume(shape, |i| 1.0 + i[0] as f64), &options)
                .map(|w| (w.layout, w.zero, w.slices, w.frames))
        };
        use FrameLayoutChoice as C;
        let two = |layout, zero| Some((layout, zero, 1, 2));
        assert_eq!(by(&[N, N, 2], C::Auto).ok(), two(FrameLayout::ReIm, ZeroLevel::Lost));
        assert_eq!(by(&[N, N, 2], C::ReIm).ok(), two(FrameLayout::ReIm, ZeroLevel::Lost));
        assert_eq!(by(&[N, N, 2], C::Complex).ok(), two(FrameLayout::Complex, ZeroLevel::Known));
        assert_eq!(by(&[N, N, 3], C::Auto).ok(), Some((FrameLayout::Phases, ZeroLevel::Known, 1, 3)));
        assert_eq!(by(&[N, N, 5, 8], C::Auto).ok(), Some((FrameLayout::Phases, ZeroLevel::Known, 5, 8)));
        assert_eq!(by(&[N, N, 5, 2], C::Auto).ok(), Some((FrameLayout::ReIm, ZeroLevel::Lost, 5, 2)));
        for (shape, layout, says) in [
            (&[N, N][..], C::Auto, "one frame"),
            (&[N, N, 1], C::Auto, "one frame"),
            (&[N, N, 7, 1], C::Auto, "one frame"),
            (&[N * N], C::Auto, "one frame"),
            (&[N, N, 2], C::Phases, "three or more"),
            (&[N, N, 1], C::Phases, "one frame"),
            (&[N, N, 3], C::ReIm, "re-im needs two"),
            (&[N, N, 3], C::Complex, "complex needs two"),
            (&[1, 1, 8], C::Auto, "too small"),
            (&[N, 15, 8], C::Auto, "20 × 15"),
        ] {
            let e = by(shape, layout).unwrap_err();
            assert!(matches!(e, Error::Data(_) | Error::Layout { .. }), "{shape:?}: {e:?}");
            assert!(e.to_string().contains(says), "{shape:?}: {e}");
        }
    }

    #[test]
    fn samples_are_ordered_by_slice_and_frame() {
        let shape = [N, N + 1, 3, 4];
        let value = |i: &[usize]| (i[0] + 100 * i[1] + 10_000 * i[2] + 100_000 * i[3]) as f64;
        let image = read(&volume(&shape, value)).unwrap();
        assert_eq!((image.size, &image.map_dims[..]), (Size::new(N, N + 1), &shape[..3]));
        assert_eq!(image.frame(2, 3)[5 * N + 7], value(&[7, 5, 2, 3]) as f32);
        assert_eq!(image.data[((2 * 4 + 3) * (N + 1) + 5) * N + 7], value(&[7, 5, 2, 3]) as f32);
    }

    #[test]
    fn complex_arrays_are_slices() {
        let mut volume = volume(&[N, N, 3], |i| (i[0] + 50 * i[2]) as f64);
        let data = samples(&mut volume).iter().map(|&v| Complex64::new(v, -2.0 * v)).collect();
        volume.data = Samples::Complex(data);
        let image = read(&volume).unwrap();
        assert_eq!((image.slices, image.frames, image.zero), (3, 2, ZeroLevel::Known));
        assert_eq!((image.frame(1, 0)[N + 4], image.frame(1, 1)[N + 4]), (54.0, -108.0));
        let lost = ReadOptions { zero: ZeroChoice::Lost, ..ReadOptions::default() };
        let image = WaveImage::from_volume(&volume, &lost).unwrap();
        assert_eq!((image.zero, codes(&image)), (ZeroLevel::Lost, vec![Code::LostZero]));
        let wrong = ReadOptions { layout: FrameLayoutChoice::Phases, ..ReadOptions::default() };
        assert!(WaveImage::from_volume(&volume, &wrong).unwrap_err().to_string().contains("complex"));
        volume.shape = vec![N, N, 1, 3];
        assert!(read(&volume).is_err());
    }

    #[test]
    fn spacing_is_the_given_the_headers_or_assumed() {
        let mut volume = phases(&[N, N, 4]);
        let with = |volume: &Volume, spacing_mm| {
            let options = ReadOptions { spacing_mm, ..ReadOptions::default() };
            WaveImage::from_volume(volume, &options).map(|w| (w.spacing_mm, codes(&w)))
        };
        assert_eq!(with(&volume, None).unwrap(), ([1.5, 1.5], vec![]));
        assert_eq!(with(&volume, Some(2.0)).unwrap(), ([2.0, 2.0], vec![]));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let refused = with(&volume, Some(bad)).unwrap_err();
            assert!(matches!(refused, Error::Setting { name: "spacing_mm", .. }), "{refused:?}");
            volume.geometry.spacing_mm = Some([1.5, bad]);
            let refused = with(&volume, None).unwrap_err();
            assert!(matches!(refused, Error::HeaderSpacing { affine: None, .. }), "{refused:?}");
            assert!(with(&volume, Some(1.0)).is_ok());
        }
        volume.geometry.spacing_mm = None;
        assert_eq!(with(&volume, None).unwrap(), ([1.0, 1.0], vec![Code::AssumedSpacing]));
        volume.geometry.spacing_mm = Some([1.0, 1.0]);
        volume.geometry.affine_spacing_mm = Some([1.4, 1.4]);
        assert!(with(&volume, None).unwrap_err().to_string().contains("contradicts"));
        volume.geometry.affine_spacing_mm = Some([1.0, 1.0]);
        volume.geometry.identity = true;
        let both = vec![Code::IdentityAffine, Code::AssumedSpacing];
        assert_eq!(with(&volume, None).unwrap(), ([1.0, 1.0], both));
        assert_eq!(with(&volume, Some(1.4)).unwrap().1, [Code::IdentityAffine]);
    }
}
