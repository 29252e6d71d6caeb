//! Oracles and trials of the family `learning`.

mod adam;
mod combine_losses;
mod mse;
mod total_variation;

pub use adam::*;
pub use combine_losses::*;
pub use mse::*;
pub use total_variation::*;

use crate::proof::trial::Trial;

/// The trials of this family, by file.
pub(super) static TRIALS: &[&[Trial]] =
    &[adam::trial::TRIALS, mse::trial::TRIALS, total_variation::trial::TRIALS, combine_losses::trial::TRIALS];
