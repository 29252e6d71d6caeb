//! Several files of one exam as one array.

use super::image::{ReadOptions, WaveImage};
use crate::error::{Error, Result};
use crate::io::axes::{Axes, Axis, AxisName};
use crate::io::place::{Affine, Reordering};
use crate::io::volume::{MAX_SAMPLES, Samples, Volume, shape_text};
use num_complex::Complex64;
use std::f64::consts::TAU;

/// Joins `volumes` along a new last axis, which `axis` names. Several axes can be folded into it.
///
/// Two files along re-im or mag-phase become complex samples. The turn of the phase is that of `options`, or follows from
/// its range. Files along phases hold x, y, or x, y, slice; files along directions or frequencies hold a wave image each.
/// `options.axes` states the axes of one file where this does not hold.
///
/// # Errors
/// - [`Error::Usage`] if the number of files does not fit the axis.
/// - [`Error::Data`] if the files differ in shape or position, or if the joined array is too large.
/// - The errors of [`WaveImage::read`] for a file that is no wave image by itself, but should be one.
pub fn join(mut volumes: Vec<Volume>, axis: &Axis, options: &ReadOptions) -> Result<Volume> {
    let count = volumes.len();
    let names: Vec<AxisName> = axis.0.iter().map(|(name, _)| *name).collect();
    if names.is_empty() || names.iter().any(|name| matches!(name, AxisName::X | AxisName::Y)) {
        return Err(Error::Usage(format!("files cannot be joined along {axis}")));
    }
    let shape = volumes[0].shape.clone();
    let samples = shape.iter().product::<usize>();
    if samples.checked_mul(count).is_none_or(|n| n > MAX_SAMPLES) {
        return Err(Error::Data(format!(
            "{count} files of {} samples are more than {MAX_SAMPLES}",
            shape_text(&shape)
        )));
    }
    let first = volumes[0].geometry.affine;
    for (i, volume) in volumes.iter_mut().enumerate().skip(1) {
        let name = |what: String| Error::Data(format!("file {} does not go with the first: {what}", i + 1));
        if let (Some(own), Some(first)) = (volume.geometry.affine, first) {
            lay_on(volume, (&own, &first), &shape).map_err(|e| name(e.to_string()))?;
        }
        if volume.shape != shape {
            return Err(name(format!(
                "it has {}, the first {}",
                shape_text(&volume.shape),
                shape_text(&shape)
            )));
        }
    }
    let parts = [AxisName::ReIm, AxisName::MagPhase].into_iter().find(|name| names.contains(name));
    if let Some(part) = parts {
        if names.len() > 1 || count != 2 {
            return Err(Error::Usage(format!("two files are joined along {part}, not {count}")));
        }
        return parted(volumes, part, options);
    }
    let own = own_axes(&volumes[0], &names, options)?;
    let folded = axis.0.iter().filter_map(|(_, n)| *n).product::<usize>();
    let open = axis.0.iter().filter(|(_, n)| n.is_none()).count();
    let fits = if open == 0 { folded == count } else { count.is_multiple_of(folded) };
    if !fits || open > 1 {
        return Err(Error::Usage(format!(
            "{count} files are not {axis}; state lengths such as phase:8*direction:3"
        )));
    }
    let mut rest = volumes.into_iter();
    let Some(mut joined) = rest.next() else { return Err(Error::Usage("there is no file to join".into())) };
    for volume in rest {
        match (&mut joined.data, volume.data) {
            (Samples::Real(all), Samples::Real(more)) => all.extend(more),
            (Samples::Complex(all), Samples::Complex(more)) => all.extend(more),
            _ => return Err(Error::Data("some of the files are complex and some are real".into())),
        }
        if names == [AxisName::Frequency] {
            joined.stated.frequencies_hz.extend(volume.stated.frequencies_hz);
        }
    }
    joined.shape = own.iter().map(|(_, n)| *n).chain([count]).collect();
    let axes = own.into_iter().map(|(name, _)| Axis::of(name)).chain([axis.clone()]);
    joined.stated.axes = Some(Axes(axes.collect()));
    Ok(joined)
}

/// Reads a volume in the order of the first one.
fn lay_on(volume: &mut Volume, (own, first): (&Affine, &Affine), shape: &[usize]) -> Result<()> {
    let three = |shape: &[usize]| std::array::from_fn(|k| shape.get(k).copied().unwrap_or(1));
    let (from, to) = (three(&volume.shape), three(shape));
    let found = Reordering::between((own, from), (first, to), false)?;
    if found == Reordering::NONE {
        return Ok(());
    }
    let block = from.iter().product::<usize>();
    match &mut volume.data {
        Samples::Real(v) => *v = v.chunks(block).flat_map(|v| found.apply(v, from)).collect(),
        Samples::Complex(v) => *v = v.chunks(block).flat_map(|v| found.apply(v, from)).collect(),
    }
    let turned = found.axes.map(|axis| from[axis]);
    volume.shape.iter_mut().zip(turned).for_each(|(n, own)| *n = own);
    Ok(())
}

/// The axes of one file, longer than 1 or x or y, by `options` or by what the joined axis leaves.
fn own_axes(volume: &Volume, names: &[AxisName], options: &ReadOptions) -> Result<Vec<(AxisName, usize)>> {
    if let Some(axes) = options.axes.as_ref().or(volume.stated.axes.as_ref()) {
        let unfolded = axes.unfold(&volume.shape);
        return unfolded.map_err(|what| Error::Axes { what, readings: Vec::new() });
    }
    let longer = volume.shape.iter().copied().enumerate().filter(|(k, n)| *k < 2 || *n > 1);
    let lengths: Vec<usize> = longer.map(|(_, n)| n).collect();
    if !names.contains(&AxisName::Phase) && matches!(volume.data, Samples::Real(_)) {
        // Each file holds its phases, or its real and imaginary part, and has to show them.
        let options = ReadOptions { frequencies_hz: vec![1.0], ..options.clone() };
        let alone = WaveImage::read(volume, None, &options)?;
        let along = alone.axes.split(',').filter_map(|name| name.parse::<AxisName>().ok());
        return Ok(along.zip(lengths).collect());
    }
    let plain = [AxisName::X, AxisName::Y, AxisName::Slice];
    if lengths.len() > plain.len() {
        return Err(Error::Axes {
            what: format!("each file is {}, and its axes are not known", shape_text(&volume.shape)),
            readings: vec!["x,y,slice,direction".into(), "x,y,slice,frequency".into()],
        });
    }
    Ok(plain.into_iter().zip(lengths).collect())
}

/// Complex samples of a real and an imaginary part, or of a magnitude and a phase.
fn parted(volumes: Vec<Volume>, part: AxisName, options: &ReadOptions) -> Result<Volume> {
    let Ok([mut a, b]) = <[Volume; 2]>::try_from(volumes) else {
        return Err(Error::Usage(format!("two files are joined along {part}")));
    };
    let (Samples::Real(first), Samples::Real(second)) = (&a.data, &b.data) else {
        return Err(Error::Data(format!("files that are joined along {part} must be real")));
    };
    let pairs = first.iter().zip(second);
    let samples = if part == AxisName::ReIm {
        pairs.map(|(re, im)| Complex64::new(*re, *im)).collect()
    } else {
        let turn = options.turn.of_arguments(b.stated.turn, || {
            first.iter().zip(second).filter(|(m, _)| **m != 0.0).map(|(_, p)| *p as f32).collect()
        })?;
        pairs.map(|(m, p)| Complex64::from_polar(*m, TAU * p / turn)).collect()
    };
    a.data = Samples::Complex(samples);
    Ok(a)
}
