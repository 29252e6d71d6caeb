//! The pixels of a frame: numbers as they are, run lengths, or lossless JPEG.

use super::parse::{Header, Stored};
use super::syntax::Coding;
use super::{jpeg, rle, tags};
use crate::io::volume::{MAX_SAMPLES, Number};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// How the pixels of a file are stored.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    coding: Coding,
    number: Number,
    big_endian: bool,
    /// Bits below the lowest one of a sample, and bits of a sample. None for floats.
    bits: Option<(u32, u32)>,
    signed: bool,
    /// First byte and length of each part of each frame.
    frames: Vec<Vec<(u64, u64)>>,
    pixels: usize,
}

impl Layout {
    /// The layout of a file with these frames.
    ///
    /// # Errors
    /// A clause, if palpate cannot read these pixels, or if there are fewer than the header claims.
    pub fn of(
        header: &Header,
        stored: &Stored,
        [columns, rows]: [usize; 2],
        count: usize,
    ) -> Result<Self, String> {
        let coding = header.syntax.coding.clone()?;
        let of = |tag| header.data.number(tag);
        if of(tags::SAMPLES_PER_PIXEL).unwrap_or(1.0) != 1.0 {
            return Err("holds colours, not a wave image".into());
        }
        let allocated = of(tags::BITS_ALLOCATED).ok_or("does not state its bits per sample")?;
        let number = match (allocated as u32, stored) {
            (32, Stored::Native { tag, .. }) if *tag == tags::FLOAT_PIXELS.number => Number::F32,
            (64, Stored::Native { tag, .. }) if *tag == tags::DOUBLE_PIXELS.number => Number::F64,
            (8, _) => Number::U8,
            (16, _) => Number::U16,
            (32, _) => Number::U32,
            (other, _) => return Err(format!("has {other} bits per sample; palpate reads 8, 16 and 32")),
        };
        let bits = if matches!(number, Number::F32 | Number::F64) {
            None
        } else {
            let bits = of(tags::BITS_STORED).unwrap_or(allocated) as u32;
            let high = of(tags::HIGH_BIT).map_or(bits.saturating_sub(1), |v| v as u32);
            if bits == 0 || high >= allocated as u32 || high + 1 < bits {
                return Err(format!("has a corrupt header: {bits} bits up to bit {high} of {allocated}"));
            }
            Some((high + 1 - bits, bits))
        };
        let pixels = columns * rows;
        let total = pixels.checked_mul(count).filter(|n| *n <= MAX_SAMPLES);
        let total = total.ok_or_else(|| {
            format!("claims {columns} × {rows} × {count} samples; palpate reads at most {MAX_SAMPLES}")
        })?;
        let frames = match (coding, stored) {
            (Coding::Native, Stored::Native { at, length, .. }) => {
                let frame = (pixels * number.size()) as u64;
                let needed = (total * number.size()) as u64;
                if *length < needed {
                    return Err(format!(
                        "is truncated: {columns} × {rows} × {count} samples need {needed} bytes, but it has {length}"
                    ));
                }
                (0..count as u64).map(|n| vec![(at + n * frame, frame)]).collect()
            }
            (Coding::Native, _) => {
                return Err("is corrupt: its pixels are compressed, which it denies".into());
            }
            (_, Stored::Native { .. }) => return Err("is corrupt: its pixels are not compressed".into()),
            (_, Stored::Fragments { offsets, base, parts }) => split(offsets, *base, parts, count)?,
        };
        // No coding makes more of a byte than this.
        let most = |parts: &[(u64, u64)]| parts.iter().map(|part| part.1).sum::<u64>().saturating_mul(64);
        if coding != Coding::Native && frames.iter().any(|parts| most(parts) < pixels as u64) {
            return Err(
                "is truncated: its compressed pixels are too few bytes for its rows and columns".into()
            );
        }
        let signed = of(tags::PIXEL_REPRESENTATION) == Some(1.0);
        Ok(Self { coding, number, big_endian: header.syntax.big_endian, bits, signed, frames, pixels })
    }

    /// The samples of a frame as they are stored.
    ///
    /// # Errors
    /// A clause that says what is wrong with the file.
    pub fn read(
        &self,
        file: &mut File,
        frame: usize,
        [columns, rows]: [usize; 2],
    ) -> Result<Vec<f64>, String> {
        let parts = self.frames.get(frame).ok_or("has fewer frames than it claims")?;
        let mut bytes = Vec::new();
        for &(at, length) in parts {
            let unreadable = |e: std::io::Error| format!("cannot be read: {}", e.kind());
            file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
            let taken = file.take(length).read_to_end(&mut bytes).map_err(unreadable)?;
            if taken as u64 != length {
                return Err("is truncated: its pixels end early".into());
            }
        }
        let (bytes, big_endian) = match self.coding {
            Coding::Native => (bytes, self.big_endian),
            Coding::Rle => (rle::decode(&bytes, self.pixels, self.number.size())?, false),
            Coding::LosslessJpeg => {
                let samples = jpeg::decode(&bytes, columns, rows)?;
                let bytes = match self.number.size() {
                    1 => samples.iter().map(|v| *v as u8).collect(),
                    2 => samples.iter().flat_map(|v| v.to_le_bytes()).collect(),
                    _ => return Err("has 32 bits per sample in a JPEG image of at most 16".into()),
                };
                (bytes, false)
            }
        };
        let mut samples = self.number.decode(&bytes, big_endian);
        if let Some((below, bits)) = self.bits {
            let (mask, sign) = (u64::MAX >> (64 - bits), 1u64 << (bits - 1));
            for v in &mut samples {
                let own = (*v as u64) >> below & mask;
                *v = own as f64 - if self.signed && own & sign > 0 { (mask + 1) as f64 } else { 0.0 };
            }
        }
        Ok(samples)
    }
}

/// The parts of each frame among the fragments.
fn split(
    offsets: &[u32],
    base: u64,
    parts: &[(u64, u64)],
    count: usize,
) -> Result<Vec<Vec<(u64, u64)>>, String> {
    if count == 1 {
        return Ok(vec![parts.to_vec()]);
    }
    if parts.len() == count {
        return Ok(parts.iter().map(|part| vec![*part]).collect());
    }
    let corrupt =
        || format!("is corrupt: its {} fragments cannot be told apart as {count} frames", parts.len());
    if offsets.len() != count || !offsets.is_sorted() {
        return Err(corrupt());
    }
    let mut frames = vec![Vec::new(); count];
    for &(at, length) in parts {
        // A fragment has a head of eight bytes.
        let offset = at - 8 - base;
        let frame = offsets.partition_point(|start| u64::from(*start) <= offset);
        frames[frame.checked_sub(1).ok_or_else(corrupt)?].push((at, length));
    }
    if frames.iter().any(Vec::is_empty) { Err(corrupt()) } else { Ok(frames) }
}
