//! The folder of a training: its files, and a lock that admits one training at a time.

use crate::error::{Error, Result};
use std::path::PathBuf;

/// The files of a training in its folder.
#[derive(Clone, Debug)]
pub struct TrainFolder(PathBuf);

impl TrainFolder {
    /// The folder `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The checkpoint from which the training continues.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }

    /// The weights of the best epoch.
    pub fn weights(&self) -> PathBuf {
        self.0.join("weights.safetensors")
    }

    /// The log: one line of JSON per epoch.
    pub fn losses(&self) -> PathBuf {
        self.0.join("losses.jsonl")
    }

    /// A picture of the log. [`Training`](super::Training) does not draw it.
    pub fn picture(&self) -> PathBuf {
        self.0.join("losses.png")
    }

    /// Creates the folder if it is missing, and prevents other processes from training here until the lock is dropped.
    pub(super) fn lock(&self) -> Result<Lock> {
        let path = self.0.join(".palpate-training.lock");
        let file =
            std::fs::create_dir_all(&self.0).and_then(|()| std::fs::File::create(&path)).map_err(|e| {
                Error::file(
                    &self.0,
                    format!("this folder cannot be written: {}; choose another folder", e.kind()),
                )
            })?;
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::Usage(format!(
                "another palpate is training in {}; wait for it, or choose another folder",
                self.0.display()
            ))),
            // Some file systems have no locks.
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(Lock { path, _file: file }),
        }
    }

    /// Removes the results of an earlier training that is being replaced.
    pub(super) fn remove_stale(&self) {
        for stale in [self.weights(), self.picture()] {
            let _ = std::fs::remove_file(stale);
        }
    }

    /// The first of its files that exists already, which a new training would replace.
    pub fn occupied(&self) -> Option<PathBuf> {
        [self.checkpoint(), self.weights(), self.losses(), self.picture()]
            .into_iter()
            .find(|path| path.exists())
    }
}

/// A lock on a folder. The operating system releases it when the process ends.
pub(super) struct Lock {
    path: PathBuf,
    _file: std::fs::File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
