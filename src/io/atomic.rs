//! Atomic writing of single files: after a power failure a file is complete or absent.
//!
//! A file is written under a temporary name in its own folder and then renamed.

use crate::error::{Error, Result};
use crate::store::folder;
use std::fs::File;
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

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
