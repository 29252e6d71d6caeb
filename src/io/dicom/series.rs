//! The series of a folder, and the choice of one.

use super::scan::Scan;
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// What the pixels of an image are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The phase of the signal, which holds the wave.
    Phase,
    /// The magnitude of the signal.
    Magnitude,
    /// Anything else, or not stated.
    Other,
}

impl Kind {
    /// The kind by a value of ImageType, FrameType or ComplexImageComponent.
    pub(super) fn of(text: &str) -> Self {
        let parts: Vec<&str> = text.split('\\').map(str::trim).collect();
        // The first two values of a type say whether it is original and primary.
        let own = if parts.len() > 2 {
            &parts[2..]
        } else if parts.len() == 1 {
            &parts[..]
        } else {
            &[]
        };
        let is = |names: &[&str]| own.iter().any(|part| names.contains(part));
        if is(&["P", "PHASE", "PHASE MAP"]) {
            Self::Phase
        } else if is(&["M", "MAGNITUDE", "M_FFE", "M_SE", "M_IR"]) {
            Self::Magnitude
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Phase => "phase",
            Self::Magnitude => "magnitude",
            Self::Other => "other",
        })
    }
}

/// What a series holds, by its headers. Nothing in it is about the patient, unless the scanner's operator wrote it into
/// the description of the series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesSummary {
    /// The number of the series, 0 if it has none.
    pub number: u32,
    /// The description of the series, at most 64 characters; empty if it has none.
    pub description: String,
    /// Number of files.
    pub files: usize,
    /// Number of images: frames, and tiles of mosaics.
    pub images: usize,
    /// Rows of the largest image.
    pub rows: usize,
    /// Columns of the largest image.
    pub columns: usize,
    /// The kind of the images; phase if only some of them are.
    pub kind: Kind,
    /// Number of images that are phases.
    pub phases: usize,
    /// Number of images that are magnitudes.
    pub magnitudes: usize,
}

impl fmt::Display for SeriesSummary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let images = if self.images == 1 { "image" } else { "images" };
        write!(f, "{}: '{}', {} {images}", self.number, self.description, self.images)?;
        write!(f, " of {} × {}, {}", self.columns, self.rows, self.kind)?;
        if self.phases > 0 && self.magnitudes > 0 { f.write_str(" and magnitude") } else { Ok(()) }
    }
}

/// A series: its summary, its identifier, and the indices of its images.
#[derive(Debug)]
pub(super) struct Series {
    pub summary: SeriesSummary,
    pub images: Vec<usize>,
}

/// The series of a scan, by their numbers.
pub(super) fn series(scan: &Scan) -> Vec<Series> {
    let keys: BTreeSet<_> = scan.files.iter().map(|file| (file.number, &file.series)).collect();
    let one = |key: (u32, &String)| {
        let own = |file: usize| (scan.files[file].number, &scan.files[file].series) == key;
        let images: Vec<usize> = (0..scan.images.len()).filter(|&n| own(scan.images[n].file)).collect();
        let files: Vec<usize> = (0..scan.files.len()).filter(|&file| own(file)).collect();
        let count = |kind| images.iter().filter(|&&n| scan.images[n].kind == kind).count();
        let (phases, magnitudes) = (count(Kind::Phase), count(Kind::Magnitude));
        let largest = |axis: usize| images.iter().map(|&n| scan.images[n].size[axis]).max().unwrap_or(0);
        let kind = match (phases, magnitudes) {
            (0, 0) => Kind::Other,
            (0, _) => Kind::Magnitude,
            _ => Kind::Phase,
        };
        let summary = SeriesSummary {
            number: key.0,
            description: scan.files[files[0]].description.clone(),
            files: files.len(),
            images: images.len(),
            rows: largest(1),
            columns: largest(0),
            kind,
            phases,
            magnitudes,
        };
        Series { summary, images }
    };
    keys.into_iter().map(one).collect()
}

/// Lists the series of a folder and its subfolders, by number. Only headers are read.
///
/// # Errors
/// [`Error::File`] if a file is damaged, [`Error::Data`] if there is none.
pub fn list(folder: &Path) -> Result<Vec<SeriesSummary>> {
    Ok(series(&Scan::of(folder)?).into_iter().map(|series| series.summary).collect())
}

/// The index of the series with the wave: the one of this number, else the only one with phases, else the only one.
pub(super) fn choose(all: &[Series], number: Option<u32>) -> Result<usize> {
    let several = |found: String, which: &[usize]| {
        let series = which.iter().map(|&n| all[n].summary.to_string()).collect();
        Err(Error::SeveralSeries { found, series })
    };
    let everything: Vec<usize> = (0..all.len()).collect();
    let with = |test: &dyn Fn(&SeriesSummary) -> bool| -> Vec<usize> {
        everything.iter().copied().filter(|&n| test(&all[n].summary)).collect()
    };
    if let Some(number) = number {
        return match with(&|summary| summary.number == number)[..] {
            [one] => Ok(one),
            [] => several(format!("no series {number}"), &everything),
            _ => Err(Error::Data(format!(
                "several series of the folder have the number {number}; put each of them into a folder of its own"
            ))),
        };
    }
    match with(&|summary| summary.kind == Kind::Phase)[..] {
        [one] => Ok(one),
        [] if all.len() == 1 => Ok(0),
        [] => several("several series, none of which says that it holds phases".into(), &everything),
        ref phases => several("several series of phases".into(), phases),
    }
}
