//! Series made in code, read, damaged and written.

mod codecs;
mod fixtures;
mod hostile;
mod independent;
mod reading;
mod refusals;
mod writing;

use super::*;
use crate::error::{Error, Result};
use crate::io::volume::{Samples, Volume};
use fixtures::Made;
use std::path::PathBuf;

/// A folder of made files.
struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder of these files, in Explicit VR Little Endian.
    fn of(files: &[Made]) -> Self {
        Self::stored(files, fixtures::EXPLICIT)
    }

    fn stored(files: &[Made], syntax: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (n, file) in files.iter().enumerate() {
            folder.put(&format!("{n:03}.dcm"), &file.file(syntax));
        }
        folder
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        // Some file systems write a file that replaces another one to the disk at once.
        let _ = std::fs::remove_file(&path);
        std::fs::write(path, bytes).unwrap();
    }

    fn read(&self, options: &DicomOptions) -> Result<Exam> {
        read(self.0.path(), options)
    }

    /// The message with which the folder is refused.
    fn fault(&self, options: &DicomOptions) -> String {
        let error = match self.read(options) {
            Err(error) => error,
            Ok(exam) => panic!("read as {:?}", exam.volume.shape),
        };
        let text = error.to_string();
        assert!(!shows_the_patient(&text), "{text}");
        assert!(!text.contains(self.0.path().to_str().unwrap()), "{text}");
        text
    }
}

fn real(volume: &Volume) -> &[f64] {
    match &volume.data {
        Samples::Real(values) => values,
        Samples::Complex(_) => panic!("complex"),
    }
}

/// Reports whether a text holds what the made files say of the patient.
fn shows_the_patient(text: &str) -> bool {
    ["Doe", "P4711", "A4711", "S4711", "19600203", "1.2.826"].iter().any(|secret| text.contains(secret))
}

/// `offsets`, directions by name, and the series.
fn options(offsets: Option<usize>, directions: &str, series: Option<u32>) -> DicomOptions {
    let names: Vec<String> = directions.split(',').filter(|s| !s.is_empty()).map(String::from).collect();
    DicomOptions { directions: (!names.is_empty()).then_some(names), offsets, period_us: None, series }
}
