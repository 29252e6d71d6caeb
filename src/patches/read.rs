//! Reading of patches from a file.

use super::map::Map;
use crate::error::{Error, Result};
use crate::size::Size;
use safetensors::tensor::{Metadata, SafeTensorError};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The memory-mapped patches of one split.
///
/// ```
/// # use palpate::{Size, lowlevel::patches::{PatchWriter, Patches, Split}};
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = Split::Train.path(dir.path());
/// # let mut writer = PatchWriter::create(&path, Size::new(4, 3), false, Default::default())?;
/// # (0..5).try_for_each(|i| writer.push(&[i as f32; 24], &[2.5; 12], None))?;
/// # writer.finish()?;
/// let patches = Patches::open(&path)?;
/// let pixels = 2 * patches.size().pixels(); // of the two patches to be read
/// let (mut input, mut truth, mut mask) = (vec![0.0; 2 * pixels], vec![0.0; pixels], vec![0.0; pixels]);
/// patches.gather(&[4, 0], &mut input, &mut truth, &mut mask)?;
/// # assert_eq!((input[0], truth[0], mask[0]), (4.0, 2.5, 1.0));
/// # Ok::<(), palpate::Error>(())
/// ```
#[derive(Debug)]
pub struct Patches {
    path: PathBuf,
    map: Map,
    len: u32,
    size: Size,
    input: Samples,
    truth: Samples,
    mask: Option<Samples>,
    metadata: BTreeMap<String, String>,
}

/// Position and type of a tensor's samples.
#[derive(Debug, Clone, Copy)]
struct Samples {
    name: &'static str,
    /// Offset of the first sample in the file, in bytes.
    first: usize,
    /// U8 or F32.
    dtype: Dtype,
    /// Number of samples per patch.
    each: usize,
}

impl Patches {
    /// Opens a file. `docs/training.md` describes its format.
    ///
    /// # Errors
    /// [`Error::File`] if the file is missing, empty, unreadable, truncated or not a safetensors file. The same
    /// error is returned if a tensor is missing or has the wrong type or shape, or if there are no patches.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let map = Map::open(path)?;
        let header = SafeTensors::read_metadata(map.bytes()).map_err(broken).and_then(|(length, header)| {
            let shape = dimensions(&header)?;
            let find = |name, dtypes| samples(&header, name, dtypes, shape, length + size_of::<u64>());
            let input = find("input", &[Dtype::F32])?;
            let truth = find("truth", &[Dtype::F32])?;
            let mask = header.info("mask").map(|_| find("mask", &[Dtype::U8, Dtype::F32])).transpose()?;
            let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
            Ok((shape, input, truth, mask, metadata))
        });
        let ((len, size), input, truth, mask, metadata) = header.map_err(|e| Error::file(path, e))?;
        let len =
            u32::try_from(len).map_err(|_| Error::file(path, format!("holds too many patches: {len}")))?;
        Ok(Self { path: path.into(), map, len, size, input, truth, mask, metadata })
    }

    /// Number of patches, 1 or more.
    #[expect(clippy::len_without_is_empty, reason = "there is always a patch")]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// The size of a patch.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Reports whether the file has weights. Without them, [`gather`](Self::gather) gives ones.
    pub fn has_mask(&self) -> bool {
        self.mask.is_some()
    }

    /// The file's metadata.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Copies the patches `indices`, in this order, into `input` (`[n, 2, h, w]`), `truth` and `mask` (`[n, 1,
    /// h, w]`).
    ///
    /// # Errors
    /// - [`Error::File`] if a value is not finite or a weight is negative; the message names the patch.
    /// - [`Error::Usage`] if a slice has the wrong length or a patch does not exist.
    pub fn gather(
        &self,
        indices: &[u32],
        input: &mut [f32],
        truth: &mut [f32],
        mask: &mut [f32],
    ) -> Result<()> {
        self.copy(self.input, indices, input)?;
        self.copy(self.truth, indices, truth)?;
        match self.mask {
            Some(weights) => self.copy(weights, indices, mask),
            None => {
                check_len("mask", mask.len(), indices.len() * self.truth.each)?;
                mask.fill(1.0);
                Ok(())
            }
        }
    }

    fn copy(&self, from: Samples, indices: &[u32], to: &mut [f32]) -> Result<()> {
        let Samples { name, first, dtype, each } = from;
        check_len(name, to.len(), indices.len() * each)?;
        for (&patch, to) in indices.iter().zip(to.chunks_exact_mut(each)) {
            if patch >= self.len {
                return Err(Error::Usage(format!(
                    "there is no patch {patch} in {}, which holds {} patches",
                    self.path.display(),
                    self.len
                )));
            }
            // Samples in files of other programs may be unaligned, so they are converted byte by byte.
            let bytes = &self.map.bytes()[first + patch as usize * each * width(dtype)..];
            if dtype == Dtype::F32 {
                for (to, from) in to.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *to = f32::from_le_bytes(*from);
                }
            } else {
                for (to, from) in to.iter_mut().zip(bytes) {
                    *to = f32::from(*from);
                }
            }
            let good = |v: f32| v.is_finite() && (name != "mask" || v >= 0.0);
            if let Some(at) = to.iter().position(|&v| !good(v)) {
                let Size { nx, ny } = self.size;
                let [channel, row, column] = [at / (nx * ny), at / nx % ny, at % nx];
                return Err(Error::file(
                    &self.path,
                    format!(
                        "patch {patch}: `{name}` is {} in channel {channel}, row {row}, column {column}",
                        to[at]
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn width(dtype: Dtype) -> usize {
    if dtype == Dtype::U8 { 1 } else { 4 }
}

fn check_len(name: &str, found: usize, needed: usize) -> Result<()> {
    if found == needed {
        return Ok(());
    }
    Err(Error::Usage(format!("`{name}` has room for {found} samples, but {needed} are needed")))
}

fn broken(e: SafeTensorError) -> String {
    match e {
        SafeTensorError::MetadataIncompleteBuffer => {
            "is not as long as its header says; it may be truncated, so copy it again".into()
        }
        e => format!("is no safetensors file, or only the start of one ({e})"),
    }
}

/// Returns the number of patches and their size.
fn dimensions(header: &Metadata) -> Result<(usize, Size), String> {
    let input = header.info("input").ok_or_else(|| lacks(header, "input"))?;
    let &[n, 2, height, width] = input.shape.as_slice() else {
        return Err(format!("`input` has the shape {:?}, not [N, 2, height, width]", input.shape));
    };
    if n == 0 {
        return Err("holds no patches".into());
    }
    if height == 0 || width == 0 {
        return Err(format!("holds patches of {height} x {width} pixels"));
    }
    Ok((n, Size::new(width, height)))
}

/// Checks the tensor `name` and returns its position. The samples of the file begin at byte `data`.
fn samples(
    header: &Metadata,
    name: &'static str,
    dtypes: &[Dtype],
    (n, size): (usize, Size),
    data: usize,
) -> Result<Samples, String> {
    let info = header.info(name).ok_or_else(|| lacks(header, name))?;
    if !dtypes.contains(&info.dtype) {
        let wanted: Vec<_> = dtypes.iter().map(Dtype::to_string).collect();
        return Err(format!("`{name}` is of type {}, not {}", info.dtype, wanted.join(" or ")));
    }
    let channels = if name == "input" { 2 } else { 1 };
    let shape = [n, channels, size.ny, size.nx];
    if info.shape != shape {
        let found = &info.shape;
        return Err(format!("`{name}` has the shape {found:?}, where `input` asks for {shape:?}"));
    }
    // No overflow is possible: the file is at least this long.
    let each = channels * size.pixels();
    Ok(Samples { name, first: data + info.data_offsets.0, dtype: info.dtype, each })
}

fn lacks(header: &Metadata, name: &str) -> String {
    let keys = header.offset_keys();
    let named: Vec<_> = keys.iter().take(5).map(|key| format!("`{key}`")).collect();
    let there = match keys.len() {
        0 => "nothing".into(),
        n if n > named.len() => format!("{} and {} more", named.join(", "), n - named.len()),
        _ => named.join(", "),
    };
    format!("lacks the tensor `{name}`; it holds {there}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    /// Tensors of a test file: name, type, shape and bytes.
    type Tensors = Vec<(&'static str, Dtype, Vec<usize>, Vec<u8>)>;

    fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
        values.into_iter().flat_map(f32::to_le_bytes).collect()
    }

    /// `n` patches of this size with different samples.
    fn tensors(n: usize, Size { nx: width, ny: height }: Size) -> Tensors {
        let pixels = n * height * width;
        let count = |samples: usize, start: f32| floats((0..samples).map(|i| start + i as f32));
        vec![
            ("input", Dtype::F32, vec![n, 2, height, width], count(2 * pixels, 0.0)),
            ("truth", Dtype::F32, vec![n, 1, height, width], count(pixels, 0.5)),
            ("mask", Dtype::U8, vec![n, 1, height, width], (0..pixels).map(|i| (i % 2) as u8).collect()),
        ]
    }

    fn bytes(tensors: &Tensors) -> Vec<u8> {
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            (*name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        safetensors::serialize(views, Some([("source".into(), "a test".into())].into())).unwrap()
    }

    fn open(bytes: &[u8]) -> Result<Patches> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("train.safetensors");
        std::fs::write(&path, bytes).unwrap();
        Patches::open(&path)
    }

    type Batch = [Vec<f32>; 3];

    fn gather(patches: &Patches, indices: &[u32]) -> Result<Batch> {
        let pixels = indices.len() * patches.size().pixels();
        let [mut input, mut truth, mut mask] = [2, 1, 1].map(|channels| vec![f32::NAN; channels * pixels]);
        patches.gather(indices, &mut input, &mut truth, &mut mask)?;
        Ok([input, truth, mask])
    }

    fn range(samples: std::ops::Range<usize>, start: f32) -> Vec<f32> {
        samples.map(|i| start + i as f32).collect()
    }

    #[test]
    fn patches_come_in_the_order_asked_for() {
        let patches = open(&bytes(&tensors(3, Size::new(3, 5)))).unwrap();
        assert_eq!((patches.len(), patches.size(), patches.has_mask()), (3, Size::new(3, 5), true));
        assert_eq!(patches.metadata()["source"], "a test");
        let [input, truth, mask] = gather(&patches, &[2, 0, 2]).unwrap();
        assert_eq!(input, [range(60..90, 0.0), range(0..30, 0.0), range(60..90, 0.0)].concat());
        assert_eq!(truth, [range(30..45, 0.5), range(0..15, 0.5), range(30..45, 0.5)].concat());
        assert_eq!(mask[..16], [0., 1., 0., 1., 0., 1., 0., 1., 0., 1., 0., 1., 0., 1., 0., 0.]);
        assert!(gather(&patches, &[]).unwrap().iter().all(Vec::is_empty));
    }

    #[test]
    fn weights_are_ones_or_any() {
        let mut all = tensors(2, Size::new(2, 1));
        all.pop();
        let patches = open(&bytes(&all)).unwrap();
        assert!(!patches.has_mask());
        assert_eq!(gather(&patches, &[1]).unwrap()[2], [1.0; 2]);
        all.push(("mask", Dtype::F32, vec![2, 1, 1, 2], floats([0.0, 0.25, 1.0, 3.0])));
        assert_eq!(gather(&open(&bytes(&all)).unwrap(), &[1, 0]).unwrap()[2], [1.0, 3.0, 0.0, 0.25]);
    }

    #[test]
    fn samples_need_not_be_aligned() {
        let aligned = bytes(&tensors(2, Size::new(3, 3)));
        let expected = gather(&open(&aligned).unwrap(), &[1]).unwrap();
        let length = u64::from_le_bytes(aligned[..8].try_into().unwrap());
        for more in 1..8 {
            let mut moved = (length + more).to_le_bytes().to_vec();
            moved.extend(&aligned[8..8 + length as usize]);
            moved.extend(vec![b' '; more as usize]);
            moved.extend(&aligned[8 + length as usize..]);
            assert_eq!(gather(&open(&moved).unwrap(), &[1]).unwrap(), expected, "by {more}");
        }
    }

    #[test]
    fn truncated_files_say_so() {
        let whole = bytes(&tensors(2, Size::new(3, 3)));
        for keep in 0..whole.len() {
            let e = open(&whole[..keep]).unwrap_err();
            let said = e.to_string();
            let fits = ["is empty", "only the start of one", "not as long as its header says"];
            assert!(
                matches!(e, Error::File { .. }) && fits.iter().any(|f| said.contains(f)),
                "{keep}: {said}"
            );
        }
        let longer = open(&[&whole[..], b"x"].concat()).unwrap_err().to_string();
        assert!(longer.contains("not as long as"), "{longer}");
        let other = open(b"\x89PNG\r\n\x1a\n and so on").unwrap_err().to_string();
        assert!(other.contains("no safetensors file"), "{other}");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let with = |at: usize, dtype: Dtype, shape: &[usize]| {
            let mut all = tensors(2, Size::new(4, 3));
            let samples: usize = shape.iter().product();
            let width = dtype.bitsize() / 8;
            all[at] = (all[at].0, dtype, shape.to_vec(), vec![0; samples * width]);
            all
        };
        let without = |at| {
            let mut all = tensors(2, Size::new(4, 3));
            all.remove(at);
            all
        };
        for (tensors, says) in [
            (without(0), "lacks the tensor `input`; it holds `truth`, `mask`"),
            (without(1), "lacks the tensor `truth`; it holds `input`, `mask`"),
            (vec![], "lacks the tensor `input`; it holds nothing"),
            (with(0, Dtype::F64, &[2, 2, 3, 4]), "`input` is of type F64, not F32"),
            (with(1, Dtype::U8, &[2, 1, 3, 4]), "`truth` is of type U8, not F32"),
            (with(2, Dtype::I64, &[2, 1, 3, 4]), "`mask` is of type I64, not U8 or F32"),
            (
                with(0, Dtype::F32, &[2, 3, 3, 4]),
                "`input` has the shape [2, 3, 3, 4], not [N, 2, height, width]",
            ),
            (with(0, Dtype::F32, &[2, 3, 4]), "`input` has the shape [2, 3, 4], not"),
            (with(0, Dtype::F32, &[3, 2, 3, 4]), "where `input` asks for [3, 1, 3, 4]"),
            (
                with(1, Dtype::F32, &[2, 3, 4]),
                "`truth` has the shape [2, 3, 4], where `input` asks for [2, 1, 3, 4]",
            ),
            (with(1, Dtype::F32, &[1, 1, 3, 4]), "`truth` has the shape [1, 1, 3, 4], where"),
            (with(2, Dtype::U8, &[2, 1, 4, 3]), "`mask` has the shape [2, 1, 4, 3], where"),
            (with(0, Dtype::F32, &[0, 2, 3, 4]), "holds no patches"),
            (with(0, Dtype::F32, &[2, 2, 3, 0]), "holds patches of 3 x 0 pixels"),
        ] {
            let e = open(&bytes(&tensors)).unwrap_err();
            assert!(
                matches!(e, Error::File { .. }) && e.to_string().contains(says),
                "{e}\nshould say {says}"
            );
        }
        let missing = Patches::open("absent/train.safetensors").unwrap_err().to_string();
        assert!(missing.contains("no such file"), "{missing}");
        let folder = Patches::open(std::env::temp_dir()).unwrap_err().to_string();
        assert!(folder.contains("is a folder"), "{folder}");
    }

    #[test]
    fn bad_samples_are_named() {
        let mut all = tensors(2, Size::new(4, 3));
        let truth = &mut all[1].3;
        truth[4 * 12..][..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        let patches = open(&bytes(&all)).unwrap();
        gather(&patches, &[0]).unwrap();
        let e = gather(&patches, &[0, 1]).unwrap_err().to_string();
        assert!(e.contains("patch 1: `truth` is inf in channel 0, row 0, column 0"), "{e}");

        all[0].3[4 * (24 + 12 + 7)..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
        let e = gather(&open(&bytes(&all)).unwrap(), &[1]).unwrap_err().to_string();
        assert!(e.contains("patch 1: `input` is NaN in channel 1, row 1, column 3"), "{e}");

        all[2] = ("mask", Dtype::F32, vec![2, 1, 3, 4], floats([-1.0; 24]));
        let e = gather(&open(&bytes(&all)).unwrap(), &[0]).unwrap_err().to_string();
        assert!(e.contains("patch 0: `mask` is -1 in"), "{e}");
    }

    #[test]
    fn wrong_calls_are_refused() {
        let patches = open(&bytes(&tensors(2, Size::new(4, 3)))).unwrap();
        assert!(matches!(gather(&patches, &[2]), Err(Error::Usage(e)) if e.contains("no patch 2 in")));
        let mut all = [vec![0.0; 24], vec![0.0; 12], vec![0.0; 12]];
        for at in 0..3 {
            all[at].push(0.0);
            let [input, truth, mask] = &mut all;
            let result = patches.gather(&[0], input, truth, mask);
            assert!(matches!(result, Err(Error::Usage(e)) if e.contains("has room for")));
            all[at].pop();
        }
    }
}
