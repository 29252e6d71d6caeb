//! Errors as the command line phrases them: the library names its settings, this file names the options.

use palpate::Error;

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
        Error::DeviceLost(_) => {
            format!("{error}; start again, and if it recurs try another adapter with --adapter")
        }
        Error::OutOfMemory(_) => format!(
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

fn option(name: &str) -> String {
    let named = OPTIONS.iter().find(|(setting, _)| *setting == name);
    named.map_or_else(|| name.replace('_', "-"), |(_, option)| (*option).into())
}

/// The program's exit code: 2 if the call was wrong, 1 if the work failed.
pub fn exit_code(error: &Error) -> u8 {
    if matches!(error, Error::Usage(_) | Error::Setting { .. }) { 2 } else { 1 }
}
