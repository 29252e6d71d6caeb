//! Series of DICOM files, read as wave images; and maps, written as DICOM.
//!
//! [`list`] names the series of a folder, [`read`] reads one of them. Files may have one frame, several frames with
//! functional groups, or the tiles of a Siemens mosaic. Their pixels may be uncompressed, run lengths or lossless JPEG.
//! [`encode_mr_series`] and [`encode_parametric_map`] write a map on the grid of its [`Source`], in the same study.
//!
//! Names, dates of birth and identifiers of patients are kept in [`Source`] alone, and leave it only into DICOM files.
//! A message names a file by its path below the folder.

mod comments;
mod dataset;
mod derive;
mod encode;
mod jpeg;
mod mosaic;
mod order;
mod parse;
mod pixels;
mod place;
mod read;
mod rle;
mod scan;
mod series;
mod source;
mod syntax;
mod table;
mod tags;
#[cfg(test)]
mod tests;

pub use derive::{Derived, Unit, encode_mr_series, encode_parametric_map};
pub use read::{Exam, read};
pub use series::{Kind, SeriesSummary, list};
pub use source::Source;

use std::path::Path;

/// What the user states of a series where its files are silent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DicomOptions {
    /// Names of the directions of motion, in the order of their images.
    pub directions: Option<Vec<String>>,
    /// Number of phase offsets.
    pub offsets: Option<usize>,
    /// Period of the vibration, µs.
    pub period_us: Option<f64>,
    /// Number of the series to read.
    pub series: Option<u32>,
}

/// Reports whether a folder, or one of its subfolders, holds a DICOM file.
pub fn is_folder_of_dicom(folder: &Path) -> bool {
    scan::paths(folder).is_ok_and(|paths| paths.iter().any(|path| scan::is_dicom(path)))
}
