//! What is stated of an array, and whether an image can be made of it.

use super::{FrameLayoutChoice, Origin, ReadOptions};
use crate::error::{Error, Result};
use crate::io::axes::{Axes, AxisName};
use crate::io::volume::{Samples, Volume, VolumeGeometry, shape_text};
use crate::size::Size;
use crate::wave::warning::Warning;

/// The minimum length of the image's axes in pixels; smaller images have no room for the stencils.
pub const MIN_PIXELS: usize = 16;
/// Allowed range of the greatest magnitude, so that f32 can hold its square.
const MAGNITUDES: std::ops::RangeInclusive<f64> = 1e-15..=1e15;
/// Relative difference between two statements of the same spacing that is accepted as rounding.
const SPACING_TOLERANCE: f64 = 1e-2;
/// Spacing that is assumed where nothing states it, mm.
const SPACING_MM: f64 = 1.0;

/// Names and lengths of the axes as the caller, the file or a sidecar states them.
pub(super) fn stated(volume: &Volume, options: &ReadOptions) -> Result<Option<Vec<(AxisName, usize)>>> {
    let by = |axes: &Axes| {
        let unfolded = axes.unfold(&volume.shape);
        unfolded.map(Some).map_err(|what| Error::Axes { what, readings: Vec::new() })
    };
    match (&options.axes, options.layout, &volume.stated.axes) {
        (Some(axes), ..) => by(axes),
        (None, FrameLayoutChoice::Auto, Some(axes)) => by(axes),
        (None, FrameLayoutChoice::Auto, None) => Ok(None),
        (None, layout, _) => laid_out(volume, layout).map(Some),
    }
}

/// The axes that a layout states: x, y, and slice, with the frames along the last axis.
pub(super) fn laid_out(volume: &Volume, layout: FrameLayoutChoice) -> Result<Vec<(AxisName, usize)>> {
    let shape = shape_text(&volume.shape);
    let complex = matches!(volume.data, Samples::Complex(_));
    let lengths: Vec<usize> = if volume.shape.len() > 4 {
        volume.shape.iter().copied().filter(|n| *n > 1).collect()
    } else {
        volume.shape.clone()
    };
    let frames = if lengths.len() > 2 { lengths[lengths.len() - 1] } else { 1 };
    let (name, last, fits, needed) = match layout {
        FrameLayoutChoice::ReIm => ("re-im", Some(AxisName::ReIm), frames == 2 && !complex, "two real ones"),
        FrameLayoutChoice::Complex if complex => ("complex", None, true, ""),
        FrameLayoutChoice::Complex => ("complex", Some(AxisName::ReIm), frames == 2, "two"),
        _ => ("phases", Some(AxisName::Phase), frames > 2, "three or more"),
    };
    if frames == 1 && !complex {
        return Err(Error::OneFrame { shape });
    }
    if !fits {
        let found =
            format!("{frames} {}frames along the last axis ({shape})", if complex { "complex " } else { "" });
        return Err(Error::Layout { layout: name, found, needed });
    }
    let names: Vec<AxisName> = match (lengths.len() - usize::from(last.is_some()), last) {
        (2, last) => [AxisName::X, AxisName::Y].into_iter().chain(last).collect(),
        (3, last) => [AxisName::X, AxisName::Y, AxisName::Slice].into_iter().chain(last).collect(),
        (4, None) if lengths[3] == 1 => vec![AxisName::X, AxisName::Y, AxisName::Slice],
        _ => {
            let found = format!("an array of {shape}");
            return Err(Error::Layout {
                layout: name,
                found,
                needed: "X, Y, or X, Y, slice, before the frames",
            });
        }
    };
    Ok(names.into_iter().zip(lengths).collect())
}

pub(super) fn check_size(volume: &Volume, axes: &[(AxisName, usize)]) -> Result<()> {
    let along = |name| axes.iter().find(|(other, _)| *other == name).map_or(1, |(_, n)| *n);
    let size = Size::new(along(AxisName::X), along(AxisName::Y));
    if size.nx.min(size.ny) >= MIN_PIXELS {
        return Ok(());
    }
    Err(Error::Data(format!(
        "an image of {size} pixels is too small; both axes need at least {MIN_PIXELS} (this array is {})",
        shape_text(&volume.shape)
    )))
}

pub(super) fn positive(name: &'static str, value: f64, unit: &str) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    let space = if unit.is_empty() { "" } else { " " };
    Err(Error::setting(name, format!("{value}{space}{unit}"), "it must be above 0 and finite"))
}

/// Returns the spacing along both axes and its origin: the given one, else that of the header, else 1 mm.
pub(super) fn spacing(
    geometry: &VolumeGeometry,
    given: Option<[f64; 2]>,
    warnings: &mut Vec<Warning>,
) -> Result<([f64; 2], Origin)> {
    if geometry.identity {
        warnings.push(Warning::IdentityAffine);
    }
    let valid = |mm: &f64| *mm > 0.0 && mm.is_finite();
    if let Some(both) = given {
        both.into_iter().try_for_each(|mm| positive("spacing_mm", mm, "mm"))?;
        return Ok((both, Origin::Given));
    }
    let Some([x, y]) = geometry.spacing_mm.filter(|_| !geometry.identity) else {
        warnings.push(Warning::AssumedSpacing);
        return Ok(([SPACING_MM; 2], Origin::Assumed));
    };
    if ![x, y].iter().all(valid) {
        return Err(Error::HeaderSpacing { stated: [x, y], affine: None });
    }
    let [ax, ay] = geometry.affine_spacing_mm.unwrap_or([x, y]);
    let agree = |stated: f64, affine: f64| (affine / stated - 1.0).abs() <= SPACING_TOLERANCE;
    if !(agree(x, ax) && agree(y, ay)) {
        return Err(Error::HeaderSpacing { stated: [x, y], affine: Some([ax, ay]) });
    }
    Ok(([x, y], Origin::Stated))
}

/// Refuses data that are all zero, all non-finite, or too large or too small for f32.
pub(super) fn check_magnitude(data: &Samples) -> Result<()> {
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
