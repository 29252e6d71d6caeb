//! One error type for the whole crate. A message says what is wrong and where; the program that shows it adds what
//! its own user can do, such as an option of a command line.

use std::path::{Path, PathBuf};

/// An error of the library. `Display` is a complete sentence for a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call that cannot be carried out: arguments that exclude each other or do not fit.
    #[error("{0}")]
    Usage(String),
    /// A setting out of its range.
    #[error("{name} is {value}; {allowed}")]
    Setting {
        /// The name of the field, such as `frequency_hz`.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// The range, such as "it must be a number above 0".
        allowed: String,
    },
    /// A file could not be read or written, or does not hold what it should.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// The data were read, but no result can be computed from them.
    #[error("{0}")]
    Data(String),
    /// A loss of a training became NaN or infinite. The last checkpoint stays as it is.
    #[error(
        "the training has diverged: {0}. The last checkpoint stays as it is; begin again with a lower learning \
         rate, or with clipped gradients"
    )]
    Diverged(String),
    /// There is no adapter that could be used.
    #[error("{0}")]
    Adapter(String),
    /// The device went away; every later call on it fails the same way.
    #[error("the GPU device was lost ({0})")]
    DeviceLost(String),
    /// The device has no memory left for what was asked.
    #[error("the GPU has no room {0}")]
    OutOfMemory(String),
    /// A kernel did not assemble, validate or bind: a fault of palpate or of the driver.
    #[error("kernel {kernel}: {what}")]
    Kernel {
        /// The kernel and its specialisation.
        kernel: String,
        /// The fault.
        what: String,
    },
    /// The device has no matrix units that palpate can use, or computes wrongly on them.
    #[error("{adapter} has no matrix units that take half precision and add up in f32{}", failed(failures))]
    Units {
        /// The adapter.
        adapter: String,
        /// What went wrong on its units, if it has any.
        failures: Vec<String>,
    },
    /// The device refused an operation.
    #[error("the GPU refused {doing}: {what}")]
    Gpu {
        /// The operation.
        doing: String,
        /// The device's message.
        what: String,
    },
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

    /// A [`Error::Setting`] about the field `name`.
    pub fn setting(
        name: &'static str,
        value: impl std::fmt::Display,
        allowed: impl std::fmt::Display,
    ) -> Self {
        Error::Setting { name, value: value.to_string(), allowed: allowed.to_string() }
    }
}
