mod axes;
mod masks;

use super::*;
use crate::io::volume::Samples;
use crate::io::volume::Stated;
use crate::io::{Affine, AxisName};
use crate::wave::warning::Code;
use num_complex::Complex64;
use std::f64::consts::TAU;

const N: usize = 20;

/// An array of the given shape with sample (x, y, …) from `value`; zero at the border. Its header states axes as NIfTI's
/// does.
fn volume(shape: &[usize], value: impl Fn(&[usize]) -> f64) -> Volume {
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
    let (format, stated) = (Format::Nifti, Stated::default());
    Volume { shape: shape.to_vec(), data: Samples::Real(data), geometry, format, stated }
}

fn wave(i: &[usize], t: f64) -> f64 {
    (0.3 * i[0] as f64 + 0.1 * i[1] as f64 + TAU * t).sin()
}

/// Phases of one wave along the last axis.
fn phases(shape: &[usize]) -> Volume {
    let frames = shape[shape.len() - 1];
    volume(shape, |i| 2000.0 + 900.0 * wave(i, i[i.len() - 1] as f64 / frames as f64))
}

/// Without a header, as an NPY file.
fn bare(mut volume: Volume) -> Volume {
    volume.format = Format::Npy;
    volume
}

fn samples(volume: &mut Volume) -> &mut Vec<f64> {
    match &mut volume.data {
        Samples::Real(values) => values,
        Samples::Complex(_) => panic!("complex"),
    }
}

fn read(volume: &Volume) -> Result<WaveImage> {
    WaveImage::read(volume, None, &ReadOptions::default())
}

fn read_by(volume: &Volume, axes: &str) -> Result<WaveImage> {
    let axes = Some(axes.parse().unwrap());
    WaveImage::read(volume, None, &ReadOptions { axes, ..ReadOptions::default() })
}

fn masked(volume: &Volume, mask: &Volume) -> Result<WaveImage> {
    WaveImage::read(volume, Some(mask), &ReadOptions::default())
}

fn codes(image: &WaveImage) -> Vec<Code> {
    image.warnings.iter().map(Warning::code).collect()
}

fn notes(image: &WaveImage) -> Vec<&'static str> {
    image.notes.iter().map(Note::code).collect()
}

fn refused(result: Result<WaveImage>) -> String {
    result.map(|image| (image.axes, image.notes)).unwrap_err().to_string()
}

#[test]
fn layouts_follow_from_shape_and_data() {
    let by = |volume: &Volume, layout| {
        WaveImage::read(volume, None, &ReadOptions { layout, ..ReadOptions::default() })
            .map(|w| (w.layout, w.zero, w.slices, w.frames))
    };
    let ramp = |shape: &[usize]| bare(volume(shape, |i| 1.0 + i[0] as f64));
    use FrameLayoutChoice as C;
    let two = |layout, zero| Some((layout, zero, 1, 2));
    assert_eq!(by(&ramp(&[N, N, 2]), C::Auto).ok(), two(FrameLayout::ReIm, ZeroLevel::Lost));
    assert_eq!(by(&ramp(&[N, N, 2]), C::ReIm).ok(), two(FrameLayout::ReIm, ZeroLevel::Lost));
    assert_eq!(by(&ramp(&[N, N, 2]), C::Complex).ok(), two(FrameLayout::Complex, ZeroLevel::Known));
    let phased = |slices, frames| Some((FrameLayout::Phases, ZeroLevel::Known, slices, frames));
    assert_eq!(by(&phases(&[N, N, 3]), C::Auto).ok(), phased(1, 3));
    assert_eq!(by(&phases(&[N, N, 5, 8]), C::Auto).ok(), phased(5, 8));
    assert_eq!(by(&phases(&[N, N, 1, 1, 8]), C::Phases).ok(), phased(1, 8));
    assert_eq!(by(&ramp(&[N, N, 5, 2]), C::Auto).ok(), Some((FrameLayout::ReIm, ZeroLevel::Lost, 5, 2)));
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
        let e = by(&ramp(shape), layout).unwrap_err().to_string();
        assert!(e.contains(says), "{shape:?}: {e}");
    }
}

#[test]
fn samples_are_ordered_by_slice_and_frame() {
    let shape = [N, N + 1, 3, 4];
    let value = |i: &[usize]| (i[0] + 100 * i[1] + 10_000 * i[2] + 100_000 * i[3]) as f64;
    let options = ReadOptions { layout: FrameLayoutChoice::Phases, ..ReadOptions::default() };
    let options = ReadOptions { turn: TurnChoice::Straight, ..options };
    let image = WaveImage::read(&volume(&shape, value), None, &options).unwrap();
    assert_eq!((image.size, &image.map_dims[..]), (Size::new(N, N + 1), &shape[..3]));
    assert_eq!(image.frame([0, 2, 3, 0])[5 * N + 7], value(&[7, 5, 2, 3]) as f32);
    assert_eq!(image.data[((2 * 4 + 3) * (N + 1) + 5) * N + 7], value(&[7, 5, 2, 3]) as f32);
}

#[test]
fn spacing_is_the_given_the_headers_or_assumed() {
    let mut volume = phases(&[N, N, 4]);
    let with = |volume: &Volume, spacing_mm| {
        let options = ReadOptions { spacing_mm, ..ReadOptions::default() };
        WaveImage::read(volume, None, &options).map(|w| (w.spacing_mm, w.spacing_origin, codes(&w)))
    };
    assert_eq!(with(&volume, None).unwrap(), ([1.5, 1.5], Origin::Stated, vec![]));
    assert_eq!(with(&volume, Some([2.0, 1.0])).unwrap(), ([2.0, 1.0], Origin::Given, vec![]));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = with(&volume, Some([1.0, bad])).unwrap_err();
        assert!(matches!(refused, Error::Setting { name: "spacing_mm", .. }), "{refused:?}");
        volume.geometry.spacing_mm = Some([1.5, bad]);
        let refused = with(&volume, None).unwrap_err();
        assert!(matches!(refused, Error::HeaderSpacing { affine: None, .. }), "{refused:?}");
        assert!(with(&volume, Some([1.0, 1.0])).is_ok());
    }
    volume.geometry.spacing_mm = None;
    assert_eq!(with(&volume, None).unwrap(), ([1.0, 1.0], Origin::Assumed, vec![Code::AssumedSpacing]));
    volume.geometry.spacing_mm = Some([1.0, 1.0]);
    volume.geometry.affine_spacing_mm = Some([1.4, 1.4]);
    assert!(with(&volume, None).unwrap_err().to_string().contains("contradicts"));
    volume.geometry.affine_spacing_mm = Some([1.0, 1.0]);
    volume.geometry.identity = true;
    let both = vec![Code::IdentityAffine, Code::AssumedSpacing];
    assert_eq!(with(&volume, None).unwrap(), ([1.0, 1.0], Origin::Assumed, both));
    assert_eq!(with(&volume, Some([1.4, 1.4])).unwrap().2, [Code::IdentityAffine]);
}

#[test]
fn data_that_hold_no_wave_are_refused() {
    let shape = [N, N, 4];
    assert!(refused(read(&volume(&shape, |_| 0.0))).contains("nothing but zeros"));
    assert!(refused(read(&volume(&shape, |_| 7.0))).contains("all frames are the same"));
    assert!(refused(read(&bare(volume(&[N, N, 2], |i| 3.0 + i[2] as f64)))).contains("constant"));
    for (scale, exponent) in [(1e20, "e2"), (1e-30, "e-")] {
        let what = refused(read(&volume(&shape, |i| scale * i[2] as f64)));
        assert!(what.contains("rescale") && what.contains(exponent), "{what}");
    }
    let mut nan = volume(&shape, |_| 0.0);
    samples(&mut nan).fill(f64::NAN);
    assert!(refused(read(&nan)).contains("every sample is NaN"));
}

#[test]
fn doubts_are_told() {
    let told = |volume: &Volume| codes(&read(volume).unwrap());
    let mut wave = phases(&[N, N, 3, 8]);
    assert_eq!(told(&wave), []);
    let mut whole = volume(&[N, N], |_| 1.0);
    samples(&mut whole).fill(1.0);
    let mut filled = wave.clone();
    samples(&mut filled).iter_mut().enumerate().for_each(|(i, v)| *v += (i / (3 * N * N)) as f64);
    assert!(codes(&masked(&filled, &whole).unwrap()).contains(&Code::MaskTouchesBorder));
    samples(&mut wave).iter_mut().for_each(|v| *v = v.min(2700.0));
    assert_eq!(told(&wave), [Code::ClippedPhase]);
    // The second of three slices is zero, or constant.
    for still in [0.0, 100.0] {
        let gap =
            volume(
                &[N, N, 3, 4],
                |i| if i[2] == 1 { still } else { super::tests::wave(i, i[3] as f64 / 4.0) },
            );
        assert!(told(&gap).contains(&Code::EmptySlice));
        let masks = read(&gap).unwrap().masks;
        assert_eq!([0, 1, 2].map(|slice| masks[slice].contains(&true)), [true, false, true]);
    }
    let constant = volume(&[N, N, 3, 2], |i| if i[2] == 1 { 7.0 } else { i[0] as f64 });
    assert!(told(&constant).contains(&Code::EmptySlice));
    assert_eq!(told(&bare(volume(&[N, N, 2], |i| i[0] as f64))), [Code::LostZero]);
}

#[test]
fn noise_outside_and_a_spike_do_not_hide_the_turn() {
    const M: usize = 64;
    let mut random = fastrand::Rng::with_seed(7);
    let body = |i: &[usize]| (i[0] as f64 - 31.5).hypot(i[1] as f64 - 31.5) < 22.0;
    let phase = |i: &[usize]| 2.8 * wave(i, i[2] as f64 / 8.0) + 0.1 * i[0] as f64;
    let wrap = |v: f64| v - TAU * (v / TAU).round();
    let mut noisy = volume(&[M, M, 8], |_| 1.0);
    for (flat, v) in samples(&mut noisy).iter_mut().enumerate() {
        let i = [flat % M, flat / M % M, flat / (M * M)];
        *v = if body(&i) { wrap(phase(&i)) } else { TAU * (random.f64() - 0.5) };
    }
    let mut spiked = noisy.clone();
    samples(&mut spiked)[32 + M * 32] = 9.0;
    for volume in [&noisy, &spiked] {
        let image = read(volume).unwrap();
        assert_eq!(notes(&image), ["noise-outside", "unwrapped"]);
        let inside = |x: usize, y: usize| image.masks[0][y * M + x];
        assert!(inside(32, 33) && inside(16, 32) && !inside(2, 2) && !inside(5, 60));
        let at = |t: usize| f64::from(image.frame([0, 0, t, 0])[33 * M + 30]);
        assert!((0..8).all(|t| (at(t) - at(0) - (phase(&[30, 33, t]) - phase(&[30, 33, 0]))).abs() < 1e-5));
    }
}

#[test]
fn no_array_and_no_statement_panics() {
    let mut random = fastrand::Rng::with_seed(3);
    let names =
        ["x", "y", "slice", "phase", "direction", "frequency", "re-im", "mag-phase", "1", "phase:2*slice"];
    for case in 0..3000 {
        let axes = random.usize(1..6);
        let mut shape: Vec<usize> = (0..axes).map(|_| random.usize(1..5)).collect();
        shape.iter_mut().take(2).for_each(|n| *n = random.usize(16..19));
        if random.bool() {
            random.shuffle(&mut shape);
        }
        let value = |random: &mut fastrand::Rng| match random.u32(0..40) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2..10 => 0.0,
            _ => 1e4 * (random.f64() - 0.5),
        };
        let count = shape.iter().product();
        let finite = random.bool();
        let mut values: Vec<f64> = (0..count).map(|_| value(&mut random)).collect();
        values.iter_mut().filter(|v| finite && !v.is_finite()).for_each(|v| *v = 1.0);
        let mut volume = volume(&shape, |_| 0.0);
        volume.data = match case % 3 {
            0 => Samples::Complex(values.iter().map(|v| Complex64::new(*v, 2.0 - v)).collect()),
            _ => Samples::Real(values),
        };
        volume.format = [Format::Nifti, Format::Npy, Format::Matlab][random.usize(0..3)];
        volume.geometry.vector = random.u32(0..5) == 0;
        volume.geometry.identity = random.bool();
        let mask =
            random.bool().then(|| bare(self::volume(&shape[..2.min(shape.len())], |i| i[0] as f64 - 3.0)));
        let list: Vec<&str> = (0..shape.len()).map(|_| names[random.usize(0..names.len())]).collect();
        let options = ReadOptions {
            axes: random.bool().then(|| list.join(",").parse().unwrap()),
            layout: [FrameLayoutChoice::Auto, FrameLayoutChoice::Phases, FrameLayoutChoice::Complex]
                [random.usize(0..3)],
            frequencies_hz: vec![50.0; random.usize(0..4)],
            turn: [TurnChoice::Auto, TurnChoice::Straight, TurnChoice::Of(3.0)][random.usize(0..3)],
            ..ReadOptions::default()
        };
        if let Ok(image) = WaveImage::read(&volume, mask.as_ref(), &options) {
            assert!(image.data.iter().all(|v| v.is_finite()), "{shape:?} {options:?}");
            assert_eq!(image.data.len(), {
                let frames = image.frequencies_hz.len() * image.slices * image.frames * image.directions;
                frames * image.size.pixels()
            });
        }
    }
}
