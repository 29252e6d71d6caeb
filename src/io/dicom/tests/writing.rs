//! Maps are read back as they were written.

use super::fixtures::*;
use super::*;
use crate::io::dicom::tags;

/// The source of a made series of three slices.
pub fn source() -> (Source, Exam) {
    let exam = Folder::of(&commented(5, [3, 4, 1, 1])).read(&DicomOptions::default()).unwrap();
    (exam.source.clone(), exam)
}

/// A map on the grid of [`source`].
pub fn values() -> Vec<f32> {
    (0..60).map(|n| if n % 7 < 1 { 0.0 } else { (n as f32 * 0.37).sin() * 9.0 + 1.5 }).collect()
}

pub fn map(values: &[f32]) -> Derived<'_> {
    Derived {
        values,
        name: "stiffness",
        description: "palpate stiffness |µ*| kPa",
        unit: Unit::Kilopascal,
        method: "MMDI, µ* = ρω²/k²",
    }
}

#[test]
fn a_series_is_read_back_within_one_step() {
    let (source, exam) = source();
    let values = values();
    let files = encode_mr_series(&source, &map(&values), 105).unwrap();
    assert_eq!(files.iter().map(|file| &file.0[..]).collect::<Vec<_>>()[2], "stiffness_0003.dcm");
    let folder = Folder::of(&[]);
    files.iter().for_each(|(name, bytes)| folder.put(name, bytes));
    let back = folder.read(&DicomOptions::default()).unwrap();
    assert_eq!(back.volume.shape, [COLUMNS, ROWS, 3]);
    assert_eq!(back.volume.geometry.affine, exam.volume.geometry.affine);
    let largest = values.iter().fold(0f32, |m, v| m.max(v.abs()));
    for (own, v) in real(&back.volume).iter().zip(&values) {
        assert!((own - f64::from(*v)).abs() <= f64::from(largest) / 32767.0 * 0.5001, "{own} {v}");
        assert!(*v != 0.0 || *own == 0.0);
    }
    let [summary] = &list(&folder.path()).unwrap()[..] else { panic!("one series") };
    assert_eq!((summary.number, &summary.description[..]), (105, "palpate stiffness |u*| kPa"));
    // The patient stays the same; the identifiers follow from what is written.
    assert_eq!(back.source.bytes(tags::PATIENT_NAME), source.bytes(tags::PATIENT_NAME));
    assert_eq!(back.source.bytes(tags::STUDY_INSTANCE_UID), source.bytes(tags::STUDY_INSTANCE_UID));
    assert_eq!(files, encode_mr_series(&source, &map(&values), 105).unwrap());
    let mut other = values.clone();
    other[3] += 1.0;
    let other = encode_mr_series(&source, &map(&other), 105).unwrap();
    folder.put("other.dcm", &other[0].1);
    assert_eq!(list(&folder.path()).unwrap().len(), 2);
}

#[test]
fn a_parametric_map_is_read_back_exactly() {
    let (source, exam) = source();
    let values = values();
    let (name, bytes) = encode_parametric_map(&source, &map(&values), 106).unwrap();
    assert_eq!(name, "stiffness.dcm");
    let folder = Folder::of(&[]);
    folder.put(&name, &bytes);
    let back = folder.read(&DicomOptions::default()).unwrap();
    assert_eq!(back.volume.shape, [COLUMNS, ROWS, 3]);
    assert_eq!(back.volume.geometry.affine, exam.volume.geometry.affine);
    assert!(real(&back.volume).iter().zip(&values).all(|(own, v)| *own == f64::from(*v)));
}

#[test]
fn maps_that_do_not_fit_are_refused() {
    let (source, _) = source();
    let values = values();
    let what = |values: &[f32]| {
        assert!(encode_parametric_map(&source, &map(values), 1).is_err());
        encode_mr_series(&source, &map(values), 1).unwrap_err().to_string()
    };
    assert!(what(&values[1..]).contains("59 values"));
    let mut broken = values.clone();
    broken[7] = f32::NAN;
    assert!(what(&broken).contains("NaN"));
    assert!(encode_mr_series(&source, &map(&[0.0; 60]), 1).is_ok());
}

#[test]
fn a_source_does_not_show_the_patient() {
    let (source, exam) = source();
    for text in [format!("{source:?}"), format!("{exam:?}"), exam.notes.join(" ")] {
        assert!(!shows_the_patient(&text), "{text}");
    }
}
