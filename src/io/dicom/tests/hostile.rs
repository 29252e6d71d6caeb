//! Damaged files are refused or read, and never panic.

use super::fixtures::*;
use super::*;
use crate::io::dicom::parse::parse;
use crate::io::dicom::tags;
use std::io::Cursor;

/// Numbers of a fixed seed, so that failures are repeatable.
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    move || random.u64(..)
}

#[test]
fn ten_thousand_damaged_files_never_panic() {
    let shape = [1, 3, 1, 1];
    let good: Vec<Vec<u8>> = vec![
        commented(5, shape)[1].file(EXPLICIT),
        commented(5, shape)[1].file(IMPLICIT),
        commented(5, shape)[1].file(BIG_ENDIAN),
        commented(5, shape)[1].file(RLE),
        commented(5, shape)[1].file(JPEG),
        commented(5, shape)[1].file(JPEG_SV1),
        enhanced(5, [2, 2, 1, 1], &["P", "M"]).file(EXPLICIT),
        enhanced(5, [2, 2, 1, 1], &["P", "M"]).file(RLE),
        mosaics(5, [3, 1, 1, 1])[0].file(EXPLICIT),
        mosaics(5, [3, 1, 1, 1])[0].file(IMPLICIT),
    ];
    let folder = Folder::of(&[]);
    let mut read = [0; 2];
    for seed in 0..10_000 {
        let mut next = random(seed + 1);
        let mut bytes = good[seed as usize % good.len()].clone();
        for _ in 0..1 + next() % 6 {
            let at = 128 + next() as usize % (bytes.len() - 128);
            bytes[at] = match next() % 3 {
                0 => next() as u8,
                1 => 0xff,
                _ => bytes[at] ^ (1 << (next() % 8)),
            };
        }
        if next() % 4 < 1 {
            bytes.truncate(132 + next() as usize % (bytes.len() - 132));
        }
        folder.put("a.dcm", &bytes);
        match folder.read(&DicomOptions::default()) {
            Ok(exam) => {
                read[0] += 1;
                assert_eq!(real(&exam.volume).len(), exam.volume.shape.iter().product::<usize>(), "{seed}");
            }
            Err(error) => {
                read[1] += 1;
                let what = error.to_string();
                assert!(!shows_the_patient(&what), "{seed}: {what}");
            }
        }
    }
    assert!(read.iter().all(|n| *n > 1000), "{read:?}");
}

#[test]
fn files_cut_short_anywhere_are_refused() {
    for syntax in [IMPLICIT, EXPLICIT, RLE, JPEG] {
        let good = commented(5, [1; 4])[0].file(syntax);
        let folder = Folder::of(&[]);
        folder.put("a.dcm", &good);
        assert!(folder.read(&DicomOptions::default()).is_ok());
        for length in 133..good.len() {
            folder.put("a.dcm", &good[..length]);
            folder.fault(&DicomOptions::default());
        }
    }
}

#[test]
fn nested_sequences_and_false_lengths_are_refused() {
    let meta = Made::default().file(EXPLICIT);
    let what = |tail: &[u8]| {
        let bytes = [&meta[..], tail].concat();
        let length = bytes.len() as u64;
        parse(Cursor::new(bytes), length).err().unwrap()
    };
    // A sequence in an item of a sequence, a million times.
    let level =
        [0x08, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 255, 255, 255, 255, 0xfe, 255, 0, 0xe0, 255, 255, 255, 255];
    assert!(what(&level.repeat(1_000_000)).contains("nests more than"));
    // A text of almost 4 GiB.
    assert!(what(&[0x08, 0, 0x08, 0, b'U', b'T', 0, 0, 0xf0, 255, 255, 255]).contains("truncated"));
    // A value without end that is not a sequence.
    assert!(what(&[0x28, 0, 0x10, 0, b'U', b'N', 0, 0, 255, 255, 255, 255]).contains("truncated"));
    let huge = single(5, "P", 1, [0; 4]).numbers(tags::ROWS, &[65535.0]).numbers(tags::COLUMNS, &[65535.0]);
    let what = Folder::of(&[huge]).fault(&DicomOptions::default());
    assert!(what.contains("at most"), "{what}");
    let many = enhanced(5, [1, 3, 1, 1], &["P"]).numbers(tags::FRAMES, &[1e9]);
    assert!(
        Folder::of(&[many])
            .fault(&DicomOptions::default())
            .contains("claims 1000000000 frames, but says of 3")
    );
}
