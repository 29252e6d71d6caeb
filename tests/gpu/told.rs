//! What the program said of a file, and maps that should be the same.

use crate::common::compare::{assert_below, median};
use crate::files::map::pixels;
use crate::files::{Folder, inside, masked};
use num_complex::Complex64;

/// The stiffness of two files is the same to `most`, in the median over the mask.
pub fn same_stiffness(folder: &Folder, names: [&str; 2], most: f64) {
    let [a, b] = names.map(|name| folder.map(&format!("{name}_mmdi_stiffness.nii.gz")));
    let off = pixels().filter(|&(x, y)| inside(x, y)).map(|(x, y)| (b.at(x, y) / a.at(x, y) - 1.0).abs());
    assert_below(median(off), most, names[1]);
}

pub fn notes(folder: &Folder, report: &str) -> Vec<String> {
    let report = folder.json(report);
    let notes = report["notes"].as_array().expect("notes").clone();
    notes.iter().map(|note| note["code"].as_str().expect("a code").to_string()).collect()
}

pub fn warnings(folder: &Folder, report: &str) -> Vec<String> {
    let report = folder.json(report);
    let warnings = report["warnings"].as_array().expect("warnings").clone();
    warnings.iter().map(|w| w["code"].as_str().expect("a code").to_string()).collect()
}

/// A wave that differs from slice to slice.
pub fn sliced(x: usize, y: usize, slice: usize) -> Complex64 {
    masked(x, y) * Complex64::cis(0.9 * slice as f64 + 0.02 * (slice * y) as f64)
}
