//! Series are read as they were made.

use super::codecs::csa;
use super::fixtures::*;
use super::*;
use crate::io::dicom::tags;
use crate::io::place::Affine;
use crate::io::volume::Format;

/// The volume of a made series.
pub fn expected(shape: [usize; 4]) -> Vec<f64> {
    let mut all = Vec::new();
    let [slices, phases, directions, frequencies] = shape;
    for frequency in 0..frequencies {
        for direction in 0..directions {
            for phase in 0..phases {
                for slice in 0..slices {
                    let frame = frame([slice, phase, direction, frequency]);
                    all.extend(frame.iter().map(|v| f64::from(*v) * 2.0 - 4096.0));
                }
            }
        }
    }
    all
}

/// The affine of a made series. A single slice has its thickness as its step.
fn affine(slices: usize) -> Affine {
    let [x, y, z] = position(0);
    let step = if slices > 1 { STEP_MM } else { 3.0 };
    Affine([[-1.5, 0.0, 0.0, -x], [0.0, -0.8 * 2.0, 0.6 * step, -y], [0.0, 0.6 * 2.0, 0.8 * step, z]])
}

fn check(exam: &Exam, shape: [usize; 4], what: &str) {
    let volume = &exam.volume;
    let longer = shape.into_iter().enumerate().filter(|(axis, n)| *axis == 0 || *n > 1).map(|(_, n)| n);
    assert_eq!(volume.shape, [COLUMNS, ROWS].into_iter().chain(longer).collect::<Vec<_>>(), "{what}");
    assert_eq!(real(volume), expected(shape), "{what}");
    assert_eq!(volume.format, Format::Dicom);
    let (own, made) = (volume.geometry.affine.unwrap(), affine(shape[0]));
    assert!((0..12).all(|n| (own.0[n / 4][n % 4] - made.0[n / 4][n % 4]).abs() < 1e-4), "{what}: {own}");
    assert_eq!(volume.geometry.spacing_mm, Some([1.5, 2.0]), "{what}");
    let axes = volume.stated.axes.as_ref().unwrap().unfold(&volume.shape).unwrap();
    assert_eq!(axes.len(), volume.shape.len(), "{what}");
}

#[test]
fn comments_order_a_series_in_every_transfer_syntax() {
    let shape = [2, 8, 3, 1];
    let mut files = commented(5, shape);
    files.reverse();
    for syntax in [IMPLICIT, EXPLICIT, BIG_ENDIAN, RLE, JPEG, JPEG_SV1] {
        let exam = Folder::stored(&files, syntax).read(&DicomOptions::default()).unwrap();
        check(&exam, shape, syntax);
        let stated = &exam.volume.stated;
        assert_eq!(stated.axes.as_ref().unwrap().to_string(), "x,y,slice,phase,direction");
        assert_eq!(stated.frequencies_hz, [50.0]);
        assert_eq!(stated.directions, ["az0 po90", "az90 po90", "az0 po0"]);
        assert!(exam.magnitude.is_none());
    }
    let named = Folder::of(&files).read(&options(Some(8), "x,y,z", None)).unwrap();
    assert_eq!(named.volume.stated.directions, ["x", "y", "z"]);
}

#[test]
fn several_frequencies_are_the_last_axis() {
    let shape = [1, 4, 3, 2];
    let exam = Folder::of(&commented(5, shape)).read(&DicomOptions::default()).unwrap();
    check(&exam, shape, "frequencies");
    let stated = &exam.volume.stated;
    assert_eq!(stated.frequencies_hz, [50.0, 1e6 / 16667.0]);
    assert_eq!(stated.axes.as_ref().unwrap().to_string(), "x,y,slice,phase,direction,frequency");
}

#[test]
fn comments_may_be_partial() {
    let shape = [2, 4, 3, 1];
    let with = |comment: &dyn Fn([usize; 4]) -> String| -> Vec<Made> {
        let files = silent(5, "P", shape).into_iter().zip(places(shape));
        files.map(|(file, at)| file.text(tags::IMAGE_COMMENTS, &comment(at))).collect()
    };
    // Angles without a number of their direction, in the order of the angles.
    let angles = with(&|at| format!("az{} po90 t{}", 45 * at[2], at[1] + 1));
    let exam = Folder::of(&angles).read(&DicomOptions::default()).unwrap();
    check(&exam, shape, "angles");
    assert_eq!(exam.volume.stated.directions, ["az0 po90", "az45 po90", "az90 po90"]);
    assert!(exam.volume.stated.frequencies_hz.is_empty());
    // Directions in the comments, phase offsets in elements.
    let directions: Vec<Made> = with(&|at| format!("d{}", at[2]))
        .into_iter()
        .zip(places(shape))
        .map(|(file, at)| file.numbers(tags::TEMPORAL_POSITION, &[at[1] as f64 + 1.0]))
        .collect();
    check(&Folder::of(&directions).read(&DicomOptions::default()).unwrap(), shape, "directions");
}

#[test]
fn frames_of_one_file_have_their_groups() {
    let shape = [2, 8, 3, 1];
    for syntax in [IMPLICIT, EXPLICIT, BIG_ENDIAN, RLE, JPEG] {
        let exam = Folder::stored(&[enhanced(7, shape, &["P"])], syntax).read(&DicomOptions::default());
        check(&exam.unwrap(), shape, syntax);
    }
    let both = Folder::of(&[enhanced(7, shape, &["M", "P"])]);
    let exam = both.read(&DicomOptions { period_us: Some(20000.0), ..DicomOptions::default() }).unwrap();
    check(&exam, shape, "both kinds in one file");
    assert_eq!(exam.volume.stated.frequencies_hz, [50.0]);
    assert_eq!(exam.magnitude.unwrap().shape, [COLUMNS, ROWS, 2]);
    let [summary] = &list(&both.path()).unwrap()[..] else { panic!("one series") };
    assert_eq!((summary.kind, summary.images, summary.phases), (Kind::Phase, 96, 48));
}

#[test]
fn mosaics_are_cut() {
    let shape = [3, 4, 3, 1];
    let files = mosaics(9, shape);
    check(&Folder::of(&files).read(&DicomOptions::default()).unwrap(), shape, "mosaic");
    // Without the private number of slices, the matrix gives the size of a tile, and each tile is a slice.
    let matrix = |file: &Made| {
        let file = file.clone().without(tags::MOSAIC_IMAGES);
        file.numbers(tags::ACQUISITION_MATRIX, &[5.0, 0.0, 0.0, 4.0])
    };
    let derived: Vec<Made> = files.iter().map(matrix).collect();
    let exam = Folder::of(&derived).read(&DicomOptions::default()).unwrap();
    assert_eq!(exam.volume.shape, [COLUMNS, ROWS, 4, 4, 3]);
    // The private header has the number of slices, and a normal that runs the other way.
    let header = csa(&[
        ("EchoLinePosition", &[12.0]),
        ("NumberOfImagesInMosaic", &[3.0]),
        ("SliceNormalVector", &NORMAL.map(|v| -v)),
    ]);
    let private =
        |file: &Made| file.clone().without(tags::MOSAIC_IMAGES).bytes(tags::CSA_IMAGE_HEADER, header.clone());
    let turned: Vec<Made> = files.iter().map(private).collect();
    let exam = Folder::of(&turned).read(&DicomOptions::default()).unwrap();
    assert_eq!(exam.volume.shape, [COLUMNS, ROWS, 3, 4, 3]);
    let slices: Vec<&[f64]> = real(&exam.volume).chunks(20).collect();
    let made = expected(shape);
    let made: Vec<&[f64]> = made.chunks(20).collect();
    assert_eq!([slices[0], slices[1], slices[2]], [made[2], made[1], made[0]]);
    let [x, y, z] = std::array::from_fn(|k| position(0)[k] - 2.0 * STEP_MM * NORMAL[k]);
    let first = exam.volume.geometry.affine.unwrap().at([0.0; 3]);
    assert!((0..3).all(|k| (first[k] - [-x, -y, z][k]).abs() < 1e-4), "{first:?}");
}

#[test]
fn fragments_of_a_frame_are_told_by_the_offsets() {
    let whole = enhanced(5, [1, 3, 1, 1], &["P"]);
    // The last fragment of the pixels is cut in two, with a table of offsets of the frames.
    let bytes = whole.file(RLE);
    let at = bytes.windows(8).rposition(|w| w == [0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0]).unwrap();
    let mut parts = Vec::new();
    let mut rest = &bytes[at + 8..];
    while rest[..4] == [0xfe, 0xff, 0, 0xe0] {
        let length = u32::from_le_bytes(*rest[4..].first_chunk().unwrap()) as usize;
        parts.push(&rest[8..8 + length]);
        rest = &rest[8 + length..];
    }
    assert_eq!(parts.len(), 3);
    let (a, b) = parts[2].split_at(70);
    let item = |part: &[u8]| [&[0xfe, 0xff, 0, 0xe0][..], &(part.len() as u32).to_le_bytes(), part].concat();
    let starts =
        [0, parts[0].len() + 8, parts[0].len() + parts[1].len() + 16].map(|n| (n as u32).to_le_bytes());
    let mut cut = bytes[..at].to_vec();
    for part in [&starts.concat()[..], parts[0], parts[1], a, b] {
        cut.extend(item(part));
    }
    cut.extend(rest);
    let folder = Folder::of(&[]);
    folder.put("a.dcm", &cut);
    check(&folder.read(&DicomOptions::default()).unwrap(), [1, 3, 1, 1], "offsets");
}

#[test]
fn samples_are_signed_and_have_bits_below() {
    let signed = single(5, "P", 1, [0; 4])
        .numbers(tags::PIXEL_REPRESENTATION, &[1.0])
        .numbers(tags::HIGH_BIT, &[14.0])
        .frames(vec![(0..20).map(|n| (n * 205) << 3 | 0x8005).collect()]);
    let exam = Folder::of(&[signed]).read(&DicomOptions::default()).unwrap();
    for (n, v) in real(&exam.volume).iter().enumerate() {
        let own = n as f64 * 205.0;
        let own = if own >= 2048.0 { own - 4096.0 } else { own };
        assert_eq!(*v, own * 2.0 - 4096.0);
    }
}

#[test]
fn times_order_the_phase_offsets() {
    let shape = [2, 8, 1, 1];
    let at = |n: usize| places(shape)[n];
    let timed = |f: &dyn Fn(Made, usize) -> Made| -> Vec<Made> {
        silent(3, "P", shape).into_iter().enumerate().map(|(n, file)| f(file, at(n)[1])).collect()
    };
    let indexed =
        timed(&|file, phase| file.numbers(tags::TEMPORAL_POSITION, &[phase as f64 + 1.0])).into_iter().rev();
    let exam = Folder::of(&indexed.collect::<Vec<_>>()).read(&DicomOptions::default()).unwrap();
    check(&exam, shape, "temporal positions");
    let triggered = timed(&|file, phase| file.numbers(tags::TRIGGER_TIME, &[2.5 * phase as f64 + 0.1]));
    let exam = Folder::of(&triggered).read(&DicomOptions::default()).unwrap();
    check(&exam, shape, "trigger times");
    assert!(exam.notes.iter().any(|note| note.contains("trigger times")));
    // Temporal positions that count through the directions.
    let shape = [2, 4, 3, 1];
    let counted: Vec<Made> = silent(3, "P", shape)
        .into_iter()
        .zip(places(shape))
        .map(|(file, at)| file.numbers(tags::TEMPORAL_POSITION, &[(at[1] + 4 * at[2]) as f64]))
        .collect();
    let exam = Folder::of(&counted).read(&options(Some(4), "x,y,z", None)).unwrap();
    check(&exam, shape, "temporal positions of all directions");
}

#[test]
fn instance_numbers_order_what_is_stated() {
    let shape = [2, 8, 3, 1];
    let folder = Folder::of(&silent(3, "P", shape));
    let error = folder.read(&DicomOptions::default()).unwrap_err();
    assert!(matches!(error, Error::UnknownOrder { .. }));
    let what = error.to_string();
    assert!(what.contains("48 images of 2 slices") && what.contains("state the number"), "{what}");
    for options in [options(Some(8), "x,y,z", None), options(None, "x,y,z", None), options(Some(8), "", None)]
    {
        let exam = folder.read(&options).unwrap();
        check(&exam, shape, "stated");
        assert!(exam.notes[0].contains("3 directions of 8 phase offsets"), "{:?}", exam.notes);
    }
    // With known phase offsets, the directions alone are unknown.
    let known: Vec<Made> = silent(3, "P", shape)
        .into_iter()
        .zip(places(shape))
        .map(|(file, at)| file.numbers(tags::TEMPORAL_POSITION, &[at[1] as f64]))
        .collect();
    let known = Folder::of(&known);
    assert!(known.fault(&DicomOptions::default()).contains("which direction"));
    check(&known.read(&options(None, "x,y,z", None)).unwrap(), shape, "directions");
}

#[test]
fn a_magnitude_is_found_and_averaged() {
    let shape = [2, 4, 1, 1];
    let mut files = commented(6, shape);
    files.extend(silent(5, "M", shape));
    // A survey lies elsewhere.
    files.push(single(1, "M", 1, [0; 4]).numbers(tags::IMAGE_POSITION, &[0.0, 0.0, 0.0]));
    let folder = Folder::of(&files);
    let exam = folder.read(&DicomOptions::default()).unwrap();
    check(&exam, shape, "phase");
    let magnitude = exam.magnitude.unwrap();
    assert_eq!(magnitude.geometry.affine, exam.volume.geometry.affine);
    let all = expected(shape);
    for (n, v) in real(&magnitude).iter().enumerate() {
        let mean = (0..4).map(|phase| all[phase * 40 + n]).sum::<f64>() / 4.0;
        assert!((v - mean).abs() < 1e-9, "{n}");
    }
    assert!(exam.notes.iter().any(|note| note.contains("magnitude is that of series 5")), "{:?}", exam.notes);
    // GE's scanners state the kind in an element of their own.
    let private = |file: Made, kind: f64| {
        file.text(tags::MANUFACTURER, "GE MEDICAL SYSTEMS").numbers(tags::GE_IMAGE_KIND, &[kind])
    };
    let phases = commented(6, shape).into_iter().map(|file| private(file.without(tags::IMAGE_TYPE), 1.0));
    let magnitudes = silent(6, "X", shape).into_iter().map(|file| private(file, 0.0));
    let exam = Folder::of(&phases.chain(magnitudes).collect::<Vec<_>>()).read(&DicomOptions::default());
    assert!(exam.unwrap().magnitude.is_some());
    // Both kinds in one series.
    let mixed: Vec<Made> = files[..8].iter().cloned().chain(silent(6, "M", shape)).collect();
    let exam = Folder::of(&mixed).read(&DicomOptions::default()).unwrap();
    check(&exam, shape, "mixed");
    assert!(exam.magnitude.is_some());
}

#[test]
fn series_are_listed_and_chosen() {
    let shape = [2, 4, 1, 1];
    let mut files = commented(8, shape);
    files.extend(commented(12, [2, 3, 1, 1]));
    files.extend(silent(5, "M", [2, 1, 1, 1]));
    let folder = Folder::of(&files);
    folder.put("notes.txt", b"no DICOM");
    std::fs::create_dir(folder.path().join("more")).unwrap();
    folder.put("more/IM0001", &single(20, "X", 1, [0; 4]).file(EXPLICIT));
    let series = list(&folder.path()).unwrap();
    let told: Vec<_> = series.iter().map(|s| (s.number, s.files, s.images, s.kind)).collect();
    assert_eq!(
        told,
        [
            (5, 2, 2, Kind::Magnitude),
            (8, 8, 8, Kind::Phase),
            (12, 6, 6, Kind::Phase),
            (20, 1, 1, Kind::Other)
        ]
    );
    assert_eq!(series[1].to_string(), "8: 'mre liver', 8 images of 5 × 4, phase");
    let what = folder.fault(&DicomOptions::default());
    assert!(
        what.contains("\n  8: 'mre liver'") && what.contains("\n  12: ") && !what.contains("20: "),
        "{what}"
    );
    check(&folder.read(&options(None, "", Some(8))).unwrap(), shape, "8");
    check(&folder.read(&options(None, "", Some(12))).unwrap(), [2, 3, 1, 1], "12");
    assert!(folder.fault(&options(None, "", Some(7))).contains("no series 7"));
    assert!(is_folder_of_dicom(&folder.path()));
    let other = tempfile::tempdir().unwrap();
    assert!(!is_folder_of_dicom(other.path()) && !is_folder_of_dicom(&other.path().join("none")));
    std::fs::create_dir(other.path().join("a")).unwrap();
    std::fs::write(other.path().join("a/x.IMA"), files[0].file(EXPLICIT)).unwrap();
    assert!(is_folder_of_dicom(other.path()));
}
