//! Series that are incomplete, contradictory or of another kind are refused by name.

use super::fixtures::*;
use super::*;
use crate::io::dicom::tags;

const SHAPE: [usize; 4] = [3, 4, 3, 1];

/// The fault of the commented series after a change of its files.
fn fault(change: impl FnOnce(&mut Vec<Made>)) -> String {
    let mut files = commented(5, SHAPE);
    change(&mut files);
    Folder::of(&files).fault(&DicomOptions::default())
}

/// The index of a file.
fn file(at: [usize; 4]) -> usize {
    places(SHAPE).iter().position(|other| *other == at).unwrap()
}

#[test]
fn gaps_and_duplicates_are_named() {
    let says = |what: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| what.contains(part)), "{what}");
    };
    says(
        fault(|files| drop(files.remove(file([0, 2, 1, 0])))),
        &["image of direction d1, phase offset t2, slice 1 is missing; add"],
    );
    says(
        fault(|files| drop(files.drain(file([1, 3, 2, 0])..))),
        &["direction d2, phase offset t3, slice 2 is missing (2 images"],
    );
    says(
        fault(|files| files.push(files[4].clone())),
        &["two images are direction d0, phase offset t1, slice 2: 004.dcm and 036.dcm"],
    );
    says(
        fault(|files| {
            let all = places(SHAPE);
            let mut n = 0;
            files.retain(|_| {
                n += 1;
                all[n - 1][1] != 2
            });
        }),
        &["phase offset t2 is missing in all slices"],
    );
    says(fault(|files| files[3] = single(5, "P", 4, [0, 1, 0, 0])), &["35 of 36 images have a comment"]);
    let silent: Vec<Made> = silent(5, "P", [2, 8, 1, 1]).into_iter().skip(1).collect();
    says(
        Folder::of(&silent).fault(&options(Some(8), "", None)),
        &["different numbers of images, from 7 to 8"],
    );
}

#[test]
fn slices_must_form_a_stack() {
    let moved = |slice: usize, to: [f64; 3]| {
        fault(|files| {
            for (file, at) in files.iter_mut().zip(places(SHAPE)) {
                if at[0] == slice {
                    *file = file.clone().numbers(tags::IMAGE_POSITION, &to);
                }
            }
        })
    };
    let what = moved(2, position(3));
    assert!(what.contains("1 slice is missing between slice 2 and slice 3"), "{what}");
    let half = std::array::from_fn(|k| position(1)[k] + 0.5 * NORMAL[k]);
    assert!(moved(1, half).contains("not equally spaced"));
    let mut beside = position(1);
    beside[0] += 3.0;
    assert!(moved(1, beside).contains("beside slice 1"));
    let one = |change: &dyn Fn(Made) -> Made| fault(|files| files[7] = change(files[7].clone()));
    for (what, says) in [
        (
            one(&|f| f.numbers(tags::IMAGE_ORIENTATION, &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0])),
            "different orientations",
        ),
        (one(&|f| f.numbers(tags::PIXEL_SPACING, &[2.0, 2.0])), "different pixel spacings"),
        (one(&|f| f.numbers(tags::ROWS, &[2.0])), "different sizes, 5 × 4 and 5 × 2"),
        (one(&|f| f.without(tags::IMAGE_POSITION)), "007.dcm: does not state the position"),
        (one(&|f| f.without(tags::PIXEL_SPACING)), "007.dcm: does not state its pixel spacing"),
        (one(&|f| f.numbers(tags::IMAGE_ORIENTATION, &[0.0; 6])), "007.dcm: has an impossible orientation"),
        (one(&|f| f.numbers(tags::PIXEL_SPACING, &[0.0, 1.0])), "impossible position or pixel spacing"),
        (one(&|f| f.numbers(tags::RESCALE_SLOPE, &[0.0])), "slope of 0"),
        (one(&|f| f.numbers(tags::SAMPLES_PER_PIXEL, &[3.0])), "holds colours"),
        (one(&|f| f.numbers(tags::ROWS, &[40.0]).numbers(tags::COLUMNS, &[50.0])), "is truncated"),
        (one(&|f| f.numbers(tags::FRAMES, &[3.0])), "claims 3 frames, but says of 0 where they lie"),
        (one(&|f| f.without(tags::ROWS)), "007.dcm: does not state its numbers of rows"),
        (one(&|f| f.numbers(tags::HIGH_BIT, &[20.0])), "12 bits up to bit 20 of 16"),
        (one(&|f| f.text(tags::IMAGE_COMMENTS, "f0 d0 az45 po90 t2 VP20000")), "two different angles"),
        (one(&|f| f.text(tags::IMAGE_COMMENTS, "f0 d0 az0 po90 t2 VP1000")), "vibration periods of"),
    ] {
        assert!(what.contains(says), "{what}");
    }
}

#[test]
fn other_transfer_syntaxes_are_named() {
    for (uid, says) in [
        (
            "1.2.840.10008.1.2.4.90",
            "JPEG 2000 Lossless, 1.2.840.10008.1.2.4.90); convert the files, by gdcmconv",
        ),
        (
            "1.2.840.10008.1.2.4.50",
            "JPEG Baseline, lossy, 1.2.840.10008.1.2.4.50); convert the files, by dcmdjpeg",
        ),
        ("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian"),
        ("1.2.3", "unknown, 1.2.3)"),
    ] {
        let what = Folder::stored(&commented(5, [1, 3, 1, 1]), uid).fault(&DicomOptions::default());
        assert!(what.contains(says) && what.starts_with("000.dcm: "), "{what}");
    }
    // A series that cannot be read does not matter where it is not the wave.
    let folder = Folder::of(&commented(5, [1, 3, 1, 1]));
    folder.put("survey.dcm", &single(1, "M", 1, [0; 4]).file("1.2.840.10008.1.2.4.90"));
    folder.put("screen.dcm", &single(2, "X", 1, [0; 4]).numbers(tags::FRAMES, &[9.0]).file(EXPLICIT));
    let exam = folder.read(&DicomOptions::default()).unwrap();
    assert!(exam.notes.iter().any(|note| note.contains("JPEG 2000")), "{:?}", exam.notes);
}

#[test]
fn statements_that_contradict_the_files_are_refused() {
    let folder = Folder::of(&commented(5, SHAPE));
    let with = |options: &DicomOptions| {
        assert!(matches!(folder.read(options), Err(Error::Usage(_) | Error::Setting { .. })));
        folder.fault(options)
    };
    assert!(with(&options(Some(8), "", None)).contains("hold 4 phase offsets, not 8"));
    assert!(with(&options(None, "x,y", None)).contains("hold 3 directions, but 2 are named"));
    let period = |us| DicomOptions { period_us: Some(us), ..DicomOptions::default() };
    assert!(with(&period(10000.0)).contains("period of 20000 µs, not 10000 µs"));
    assert!(with(&period(-1.0)).contains("above 0"));
    assert!(folder.read(&period(20001.0)).is_ok());
    let silent = Folder::of(&silent(3, "P", [2, 8, 3, 1]));
    assert!(
        silent.fault(&options(Some(5), "", None)).contains("24 images of a slice are not 5 phase offsets")
    );
    assert!(silent.fault(&options(Some(8), "x,y", None)).contains("hold 3 directions, but 2"));
    assert!(silent.fault(&options(Some(0), "", None)).contains("not 0 phase offsets"));
}

#[test]
fn folders_without_a_wave_are_refused() {
    let empty = Folder::of(&[]);
    assert!(empty.fault(&DicomOptions::default()).contains("no DICOM files with images"));
    let two = [silent(1, "M", [1; 4]), silent(2, "X", [1; 4])].concat();
    let what = Folder::of(&two).fault(&DicomOptions::default());
    assert!(what.contains("none of which says that it holds phases"), "{what}");
    let twice = [
        silent(4, "P", [1, 1, 1, 1]),
        vec![single(4, "P", 2, [0; 4]).text(tags::SERIES_INSTANCE_UID, "1.2.9")],
    ];
    let what = Folder::of(&twice.concat()).fault(&options(None, "", Some(4)));
    assert!(what.contains("have the number 4"), "{what}");
    let missing = read(std::path::Path::new("/nowhere/at/all"), &DicomOptions::default());
    assert!(matches!(missing, Err(Error::File { .. })));
}
