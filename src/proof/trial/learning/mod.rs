//! Trials of the family `learning`.

pub(crate) mod adam;
pub(crate) mod combine_losses;
pub(crate) mod mse;
pub(crate) mod total_variation;

use super::Trial;

/// The trials of this family, by file.
pub static TRIALS: &[&[Trial]] = &[
    adam::TRIALS,
    mse::TRIALS,
    total_variation::TRIALS,
    combine_losses::TRIALS,
];
