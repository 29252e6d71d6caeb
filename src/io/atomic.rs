//! Atomic writing of single files: after a power failure a file is complete or absent.
//!
//! A file is written under a temporary name in its own folder and then renamed.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

/// Writes the file `path` and replaces an existing one.
///
/// # Errors
/// [`Error::File`] if the file cannot be written or renamed; an existing file then stays as it was.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let mut file = beside(path)?;
    file.write_all(bytes).map_err(|e| Error::file(path, format!("cannot be written: {e}")))?;
    put(file, path)
}

/// Returns the folder that contains `path`.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates an empty temporary file in the folder of `path`; it is deleted when dropped.
pub(crate) fn beside(path: &Path) -> Result<NamedTempFile> {
    temporary(folder(path))
        .map_err(|e| Error::file(path, format!("cannot be made in its folder: {}", e.kind())))
}

/// Creates an empty temporary file in `folder` with the permissions of an ordinary new file.
pub(super) fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".palpate-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Syncs a temporary file to the disk and renames it to `path`.
pub(crate) fn put(file: NamedTempFile, path: &Path) -> Result<()> {
    let fail = |e: std::io::Error| Error::file(path, format!("cannot be put in place: {e}"));
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    // The folder is synced so that the rename also survives a power failure. Some systems cannot sync a folder;
    // the error is then ignored.
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_or_leaves_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        drop(beside(&path).unwrap());
        let e = write(dir.path().join("absent/x"), b"").unwrap_err();
        assert!(e.to_string().contains("cannot be made"), "{e}");
        std::fs::create_dir(dir.path().join("y")).unwrap();
        assert!(write(dir.path().join("y"), b"").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(folder(Path::new("x")), Path::new("."));
    }
}
