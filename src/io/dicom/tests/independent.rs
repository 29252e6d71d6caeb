//! Other programs agree: the crate `dicom-object` always, pydicom and dcmtk where they are installed.

use super::fixtures::*;
use super::reading::expected;
use super::writing::{map, source, values};
use super::*;
use crate::io::place::Reordering;
use dicom_object::{OpenFileOptions, Tag as Number};
use std::process::Command;

/// Runs a program; None, with a line about it, if it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        println!("skipped: {program} is not installed");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {text}{}", String::from_utf8_lossy(&output.stderr));
    Some(text)
}

#[test]
fn another_crate_reads_what_is_written() {
    let (source, _) = source();
    let values = values();
    let (name, bytes) = encode_parametric_map(&source, &map(&values), 106).unwrap();
    let mut files = encode_mr_series(&source, &map(&values), 105).unwrap();
    files.push((name, bytes));
    let folder = Folder::of(&[]);
    for (name, bytes) in &files {
        folder.put(name, bytes);
        let object = OpenFileOptions::new().open_file(folder.path().join(name)).unwrap();
        let text = |number: u32| {
            let tag = Number((number >> 16) as u16, number as u16);
            object.element(tag).unwrap().to_str().unwrap().trim_end_matches(['\0', ' ']).to_string()
        };
        assert_eq!(text(0x0010_0010), "Doe^Jane");
        assert_eq!(text(0x0020_000d), "1.2.826.0.1.1");
        assert!(text(0x0020_000e).starts_with("2.25."));
        assert_eq!(text(0x0008_0070), "palpate");
    }
}

#[test]
fn pydicom_reads_the_values_and_their_unit() {
    let probe = Command::new("python3").args(["-c", "import pydicom, numpy"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return println!("skipped: python3 with pydicom and numpy is not installed");
    }
    let (source, _) = source();
    let values = values();
    let folder = Folder::of(&[]);
    let (name, bytes) = encode_parametric_map(&source, &map(&values), 106).unwrap();
    folder.put(&name, &bytes);
    for (name, bytes) in encode_mr_series(&source, &map(&values), 105).unwrap() {
        folder.put(&name, &bytes);
    }
    const SCRIPT: &str = "
import sys, pydicom
folder = sys.argv[1]
def unit(item): return item.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence[0]
m = pydicom.dcmread(folder + '/stiffness.dcm')
u = unit(m.SharedFunctionalGroupsSequence[0])
print(u.CodeValue, u.CodingSchemeDesignator, m.pixel_array.shape)
print(*m.pixel_array.ravel().tolist())
all = []
for n in range(3):
    d = pydicom.dcmread('%s/stiffness_%04d.dcm' % (folder, n + 1))
    assert d.PatientID == 'P4711' and unit(d).CodeValue == 'kPa'
    all += (d.pixel_array * float(d.RescaleSlope)).ravel().tolist()
print(*all)
";
    let Some(text) = run("python3", &["-c", SCRIPT, folder.path().to_str().unwrap()]) else { return };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "kPa UCUM (3, 4, 5)");
    for (line, tolerance) in [(lines[1], 0.0), (lines[2], 2e-4)] {
        let own: Vec<f64> = line.split(' ').map(|v| v.parse().unwrap()).collect();
        assert!(own.iter().zip(&values).all(|(a, b)| (a - f64::from(*b)).abs() <= tolerance), "{line}");
        assert_eq!(own.len(), values.len());
    }
}

#[test]
fn dciodvfy_finds_no_error_in_what_is_written() {
    let (source, _) = source();
    let values = values();
    let mut files = encode_mr_series(&source, &map(&values), 105).unwrap();
    files.push(encode_parametric_map(&source, &map(&values), 106).unwrap());
    let folder = Folder::of(&[]);
    for (name, bytes) in &files {
        folder.put(name, bytes);
        let Ok(output) = Command::new("dciodvfy").arg(folder.path().join(name)).output() else {
            return println!("skipped: dciodvfy is not installed");
        };
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("Error"), "{name}: {text}");
    }
}

#[test]
fn dcm2niix_finds_the_same_grid() {
    let (source, exam) = source();
    let values = values();
    let [folder, out] = [(); 2].map(|()| Folder::of(&[]));
    for (name, bytes) in encode_mr_series(&source, &map(&values), 105).unwrap() {
        folder.put(&name, &bytes);
    }
    let (name, bytes) = encode_parametric_map(&source, &map(&values), 106).unwrap();
    folder.put(&name, &bytes);
    let [from, to] = [&folder, &out].map(|folder| folder.path().to_str().unwrap().to_string());
    if run("dcm2niix", &["-b", "n", "-f", "%s", "-o", &to, &from]).is_none() {
        return;
    }
    let shape = [COLUMNS, ROWS, 3];
    for number in [105, 106] {
        let other = crate::io::read(out.path().join(format!("{number}.nii"))).unwrap();
        let [own, affine] = [&exam.volume, &other].map(|volume| volume.geometry.affine.unwrap());
        let reordering = Reordering::between((&affine, shape), (&own, shape), false).unwrap();
        let other = reordering.apply(real(&other), shape);
        assert!(other.iter().zip(&values).all(|(a, b)| (a - f64::from(*b)).abs() < 2e-4), "{number}");
    }
}

#[test]
fn files_of_dcmtk_are_read() {
    let shape = [2, 4, 1, 1];
    let plain = Folder::of(&commented(5, shape));
    for (program, arguments) in [
        ("dcmconv", &["+ti"][..]),
        ("dcmconv", &["+tb"]),
        ("dcmconv", &["+te", "-e"]),
        ("dcmcrle", &[]),
        ("dcmcjpeg", &[]),
        ("dcmcjpeg", &["+el", "+sv", "4"]),
        ("dcmcjpeg", &["+el", "+sv", "7"]),
    ] {
        let other = Folder::of(&[]);
        for entry in std::fs::read_dir(plain.path()).unwrap() {
            let from = entry.unwrap().path();
            let to = other.path().join(from.file_name().unwrap());
            let files = [from.to_str().unwrap(), to.to_str().unwrap()];
            if run(program, &[arguments, &files].concat()).is_none() {
                return;
            }
        }
        let exam = other.read(&DicomOptions::default()).unwrap();
        assert_eq!(real(&exam.volume), expected(shape), "{program} {arguments:?}");
    }
}
