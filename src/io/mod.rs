//! File input and output.
//!
//! Reads wave images from NIfTI, MATLAB and NPY files. Writes maps to NIfTI, figures to PNG, and all output files of a
//! run together or not at all.

pub mod atomic;
pub mod axes;
#[cfg(feature = "dicom")]
pub mod dicom;
mod hdf5;
pub mod mat;
pub mod nifti;
pub mod npy;
pub mod output;
pub mod place;
pub mod png;
mod sidecar;
pub mod volume;

pub(crate) use crate::store::{load, open};
pub use axes::{Axes, Axis, AxisName};
pub use output::OutputSet;
pub use place::{Affine, Reordering};
pub use volume::{Format, Samples, Stated, Volume, VolumeGeometry};

use crate::error::{Error, Result};
use std::io::Read;
use std::path::Path;

/// The end of the message about a file of several arrays, of which none was named.
pub const SEVERAL: &str = "name the one to read";

/// The file extensions that [`read`] accepts, in the order in which they are tried.
pub const EXTENSIONS: [&str; 4] = [".nii.gz", ".nii", ".mat", ".npy"];

/// Reads one array from `path`.
///
/// The extension selects the format, in upper or lower case: `.nii`, `.nii.gz`, `.mat` (MATLAB v5 and v7.3) or `.npy`.
/// The axes keep the file's order: index `[i, j, k]` of a MATLAB or NumPy array and voxel (i, j, k) of a NIfTI
/// file are the same sample. A JSON file of the same stem beside it states what its format cannot: axes, frequency,
/// density, spacing, directions and turn.
///
/// # Errors
/// [`Error::File`] if the file is missing, a folder, unreadable, empty, truncated or corrupt. The same error is
/// returned if its format is not that of its extension, or if it holds no array or several. Sizes in a header
/// are checked before memory is allocated for them.
pub fn read(path: impl AsRef<Path>) -> Result<Volume> {
    read_variable(path, None)
}

/// Reads the array called `variable` from `path`, or, without a name, the only array as [`read`] does.
///
/// An array inside a group or struct of a MATLAB v7.3 file is called `group/name`.
///
/// # Errors
/// As [`read`]. [`Error::File`] too if there is no array of this name, or if the format has no names.
pub fn read_variable(path: impl AsRef<Path>, variable: Option<&str>) -> Result<Volume> {
    let path = path.as_ref();
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let extension = EXTENSIONS.into_iter().find(|e| name.ends_with(e));
    // The file is opened before its extension is checked: a misspelt name is the more useful message.
    let bytes = load(path)?;
    let volume = match (extension, variable) {
        (Some(".mat"), _) => mat::decode(bytes, variable),
        (Some(ending), Some(variable)) => Err(format!(
            "is a {ending} file, whose only array has no name; `{variable}` names an array of a .mat file"
        )),
        (Some(".nii.gz"), _) => nifti::decode_gz(&bytes),
        (Some(".nii"), _) => nifti::decode(&bytes),
        (Some(".npy"), _) => npy::decode(&bytes),
        _ => {
            Err(format!("has no ending that palpate reads ({}){}", EXTENSIONS.join(", "), what_it_is(&bytes)))
        }
    };
    let mut volume = volume.map_err(|what| Error::file(path, what))?;
    sidecar::add(path, &mut volume)?;
    Ok(volume)
}

/// Names the actual format of a file with a wrong extension. Returns a clause for the end of a message, or an
/// empty string.
fn what_it_is(bytes: &[u8]) -> String {
    let kind = match bytes {
        [0x89, b'P', b'N', b'G', ..] => "a PNG picture",
        [0xff, 0xd8, 0xff, ..] => "a JPEG picture",
        [0x1f, 0x8b, ..] => "gzip-compressed data",
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => "a NumPy array (.npy)",
        [b'P', b'K', 3, 4, ..] => "a zip archive (.npz is one: save the array alone, as .npy)",
        _ if bytes.starts_with(b"MATLAB") => "a MATLAB file (.mat)",
        _ if bytes.starts_with(HDF5_MAGIC) => "an HDF5 file",
        _ if bytes.get(128..132) == Some(b"DICM") => "a DICOM file; read the folder that holds its series",
        _ if nifti::is_nifti(bytes) => "a NIfTI file (.nii)",
        _ => return String::new(),
    };
    format!(": it looks like {kind}")
}

const HDF5_MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Reads at most `limit` bytes from a decompressor. The buffer grows with the data, so a false size in a header
/// cannot allocate memory.
fn read_capped(decoder: impl Read, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    /// One valid file of each kind with 6 × 5 × 2 samples, and its file name.
    fn valid() -> Vec<(&'static str, Vec<u8>)> {
        let floats: Vec<u8> = (0..60).flat_map(|i| (0.5f32 * i as f32 - 7.0).to_le_bytes()).collect();
        let nii = nifti::write::tests::file(&[6, 5, 2], 16, &floats);
        let variable = mat::tests::variable("wave", 7, &[6, 5, 2], &[(7, floats.clone())]);
        vec![
            ("a.nii.gz", gzip(&nii)),
            ("a.nii", nii),
            ("b.mat", mat::tests::file(std::slice::from_ref(&variable))),
            ("c.mat", mat::tests::file(&[mat::tests::compressed(&variable)])),
            ("d.npy", npy::tests::file("'<f4'", "True", "(6, 5, 2)", &floats)),
        ]
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Folder(tempfile::tempdir().unwrap())
        }

        fn read(&self, name: &str, bytes: &[u8]) -> Result<Volume> {
            let path = self.0.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            read(path)
        }

        /// Returns the error message for the file; panics if it is read without error.
        fn fault(&self, name: &str, bytes: &[u8]) -> String {
            match self.read(name, bytes) {
                Err(Error::File { path, what }) => {
                    assert!(path.ends_with(name) && !what.is_empty());
                    what
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    /// Numbers of a fixed seed, so that failures are repeatable.
    fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        move || random.u64(..)
    }

    #[test]
    fn all_formats_hold_the_same() {
        let folder = Folder::new();
        for (name, bytes) in valid() {
            for name in [name.to_string(), name.to_uppercase()] {
                let volume = folder.read(&name, &bytes).unwrap();
                assert_eq!(volume.shape, [6, 5, 2], "{name}");
                let Samples::Real(values) = volume.data else { panic!("{name} is complex") };
                assert!(values.iter().enumerate().all(|(i, &v)| v == 0.5 * i as f64 - 7.0), "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = Folder::new();
        let what = |name: &str| read(folder.0.path().join(name)).unwrap_err().to_string();
        std::fs::create_dir(folder.0.path().join("d.nii")).unwrap();
        assert!(what("none.nii").contains("no such file"));
        assert!(what("d.nii").contains("is a folder"));
        assert!(what("d.nii/x.nii").contains("no such file"));
        for (name, bytes) in valid() {
            assert_eq!(folder.fault(name, &[]), "is empty");
            assert!(folder.fault(&format!("{name}.txt"), &bytes).contains("no ending that palpate reads"));
        }
        #[cfg(unix)]
        assert!(read("/dev/null").unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn what_is_not_what_its_name_says_is_refused() {
        let folder = Folder::new();
        let png = [b"\x89PNG\r\n\x1a\n".to_vec(), vec![7; 2000]].concat();
        for (name, _) in valid() {
            assert!(folder.fault(name, &png).contains("PNG"), "{name}");
            for (other, bytes) in valid() {
                if name[1..] != other[1..] {
                    let what = folder.fault(name, &bytes);
                    assert!(what.contains("looks like"), "{other} as {name}: {what}");
                }
            }
            for length in [1, 3, 4, 10, 127, 128, 347, 348, 352, 5000] {
                let mut next = random(length);
                let noise: Vec<u8> = (0..length).map(|_| next() as u8).collect();
                folder.fault(name, &noise);
                folder.fault(name, &vec![0; length as usize]);
            }
        }
    }

    #[test]
    fn files_cut_short_anywhere_are_refused() {
        let folder = Folder::new();
        for (name, bytes) in valid() {
            for length in 1..bytes.len() {
                // Cuts in the trailer count too: checksum and length of gzip, checksum of zlib.
                folder.fault(name, &bytes[..length]);
            }
        }
    }

    #[test]
    fn corrupt_gzip_is_refused() {
        let folder = Folder::new();
        let (name, good) = valid().swap_remove(0);
        let mut bytes = good.clone();
        let crc = bytes.len() - 8;
        bytes[crc] ^= 1;
        assert!(folder.fault(name, &bytes).contains("corrupt"));
        bytes = good.clone();
        bytes[good.len() / 2..].fill(0xaa);
        folder.fault(name, &bytes);
        let (name, mut mat) = valid().swap_remove(3);
        *mat.last_mut().unwrap() ^= 1;
        assert!(folder.fault(name, &mat).contains("corrupt"));
        let (name, _) = valid().swap_remove(0);
        // Compressed data that are not NIfTI, and a header that claims 2 GiB of missing data.
        assert!(folder.fault(name, &gzip(&[9; 9999])).contains("not a NIfTI-1"));
        let mut header = nifti::write::tests::file(&[800, 800, 800], 16, &[]);
        assert!(folder.fault(name, &gzip(&header)).contains("truncated"));
        header[42..48].fill(0x7f);
        assert!(folder.fault(name, &gzip(&header)).contains("claims 32639"));
    }

    #[test]
    fn damaged_files_never_panic() {
        let folder = Folder::new();
        for (name, good) in valid() {
            for seed in 0..10_000 {
                let mut next = random(seed + 1);
                let mut bytes = good.clone();
                for _ in 0..1 + next() % 6 {
                    // Three of four changes are in the header, because the parser depends on it.
                    let reach = if next() % 4 < 1 { bytes.len() } else { bytes.len().min(360) };
                    let at = next() as usize % reach;
                    bytes[at] = if next() % 2 < 1 { next() as u8 } else { bytes[at] ^ (1 << (next() % 8)) };
                }
                if next() % 3 < 1 {
                    bytes.truncate(1 + next() as usize % bytes.len());
                }
                if let Ok(volume) = folder.read(name, &bytes) {
                    assert_eq!(volume.data.len(), volume.shape.iter().product::<usize>(), "{name}, {seed}");
                }
            }
        }
    }
}
