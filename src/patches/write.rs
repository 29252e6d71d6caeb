//! Writing of patches to a file, one after the other.

use crate::error::{Error, Result};
use crate::io::atomic;
use crate::size::Size;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Maximum number of pixels of a patch. With it, a file of 2³² patches stays within a 64-bit size.
const LARGEST: usize = 1 << 26;

/// Writes the file of a split, patch by patch. The number of patches need not be known before.
///
/// [`finish`](Self::finish) puts the file in place. If the writer is dropped before, nothing is left and an
/// existing file stays.
///
/// The inputs are written directly, after space for the largest possible header. Truths and masks come after
/// the last input in the file, so they are collected in unnamed temporary files.
#[derive(Debug)]
pub struct PatchWriter {
    path: PathBuf,
    size: Size,
    metadata: BTreeMap<String, String>,
    count: u32,
    file: BufWriter<NamedTempFile>,
    truth: BufWriter<File>,
    mask: Option<BufWriter<File>>,
}

impl PatchWriter {
    /// Starts the file `path` for patches of `size`. `masked` selects a file with weights.
    ///
    /// # Errors
    /// - [`Error::File`] if the folder of `path` cannot be written.
    /// - [`Error::Usage`] if a patch would have no pixels, or more than 2²⁶.
    pub fn create(
        path: impl AsRef<Path>,
        size: Size,
        masked: bool,
        metadata: BTreeMap<String, String>,
    ) -> Result<Self> {
        let path = path.as_ref();
        if !size.nx.checked_mul(size.ny).is_some_and(|pixels| (1..=LARGEST).contains(&pixels)) {
            return Err(Error::Usage(format!(
                "patches cannot have {size} pixels; give at least 1 and at most 2^26"
            )));
        }
        let aside = || tempfile::tempfile_in(crate::store::folder(path)).map(BufWriter::new);
        let fail = |e| unwritable(path, e);
        let mut writer = Self {
            path: path.into(),
            size,
            metadata,
            count: 0,
            file: BufWriter::new(atomic::beside(path)?),
            truth: aside().map_err(fail)?,
            mask: masked.then(aside).transpose().map_err(fail)?,
        };
        let room = padded(writer.header(u32::MAX), 0);
        writer.file.write_all(&room).map_err(fail)?;
        Ok(writer)
    }

    /// Adds a patch: `input` `[2, h, w]`, `truth` `[1, h, w]` in kPa, and weights `[1, h, w]` if and only if
    /// the file was started with weights.
    ///
    /// # Errors
    /// - [`Error::Data`] if a value is not finite, a weight is negative, or the file already has 2³² − 1
    ///   patches.
    /// - [`Error::Usage`] if a slice has the wrong length, or if weights are missing or not expected.
    /// - [`Error::File`] if the patch cannot be written. No patch can be added after this error.
    pub fn push(&mut self, input: &[f32], truth: &[f32], mask: Option<&[f32]>) -> Result<()> {
        let count = self.count;
        let pixels = self.size.pixels();
        if mask.is_some() != self.mask.is_some() {
            let [given, begun] = if mask.is_some() { ["has", "without"] } else { ["lacks", "with"] };
            return Err(Error::Usage(format!("patch {count} {given} a mask in a file begun {begun}")));
        }
        let parts =
            [("input", input, 2 * pixels), ("truth", truth, pixels), ("mask", mask.unwrap_or(&[]), pixels)];
        for (name, samples, needed) in parts.into_iter().take(if mask.is_some() { 3 } else { 2 }) {
            if samples.len() != needed {
                let found = samples.len();
                return Err(Error::Usage(format!(
                    "patch {count}: `{name}` has {found} samples, where {needed} are needed"
                )));
            }
            if let Some(bad) = samples.iter().find(|v| !v.is_finite() || (name == "mask" && **v < 0.0)) {
                return Err(Error::Data(format!("patch {count}: `{name}` holds the value {bad}")));
            }
        }
        if count == u32::MAX {
            return Err(Error::Data("the file is full; write further patches to another file".into()));
        }
        write_samples(&mut self.file, input)
            .and_then(|()| write_samples(&mut self.truth, truth))
            .and_then(|()| self.mask.as_mut().zip(mask).map_or(Ok(()), |(to, mask)| write_samples(to, mask)))
            .map_err(|e| unwritable(&self.path, e))?;
        self.count += 1;
        Ok(())
    }

    /// Number of patches written so far.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Reports whether no patch has been written.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Completes the file, replaces an existing one and returns the number of patches.
    ///
    /// # Errors
    /// [`Error::Data`] if there are no patches; [`Error::File`] if the file cannot be written.
    pub fn finish(self) -> Result<u32> {
        if self.count == 0 {
            return Err(Error::Data(format!("{} would hold no patches", self.path.display())));
        }
        let header = padded(self.header(self.count), self.header(u32::MAX).len());
        let Self { path, file, truth, mask, count, .. } = self;
        let file = complete(file, &header, truth, mask).map_err(|e| unwritable(&path, e))?;
        atomic::put(file, &path)?;
        Ok(count)
    }

    /// Returns the header for `count` patches.
    fn header(&self, count: u32) -> String {
        let [width, height] = self.size.axes().map(|n| n as u64);
        let mut end = 0;
        let mut tensor = |channels: u64| {
            let shape = [u64::from(count), channels, height, width];
            let first = end;
            end += shape.iter().product::<u64>() * size_of::<f32>() as u64;
            json!({"dtype": "F32", "shape": shape, "data_offsets": [first, end]})
        };
        let mut all = json!({"__metadata__": self.metadata, "input": tensor(2), "truth": tensor(1)});
        if self.mask.is_some() {
            all["mask"] = tensor(1);
        }
        all.to_string()
    }
}

/// Returns the start of a file: the length of the header, the header, and spaces up to at least `room` bytes.
/// The length is a multiple of eight, so that the samples are aligned.
fn padded(header: String, room: usize) -> Vec<u8> {
    let room = room.max(header.len()).next_multiple_of(8);
    let mut bytes = (room as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bytes.resize(size_of::<u64>() + room, b' ');
    bytes
}

/// Appends truths and masks after the inputs, and writes the header at the start.
fn complete(
    mut file: BufWriter<NamedTempFile>,
    header: &[u8],
    truth: BufWriter<File>,
    mask: Option<BufWriter<File>>,
) -> io::Result<NamedTempFile> {
    for mut part in std::iter::once(truth).chain(mask) {
        part.rewind()?; // also flushes the buffer
        io::copy(part.get_mut(), &mut file)?;
    }
    file.rewind()?;
    file.write_all(header)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)
}

fn write_samples(to: &mut impl Write, samples: &[f32]) -> io::Result<()> {
    samples.iter().try_for_each(|v| to.write_all(&v.to_le_bytes()))
}

fn unwritable(path: &Path, e: io::Error) -> Error {
    Error::file(path, format!("cannot be written: {e}"))
}

#[cfg(test)]
mod tests {
    use super::super::{Patches, Split};
    use super::*;

    fn metadata() -> BTreeMap<String, String> {
        [("set".into(), "cylinders \"A\", 60 Hz".into())].into()
    }

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        for (n, masked) in [(1, false), (1, true), (37, true), (37, false)] {
            let dir = tempfile::tempdir().unwrap();
            let path = Split::Train.path(dir.path());
            let mut random = fastrand::Rng::with_seed(n.into());
            let mut draw = |n: usize| (0..n).map(|_| random.f32()).collect::<Vec<_>>();
            let patches: Vec<_> = (0..n).map(|_| [draw(70), draw(35), draw(35)]).collect();
            let mut writer = PatchWriter::create(&path, Size::new(7, 5), masked, metadata()).unwrap();
            for [input, truth, mask] in &patches {
                writer.push(input, truth, masked.then_some(mask)).unwrap();
            }
            assert_eq!(writer.finish().unwrap(), n);
            assert_eq!(names(dir.path()), ["train.safetensors"]);

            let file = Patches::open(&path).unwrap();
            assert_eq!((file.len(), file.size(), file.has_mask()), (n, Size::new(7, 5), masked));
            assert_eq!(file.metadata(), &metadata());
            let mut found = [vec![0.0; 70], vec![0.0; 35], vec![0.0; 35]];
            for (i, written) in patches.iter().enumerate() {
                let [input, truth, mask] = &mut found;
                file.gather(&[i as u32], input, truth, mask).unwrap();
                assert_eq!(found[..2], written[..2]);
                assert_eq!(found[2], if masked { written[2].clone() } else { vec![1.0; 35] });
            }
            // The samples must be aligned, so that they can be cast.
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % 8, 0);
            assert_eq!(bytes.len() % 4, 0);
        }
    }

    #[test]
    fn nothing_is_left_of_an_unfinished_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("train.safetensors");
        let begin = || PatchWriter::create(&path, Size::square(1), false, metadata()).unwrap();
        let mut writer = begin();
        writer.push(&[0.0; 2], &[0.0], None).unwrap();
        drop(writer);
        assert!(begin().finish().unwrap_err().to_string().contains("would hold no patches"));
        assert!(names(dir.path()).is_empty());

        std::fs::write(&path, "old").unwrap();
        let mut writer = begin();
        writer.push(&[0.0; 2], &[0.0], None).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        writer.finish().unwrap();
        assert_eq!(Patches::open(&path).unwrap().len(), 1);
    }

    #[test]
    fn a_file_may_be_replaced_while_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("train.safetensors");
        let write = |value: f32| {
            let mut writer = PatchWriter::create(&path, Size::square(1), false, metadata()).unwrap();
            writer.push(&[value; 2], &[value], None).unwrap();
            writer.finish().map(|_| Patches::open(&path).unwrap())
        };
        for (value, file) in [1.0, 2.0].map(|value| (value, write(value).unwrap())) {
            let [mut input, mut truth, mut mask] = [[0.0; 2]; 3];
            file.gather(&[0], &mut input, &mut truth[..1], &mut mask[..1]).unwrap();
            assert_eq!(input, [value; 2]);
        }
    }

    #[test]
    fn wrong_patches_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.safetensors");
        for [nx, ny] in [[0, 3], [3, 0], [1 << 20, 1 << 20], [usize::MAX, 2]] {
            let e = PatchWriter::create(&path, Size::new(nx, ny), false, metadata()).unwrap_err();
            assert!(matches!(e, Error::Usage(_)), "{e}");
        }
        let e =
            PatchWriter::create(dir.path().join("absent/x"), Size::square(1), false, metadata()).unwrap_err();
        assert!(matches!(e, Error::File { .. }), "{e}");
        let begin = |masked| PatchWriter::create(&path, Size::new(2, 1), masked, metadata()).unwrap();
        let (input, truth, mask) = ([1.0; 4], [2.0; 2], [3.0; 2]);
        let mut plain = begin(false);
        let mut masked = begin(true);
        plain.push(&input, &truth, None).unwrap();
        for (e, says) in [
            (plain.push(&input[..3], &truth, None), "patch 1: `input` has 3 samples, where 4"),
            (plain.push(&input, &[], None), "`truth` has 0 samples, where 2"),
            (plain.push(&input, &truth, Some(&mask)), "patch 1 has a mask in a file begun without"),
            (masked.push(&input, &truth, None), "patch 0 lacks a mask in a file begun with"),
            (masked.push(&input, &truth, Some(&mask[1..])), "`mask` has 1 samples"),
            (masked.push(&input, &[1.0, f32::NAN], Some(&mask)), "`truth` holds the value NaN"),
            (masked.push(&input, &truth, Some(&[0.0, -0.5])), "`mask` holds the value -0.5"),
        ] {
            let e = e.unwrap_err().to_string();
            assert!(e.contains(says), "{e}\nshould say {says}");
        }
        plain.push(&input, &truth, None).unwrap();
        assert_eq!(plain.finish().unwrap(), 2);
    }
}
