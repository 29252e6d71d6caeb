//! Single files that are there whole or not at all, whenever the power fails: written under a temporary name
//! beside their place, then renamed.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

/// Writes the file `path`, replacing what was there.
///
/// # Errors
/// [`Error::File`] if it cannot be written or put in place; what was there is left alone.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let mut file = beside(path)?;
    file.write_all(bytes).map_err(|e| Error::file(path, format!("cannot be written: {e}")))?;
    put(file, path)
}

/// The folder that `path` is in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An empty temporary beside `path`; gone when dropped.
pub(crate) fn beside(path: &Path) -> Result<NamedTempFile> {
    temporary(folder(path))
        .map_err(|e| Error::file(path, format!("cannot be made in its folder: {}", e.kind())))
}

/// An empty temporary in `folder`, as readable as any other new file.
pub(super) fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".palpate-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Gives a temporary its name, once all of it is on the disk.
pub(crate) fn put(file: NamedTempFile, path: &Path) -> Result<()> {
    let fail = |e: std::io::Error| Error::file(path, format!("cannot be put in place: {e}"));
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    // The rename, too, should outlast a power failure; where a folder cannot be synchronised, nothing is lost
    // but that.
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
