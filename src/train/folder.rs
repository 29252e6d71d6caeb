//! The folder a training writes to: its files, and a lock for one training at a time.

use crate::error::{Error, Result};
use std::path::PathBuf;

/// The files of a training in its folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// What a training goes on from.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }

    /// The weights of the best epoch.
    pub fn weights(&self) -> PathBuf {
        self.0.join("weights.safetensors")
    }

    /// A line of JSON an epoch.
    pub fn losses(&self) -> PathBuf {
        self.0.join("losses.jsonl")
    }

    /// The same as a picture.
    pub fn picture(&self) -> PathBuf {
        self.0.join("losses.png")
    }

    /// Keeps other processes from training here until it is dropped.
    pub(super) fn lock(&self) -> Result<Lock> {
        let path = self.0.join(".palpate-training.lock");
        let file = std::fs::File::create(&path).map_err(|e| {
            Error::file(
                &self.0,
                format!("this folder cannot be written: {}; choose another with -o", e.kind()),
            )
        })?;
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::Usage(format!(
                "another palpate is training in {}; wait for it, or choose another folder",
                self.0.display()
            ))),
            // A file system without locks does without.
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(Lock { path, _file: file }),
        }
    }

    /// Takes away results of a training before this one, which was begun anew by force.
    pub(super) fn remove_stale(&self) {
        for stale in [self.weights(), self.picture()] {
            let _ = std::fs::remove_file(stale);
        }
    }

    /// The first of its files that is there already: what a new training would write over.
    pub fn occupied(&self) -> Option<PathBuf> {
        [self.checkpoint(), self.weights(), self.losses(), self.picture()]
            .into_iter()
            .find(|path| path.exists())
    }
}

/// A lock on a folder; the system gives it up with the process, however that ends.
pub(super) struct Lock {
    path: PathBuf,
    _file: std::fs::File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
