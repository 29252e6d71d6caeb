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
    /// An output file exists and may not be replaced.
    #[error("{} {}", path.display(), if *during_run { "was created by another program during the run" } else { "exists already" })]
    Exists {
        /// The file.
        path: PathBuf,
        /// True if another program created the file during the run. False if it existed before.
        during_run: bool,
    },
    /// A folder cannot take the output.
    #[error("{}: {what}", path.display())]
    OutputFolder {
        /// The folder, or the file in it that is not as expected.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// The output folder holds work that was begun with other settings and cannot be continued.
    #[error("{} holds another {what}: {}", path.display(), listed(settings))]
    OtherSettings {
        /// The folder.
        path: PathBuf,
        /// The kind of work, such as "set".
        what: &'static str,
        /// Names and values of the settings in the folder.
        settings: Vec<(&'static str, String)>,
    },
    /// The data were read, but no result can be computed from them.
    #[error("{0}")]
    Data(String),
    /// The array does not have the layout that was asked for.
    #[error("{found}, but the layout {layout} needs {needed}")]
    Layout {
        /// The layout that was asked for: `re-im`, `phases` or `complex`.
        layout: &'static str,
        /// The contents of the array.
        found: String,
        /// The contents that this layout needs.
        needed: &'static str,
    },
    /// A folder holds several series that could be meant.
    #[error("the folder holds {found}; choose one by its number:{}", lines(series))]
    SeveralSeries {
        /// What there are several of.
        found: String,
        /// The series, each with its number first.
        series: Vec<String>,
    },
    /// A series does not say how its images follow each other.
    #[error(
        "{found}; state the number of phase offsets, the names of the directions of motion in their order, and the \
         period of the vibration"
    )]
    UnknownOrder {
        /// The numbers of images and slices.
        found: String,
    },
    /// The header states a pixel spacing that is impossible, or two that differ.
    #[error("{}", header_spacing(*stated, *affine))]
    HeaderSpacing {
        /// The spacing in mm along x and y.
        stated: [f64; 2],
        /// The different spacing in mm that follows from the affine. `None` if `stated` itself is impossible.
        affine: Option<[f64; 2]>,
    },
    /// Samples inside the mask are NaN or infinite.
    #[error(
        "{} NaN or infinite, the first at x {}, y {}, slice {}, frame {}; set them to 0",
        if *count == 1 { "1 sample inside the mask is".into() } else { format!("{count} samples inside the mask are") },
        first[0], first[1], first[2], first[3]
    )]
    NotFinite {
        /// The number of such samples.
        count: usize,
        /// The first one: x, y, slice and frame, from 0.
        first: [usize; 4],
    },
    /// There is no adapter at all, or none that was asked for.
    #[error("{}", no_adapter(wanted.as_deref(), found))]
    NoAdapter {
        /// The name or the number that was asked for.
        wanted: Option<String>,
        /// The names of the adapters that exist, by their numbers from 0.
        found: Vec<String>,
    },
    /// The adapter exists, but gives no device.
    #[error("{adapter} did not give a device ({what})")]
    NoDevice {
        /// The adapter.
        adapter: String,
        /// The driver's message.
        what: String,
    },
    /// A loss of a training became NaN or infinite. The last checkpoint stays as it is.
    #[error(
        "the training has diverged: {0}. The last checkpoint stays as it is; begin again with a lower learning \
         rate, or with clipped gradients"
    )]
    Diverged(String),
    /// The device went away; every later call on it fails the same way.
    #[error("the GPU device was lost ({reason})")]
    DeviceLost {
        /// The driver's message, or the operation that found the device lost.
        reason: String,
    },
    /// The device has too little memory, or allows no buffer of this size.
    #[error("the GPU has too little memory for {what}{}", amounts(*needed, *available))]
    OutOfMemory {
        /// The work or the buffer that needs the memory.
        what: String,
        /// The number of bytes needed, if it is known.
        needed: Option<u64>,
        /// The number of bytes available, if it is known: free memory, or the largest buffer that the device allows.
        available: Option<u64>,
    },
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
        /// The faults of its units, one per form tried; empty if it has none.
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

fn lines(series: &[String]) -> String {
    series.iter().map(|line| format!("\n  {line}")).collect()
}

fn listed(settings: &[(&str, String)]) -> String {
    settings.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

fn header_spacing([x, y]: [f64; 2], affine: Option<[f64; 2]>) -> String {
    match affine {
        None => format!("the header states an impossible pixel spacing of {x} × {y} mm"),
        Some([ax, ay]) => format!(
            "the header contradicts itself: a pixel spacing of {x} × {y} mm, but an affine of {ax:.4} × {ay:.4} mm"
        ),
    }
}

fn no_adapter(wanted: Option<&str>, found: &[String]) -> String {
    match wanted {
        Some(wanted) if !found.is_empty() => {
            let list: Vec<_> = found.iter().enumerate().map(|(i, name)| format!("{i}: {name}")).collect();
            format!("there is no adapter '{wanted}', only {}", list.join("; "))
        }
        _ => "no GPU adapter was found (Vulkan, Metal or Direct3D 12)".into(),
    }
}

fn amounts(needed: Option<u64>, available: Option<u64>) -> String {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    match (needed, available) {
        (Some(needed), Some(available)) => {
            format!(": it needs {:.1} MiB, and {:.1} MiB are available", mib(needed), mib(available))
        }
        (Some(needed), None) => format!(": it needs {:.1} MiB", mib(needed)),
        (None, _) => String::new(),
    }
}

/// `Result` with palpate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A [`Error::File`] about `path`.
    pub fn file(path: impl AsRef<Path>, what: impl std::fmt::Display) -> Self {
        Error::File { path: path.as_ref().to_path_buf(), what: what.to_string() }
    }

    /// An [`Error::OutputFolder`] about `path`.
    pub fn output_folder(path: impl AsRef<Path>, what: impl std::fmt::Display) -> Self {
        Error::OutputFolder { path: path.as_ref().to_path_buf(), what: what.to_string() }
    }

    /// An [`Error::DeviceLost`] for `reason`.
    pub fn device_lost(reason: impl std::fmt::Display) -> Self {
        Error::DeviceLost { reason: reason.to_string() }
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
