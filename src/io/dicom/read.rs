//! One series, read as a wave image.

use super::DicomOptions;
use super::order::Order;
use super::place::{Grid, Place};
use super::scan::{Image, Scan};
use super::series::{Kind, Series, SeriesSummary, choose, series};
use super::source::Source;
use crate::error::{Error, Result};
use crate::io::axes::{Axes, AxisName};
use crate::io::volume::{Format, MAX_SAMPLES, Samples, Stated, Volume, VolumeGeometry};
use std::path::Path;

/// A wave image read from DICOM files.
#[derive(Debug, Clone)]
pub struct Exam {
    /// The wave: x, y, slice, then phase offset, direction and frequency, each if there are several.
    pub volume: Volume,
    /// The magnitude on the same grid, the mean of its images of a slice: x, y, slice.
    pub magnitude: Option<Volume>,
    /// The series of the wave.
    pub series: SeriesSummary,
    /// The study and the grid, to write maps of this image as DICOM.
    pub source: Source,
    /// What was assumed, each a clause.
    pub notes: Vec<String>,
}

/// Reads the wave image of a folder and its subfolders.
///
/// The series is the one that `options` names, else the only one with phases, else the only one. The samples have the
/// file's slope and intercept applied, and no other unit. Slices are in the order of the normal of the image's
/// rows and columns.
///
/// # Errors
/// [`Error::SeveralSeries`] if the series has to be chosen, [`Error::UnknownOrder`] if the files do not say which phase
/// offset and direction an image is. [`Error::File`] with a path below the folder if a file is damaged, or not of a kind
/// that palpate reads. [`Error::Data`] if images are missing, there twice, or form no stack of slices. [`Error::Usage`] if
/// the files contradict `options`.
pub fn read(folder: &Path, options: &DicomOptions) -> Result<Exam> {
    let scan = Scan::of(folder)?;
    let all = series(&scan);
    let chosen = choose(&all, options.series)?;
    let summary = &all[chosen].summary;
    let mut notes = Vec::new();
    let wave = if summary.phases > 0 {
        of_kind(&scan, &all[chosen], Kind::Phase)
    } else {
        notes.push(format!("series {} does not say that it holds phases", summary.number));
        all[chosen].images.iter().map(|&n| &scan.images[n]).collect()
    };
    let (grid, slices) = stack(&scan, &wave, summary.number)?;
    let order = Order::of(&wave, &slices, options)?;
    let table = order.table(|n| scan.files[wave[n].file].path.display().to_string())?;
    let images: Vec<&Image> = table.iter().map(|&n| wave[n]).collect();
    let volume = Volume {
        stated: Stated {
            axes: Some(Axes::of(&axes(order.lengths).map(|axis| axis.0).collect::<Vec<_>>())),
            frequencies_hz: order.frequencies_hz,
            directions: order.directions,
            ..Stated::default()
        },
        ..volume(
            &grid,
            axes(order.lengths).map(|axis| axis.1).collect(),
            samples(folder, &scan, &grid, &images)?,
        )
    };
    notes.extend(order.notes);
    let magnitude =
        if summary.phases > 0 { magnitude(folder, &scan, (&all, chosen), &grid, &mut notes) } else { None };
    let source = Source::of(&folder.join(&scan.files[images[0].file].path), &grid)
        .map_err(|what| Error::file(&scan.files[images[0].file].path, what))?;
    Ok(Exam { volume, magnitude, series: summary.clone(), source, notes })
}

/// Names and lengths of the axes behind x and y.
fn axes(lengths: [usize; 4]) -> impl Iterator<Item = (AxisName, usize)> {
    let names = [AxisName::Slice, AxisName::Phase, AxisName::Direction, AxisName::Frequency];
    let longer = names.into_iter().zip(lengths).filter(|(name, n)| *name == AxisName::Slice || *n > 1);
    [(AxisName::X, 0), (AxisName::Y, 0)].into_iter().chain(longer)
}

fn volume(grid: &Grid, mut shape: Vec<usize>, values: Vec<f64>) -> Volume {
    (shape[0], shape[1]) = (grid.columns, grid.rows);
    Volume {
        shape,
        data: Samples::Real(values),
        geometry: VolumeGeometry::placed(grid.affine()),
        format: Format::Dicom,
        stated: Stated::default(),
    }
}

fn of_kind<'a>(scan: &'a Scan, series: &Series, kind: Kind) -> Vec<&'a Image> {
    series.images.iter().map(|&n| &scan.images[n]).filter(|image| image.kind == kind).collect()
}

/// The stack that images form, and the slice of each of them.
fn stack(scan: &Scan, images: &[&Image], number: u32) -> Result<(Grid, Vec<usize>)> {
    let mut places: Vec<Place> = Vec::new();
    let about = |what: &dyn std::fmt::Display| Error::Data(format!("series {number}: {what}"));
    let first = images.first().ok_or_else(|| about(&"it holds no images"))?;
    for image in images {
        let file = &scan.files[image.file];
        let fault = |what: &String| Error::file(&file.path, what);
        file.layout.as_ref().map_err(fault)?;
        places.push(*image.place.as_ref().map_err(fault)?);
        if image.size != first.size {
            let [[a, b], [c, d]] = [first.size, image.size];
            return Err(about(&format!(
                "its images have different sizes, {a} × {b} and {c} × {d}; put each size into a folder of its own"
            )));
        }
    }
    let thickness = scan.files[first.file].thickness.filter(|mm| *mm > 0.0).unwrap_or(1.0);
    Grid::of(first.size, &places, thickness).map_err(|what| about(&what))
}

/// The rescaled samples of `images`, one image after the other.
fn samples(folder: &Path, scan: &Scan, grid: &Grid, images: &[&Image]) -> Result<Vec<f64>> {
    let pixels = grid.columns * grid.rows;
    let total = pixels.checked_mul(images.len()).filter(|n| *n <= MAX_SAMPLES).ok_or_else(|| {
        Error::Data(format!(
            "the series claims {} × {} × {} samples; palpate reads at most {MAX_SAMPLES}",
            grid.columns,
            grid.rows,
            images.len()
        ))
    })?;
    let mut out = Vec::with_capacity(total);
    let mut open: Option<(usize, std::fs::File)> = None;
    let mut frame: Option<(usize, usize, Vec<f64>)> = None;
    for image in images {
        let file = &scan.files[image.file];
        let fault = |what: &dyn std::fmt::Display| Error::file(&file.path, what);
        // The tiles of a mosaic follow each other, so that each mosaic is decoded once.
        if frame.as_ref().is_none_or(|(file, n, _)| (*file, *n) != (image.file, image.frame)) {
            if open.as_ref().is_none_or(|(n, _)| *n != image.file) {
                let opened = std::fs::File::open(folder.join(&file.path));
                open =
                    Some((image.file, opened.map_err(|e| fault(&format!("cannot be read: {}", e.kind())))?));
            }
            let layout = file.layout.as_ref().map_err(|what| fault(what))?;
            if let Some((_, handle)) = &mut open {
                let values = layout.read(handle, image.frame, [file.columns, file.rows]);
                frame = Some((image.file, image.frame, values.map_err(|what| fault(&what))?));
            }
        }
        if image.slope == 0.0 {
            return Err(fault(&"states a slope of 0 from stored to true values"));
        }
        let Some((.., values)) = &frame else { continue };
        for y in 0..image.size[1] {
            let start = (image.corner[1] + y) * file.columns + image.corner[0];
            let row = values.get(start..start + image.size[0]);
            let row = row.ok_or_else(|| fault(&"is truncated: its pixels end early"))?;
            out.extend(row.iter().map(|v| v * image.slope + image.intercept));
        }
    }
    Ok(out)
}

/// The magnitude on the grid of the wave: of the same series, else of the series with the nearest number.
fn magnitude(
    folder: &Path,
    scan: &Scan,
    (all, chosen): (&[Series], usize),
    grid: &Grid,
    notes: &mut Vec<String>,
) -> Option<Volume> {
    let own = all[chosen].summary.number;
    let mut candidates: Vec<usize> = (0..all.len()).filter(|&n| all[n].summary.magnitudes > 0).collect();
    candidates.sort_by_key(|&n| (n != chosen, all[n].summary.number.abs_diff(own), n));
    for n in candidates {
        let number = all[n].summary.number;
        let images = of_kind(scan, &all[n], Kind::Magnitude);
        let mean = stack(scan, &images, number).and_then(|(other, slices)| {
            if !grid.same(&other) {
                return Err(Error::Data(format!("series {number} lies elsewhere")));
            }
            mean(folder, scan, grid, (&images, &slices))
        });
        match mean {
            Ok(values) => {
                notes.push(format!("the magnitude is that of series {number}"));
                let shape = vec![0, 0, grid.places.len()];
                let axes = Some(Axes::of(&[AxisName::X, AxisName::Y, AxisName::Slice]));
                let stated = Stated { axes, ..Stated::default() };
                return Some(Volume { stated, ..volume(grid, shape, values) });
            }
            Err(error) => notes.push(format!("the magnitude of series {number} was left out: {error}")),
        }
    }
    None
}

/// The mean of the images of each slice.
fn mean(
    folder: &Path,
    scan: &Scan,
    grid: &Grid,
    (images, slices): (&[&Image], &[usize]),
) -> Result<Vec<f64>> {
    let pixels = grid.columns * grid.rows;
    let mut sums = vec![0.0; pixels * grid.places.len()];
    for (slice, sum) in sums.chunks_exact_mut(pixels).enumerate() {
        let own: Vec<&Image> =
            images.iter().zip(slices).filter(|(_, at)| **at == slice).map(|(image, _)| *image).collect();
        for image in &own {
            let values = samples(folder, scan, grid, &[image])?;
            sum.iter_mut().zip(values).for_each(|(sum, v)| *sum += v / own.len() as f64);
        }
    }
    Ok(sums)
}
