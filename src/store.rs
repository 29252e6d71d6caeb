//! Files as bytes: read whole, and written so that after a power failure a file is complete or absent.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Reads a regular, non-empty file.
///
/// # Errors
/// [`Error::File`] if it is no such file, or cannot be read.
pub fn load(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|e| unreadable(path, e))?;
    Ok(bytes)
}

/// Opens a regular, non-empty file.
///
/// # Errors
/// As [`load`].
pub fn open(path: &Path) -> Result<File> {
    let metadata = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if metadata.is_dir() {
        return Err(Error::file(path, "is a folder; name the files in it"));
    }
    // A pipe would block the program forever.
    if !metadata.is_file() {
        return Err(Error::file(path, "is not a regular file"));
    }
    if metadata.len() == 0 {
        return Err(Error::file(path, "is empty"));
    }
    File::open(path).map_err(|e| unreadable(path, e))
}

fn unreadable(path: &Path, e: std::io::Error) -> Error {
    Error::file(
        path,
        match e.kind() {
            ErrorKind::NotFound => "no such file; check the path".into(),
            ErrorKind::PermissionDenied => "cannot be read: permission denied".into(),
            ErrorKind::OutOfMemory => "is too large to be held in memory".into(),
            _ => format!("cannot be read: {e}"),
        },
    )
}

/// Returns the folder that contains `path`.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes the file `path` and replaces an existing one: under a temporary name in the same folder, then renamed. The crate
/// `tempfile` does this too, with four crates of its own, and the core of palpate has a budget of 80.
///
/// # Errors
/// [`Error::File`] if the file cannot be written or renamed; an existing file then stays as it was.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let (mut file, mut temporary) = Temporary::beside(path)
        .map_err(|e| Error::file(path, format!("cannot be made in its folder: {}", e.kind())))?;
    let put = |e: std::io::Error| Error::file(path, format!("cannot be put in place: {e}"));
    file.write_all(bytes).map_err(|e| Error::file(path, format!("cannot be written: {e}")))?;
    file.sync_all().map_err(put)?;
    std::fs::rename(&temporary.0, path).map_err(put)?;
    temporary.0 = PathBuf::new();
    // The folder is synced so that the rename also survives a power failure. Some systems cannot sync a folder;
    // the error is then ignored.
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// The path of a temporary file, which is removed when dropped; nothing when empty.
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path) -> std::io::Result<(File, Self)> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let temporary = folder(path).join(format!(".palpate-{}-{number}", std::process::id()));
            match File::create_new(&temporary) {
                // Left by a process that was killed and had the same number.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                file => return Ok((file?, Self(temporary))),
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
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
        assert_eq!(load(&path).unwrap(), b"new");
        let e = write(dir.path().join("absent/x"), b"").unwrap_err();
        assert!(e.to_string().contains("cannot be made"), "{e}");
        std::fs::create_dir(dir.path().join("y")).unwrap();
        assert!(write(dir.path().join("y"), b"").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(folder(Path::new("x")), Path::new("."));
    }
}
