//! The study and the grid of a wave image, for maps that are written as DICOM.

use super::dataset::Dataset;
use super::place::{Grid, Place};
use super::scan::header;
use super::tags::{self, Tag};
use std::fmt;
use std::path::Path;

/// What a derived file repeats of the patient and the study, byte by byte.
const KEPT: [Tag; 15] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::ACCESSION_NUMBER,
    tags::REFERRING_PHYSICIAN,
    tags::STUDY_DESCRIPTION,
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_SEX,
    tags::PATIENT_POSITION,
    tags::STUDY_INSTANCE_UID,
    tags::STUDY_ID,
    tags::FRAME_OF_REFERENCE_UID,
    tags::POSITION_REFERENCE,
];

/// The study and the grid of a wave image.
///
/// It holds the identity of the patient, solely to write it into DICOM files of the same study. Nothing else shows it:
/// [`fmt::Debug`] prints the size of the grid alone.
#[derive(Clone, PartialEq)]
pub struct Source {
    pub(super) kept: Vec<(Tag, Vec<u8>)>,
    pub(super) series: String,
    pub(super) thickness: f64,
    pub(super) grid: Grid,
}

impl Source {
    /// The study of the file at `path`, with this grid.
    pub(super) fn of(path: &Path, grid: &Grid) -> Result<Self, String> {
        let data = header(path)?.data;
        // None of these is longer by the standard, and a derived file has 16 bits for their lengths.
        let bytes = |tag: Tag| data.bytes(tag).filter(|bytes| bytes.len() <= 1024);
        let kept = KEPT.iter().filter_map(|&tag| Some((tag, bytes(tag)?.to_vec()))).collect();
        let distance = grid.step.iter().map(|v| v * v).sum::<f64>().sqrt();
        Ok(Self {
            kept,
            series: data.text(tags::SERIES_INSTANCE_UID).unwrap_or_default(),
            thickness: thickness(&data).unwrap_or(distance),
            grid: grid.clone(),
        })
    }

    /// The bytes of an element that derived files repeat.
    pub(super) fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        let found = self.kept.iter().find(|(own, _)| *own == tag).map(|(_, bytes)| &bytes[..]);
        found.filter(|bytes| bytes.iter().any(|b| !b" \0".contains(b)))
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.grid.places
    }

    /// Columns, rows and slices of the grid.
    pub fn size(&self) -> [usize; 3] {
        [self.grid.columns, self.grid.rows, self.grid.places.len()]
    }
}

fn thickness(data: &Dataset) -> Option<f64> {
    let shared = data.items(tags::SHARED_GROUPS).iter().chain(data.items(tags::FRAME_GROUPS).first());
    let measures = shared.flat_map(|group| group.items(tags::PIXEL_MEASURES_SEQUENCE)).chain([data]);
    measures.filter_map(|data| data.number(tags::SLICE_THICKNESS)).find(|mm| *mm > 0.0)
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [columns, rows, slices] = self.size();
        write!(f, "Source {{ {columns} × {rows} × {slices} voxels, the patient's identity is not shown }}")
    }
}
