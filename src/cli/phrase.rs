//! Errors and warnings as the command line phrases them: the library names its settings, this file names the options.

use palpate::Error;
use palpate::lowlevel::wave::warning::Warning;
use std::path::Path;

/// Options whose names are not those of the setting with `-` for `_`.
const OPTIONS: &[(&str, &str)] = &[
    ("frequency_hz", "frequency"),
    ("spacing_mm", "spacing"),
    ("pixel_mm", "pixel"),
    ("total_variation", "tv"),
    ("normalisation", "normalise"),
];

/// `error` as a sentence for a person at a terminal, with the option to change.
pub fn phrase(error: &Error) -> String {
    match error {
        Error::Setting { name, value, allowed } => format!("--{} is {value}; {allowed}", option(name)),
        Error::Diverged(_) => format!("{error} (--learning-rate, --clip 1)"),
        Error::Exists { during_run: false, .. } => {
            format!("{error}; choose another output with -o, or replace it with --force")
        }
        Error::Exists { .. } => format!("{error}; replace it with --force"),
        Error::OutputFolder { .. } => format!("{error}; choose another with -o"),
        Error::OtherSettings { path, what, settings } => {
            let made_by = settings.iter().find(|(name, _)| *name == "palpate");
            let made_by = made_by.map_or(String::new(), |(_, version)| format!(" by palpate {version}"));
            let line: Vec<_> = settings.iter().filter_map(|(name, value)| given(name, value)).collect();
            format!(
                "{} holds another {what}{made_by}: {}; continue with these settings, or choose another folder with -o",
                path.display(),
                line.join(" ")
            )
        }
        Error::Layout { .. } => format!("{error}; choose another with --layout, or leave --layout out"),
        Error::SeveralSeries { .. } => format!("{error}\n--series chooses one by its number"),
        Error::UnknownOrder { found } => format!(
            "{found}; state it with --offsets N (phase offsets), --directions x,y,z (in their order) and --period US \
             (microseconds)"
        ),
        Error::OneFrame { .. } => format!(
            "{error}; if it is one of several files of an exam, give them all, with --join re-im, mag-phase or phase"
        ),
        Error::Axes { what, readings } if readings.is_empty() => {
            format!("{what}; state the axes with --axes")
        }
        Error::Axes { what, readings } => {
            let list: Vec<_> = readings.iter().map(|axes| format!("--axes {axes}")).collect();
            let join = if readings.iter().all(|axes| axes.split(',').count() < 4) {
                "; if it is one of several files of an exam, give them all with --join phase, direction or re-im"
            } else {
                ""
            };
            format!("{what}. State them with one of: {}{join}", list.join(" | "))
        }
        Error::HeaderSpacing { .. } => format!("{error}; give the true one with --spacing X,Y"),
        Error::NotFinite { .. } => format!("{error}, or leave them out with --mask"),
        Error::NoAdapter { wanted: Some(wanted), found } if !found.is_empty() => {
            let list: Vec<_> = found.iter().enumerate().map(|(i, name)| format!("{i}: {name}")).collect();
            format!(
                "there is no adapter '{wanted}'; choose one of these by name or number with --adapter: {}; or cpu, the \
                 processor",
                list.join("; ")
            )
        }
        Error::NoAdapter { .. } => {
            format!("{error}. Install your GPU's driver, or compute on the processor: --adapter cpu")
        }
        Error::NoDevice { .. } => format!("{error}; try another with --adapter"),
        Error::DeviceLost { .. } => {
            format!("{error}; start again, and if it recurs try another adapter with --adapter")
        }
        Error::OutOfMemory { .. } => format!(
            "{error}; use a smaller image, batch or network, or an adapter with more memory (see `palpate doctor`)"
        ),
        Error::Units { .. } => format!(
            "{error} (16 by 16 on Vulkan, 8 by 8 on Metal, of subgroups of 32); leave out --matrix-units, or choose \
             another with --adapter"
        ),
        Error::Kernel { .. } => {
            format!("{error}; try another adapter with --adapter, or update the driver")
        }
        other => other.to_string(),
    }
}

/// `warning` as a sentence for a person at a terminal, with the option that helps.
pub fn advise(warning: &Warning) -> String {
    match warning {
        Warning::OffFrequency { .. } => {
            format!("{warning}; --turn states how much one turn is, --axes which axis holds the phases")
        }
        Warning::MaskLabels { .. } => {
            format!("{warning}; choose one with --label, or measure each with --regions")
        }
        Warning::OtherDirection { .. } => format!("{warning}; --direction chooses another"),
        Warning::UnknownDirection { .. } => {
            format!("{warning}; --direction chooses one, and a sidecar with \"directions\" names them")
        }
        Warning::AssumedSpacing => format!("{warning}; give the true one with --spacing"),
        Warning::LostZero => format!("{warning}, or --zero known if the zero level is correct"),
        Warning::ImplausibleStiffness { .. } => format!("{warning}; --spacing and --frequency set them"),
        other => other.to_string(),
    }
}

/// `error` as one about the file at `path`, if it is about data that do not know their file.
pub fn about(path: &Path, error: Error) -> Error {
    match error {
        Error::Data(_)
        | Error::OneFrame { .. }
        | Error::Axes { .. }
        | Error::Layout { .. }
        | Error::HeaderSpacing { .. }
        | Error::NotFinite { .. } => Error::file(path, phrase(&error)),
        other => other,
    }
}

fn option(name: &str) -> String {
    let named = OPTIONS.iter().find(|(setting, _)| *setting == name);
    named.map_or_else(|| name.replace('_', "-"), |(_, option)| (*option).into())
}

/// The setting as it is given on the command line, if it has to be given.
fn given(name: &str, value: &str) -> Option<String> {
    match (name, value) {
        ("palpate", _) | (_, "false") => None,
        (_, "true") => Some(format!("--{}", option(name))),
        _ => Some(format!("--{} {value}", option(name))),
    }
}

/// The program's exit code: 2 if the call was wrong, 1 if the work failed.
pub fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Usage(_) | Error::Setting { .. } | Error::OtherSettings { .. } => 2,
        Error::Exists { during_run: false, .. } => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_set_is_told_by_its_options() {
        let settings = [("count", "9"), ("nodes_per_wavelength", "4"), ("nifti", "true"), ("palpate", "0.1")];
        let settings = settings.map(|(name, value)| (name, value.to_string())).to_vec();
        let error = Error::OtherSettings { path: "a".into(), what: "set", settings };
        let told = "a holds another set by palpate 0.1: --count 9 --nodes-per-wavelength 4 --nifti; ";
        assert!(phrase(&error).starts_with(told), "{}", phrase(&error));
        assert_eq!(exit_code(&error), 2);
    }

    #[test]
    fn data_are_told_with_their_file_and_the_option() {
        let error = about("a.nii".as_ref(), Error::NotFinite { count: 2, first: [1, 2, 3, 4] });
        let told = phrase(&error);
        assert!(told.starts_with("a.nii: 2 samples") && told.ends_with("--mask"), "{told}");
        assert_eq!(exit_code(&error), 1);
    }
}
