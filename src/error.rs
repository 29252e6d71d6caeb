//! One error type for the whole crate. Every message says what went wrong,
//! where, and what to do about it.

use std::path::{Path, PathBuf};

/// What can go wrong. `Display` is a complete sentence for a person.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call itself was wrong: an option's value, two options that exclude each other.
    #[error("{0}")]
    Usage(String),
    /// A file could not be read or written, or does not hold what it should.
    #[error("{}: {what}", path.display())]
    File { path: PathBuf, what: String },
    /// The data were read, but no stiffness can come of them.
    #[error("{0}")]
    Data(String),
    /// No adapter that could be used.
    #[error("{0}")]
    Adapter(String),
    /// The device went away; every later call on it fails the same way.
    #[error(
        "the GPU device was lost ({0}); start again, and if it recurs try another adapter with --adapter"
    )]
    DeviceLost(String),
    /// The device had no memory left for what was asked.
    #[error(
        "the GPU has no room {0}; use a smaller image, batch or network, or an adapter with more memory (see `palpate doctor`)"
    )]
    OutOfMemory(String),
    /// A kernel did not assemble, validate or bind: a bug in palpate or its driver.
    #[error("kernel {kernel}: {what}")]
    Kernel { kernel: String, what: String },
    /// The device has no matrix units that palpate can use, or computes wrongly on them.
    #[error("{adapter} has no matrix units that take half precision and add up in f32{}", failed(failures))]
    Units {
        /// The adapter.
        adapter: String,
        /// What went wrong on its units, if it has any.
        failures: Vec<String>,
    },
    /// The device refused an operation that validated here.
    #[error("the GPU refused {doing}: {what}")]
    Gpu { doing: String, what: String },
}

fn failed(failures: &[String]) -> String {
    if failures.is_empty() { String::new() } else { format!(" ({})", failures.join("; ")) }
}

/// `Result` with palpate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A [`Error::File`] about `path`.
    pub fn file(path: impl AsRef<Path>, what: impl std::fmt::Display) -> Self {
        Error::File { path: path.as_ref().to_path_buf(), what: what.to_string() }
    }

    /// A [`Error::Kernel`] about `kernel`.
    pub fn kernel(kernel: impl std::fmt::Display, what: impl std::fmt::Display) -> Self {
        Error::Kernel { kernel: kernel.to_string(), what: what.to_string() }
    }

    /// The process's exit code: 2 when the call was wrong, 1 when the work failed.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Error::Usage(_)) { 2 } else { 1 }
    }
}
