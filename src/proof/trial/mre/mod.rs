//! Trials of the family `mre`.

pub(crate) mod colour;
pub(crate) mod combine;
pub(crate) mod confidence;
pub(crate) mod fit;
pub(crate) mod normalise;
pub(crate) mod restore;
pub(crate) mod window;

use super::Trial;

/// The trials of this family, by file.
pub static TRIALS: &[&[Trial]] = &[
    normalise::TRIALS,
    restore::TRIALS,
    fit::TRIALS,
    window::TRIALS,
    combine::TRIALS,
    confidence::TRIALS,
    colour::TRIALS,
];
