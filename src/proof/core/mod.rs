//! Oracles and trials of the family `core`.

mod clear;
mod copy;
mod fma;
mod gate;
mod increment;
pub(super) mod reduce;

pub use clear::*;
pub use copy::*;
pub use fma::*;
pub use gate::*;
pub use increment::*;
pub use reduce::*;

use crate::proof::trial::Trial;

/// The trials of this family, by file.
pub(super) static TRIALS: &[&[Trial]] = &[
    clear::trial::TRIALS,
    copy::trial::TRIALS,
    reduce::trial::TRIALS,
    increment::trial::TRIALS,
    gate::trial::TRIALS,
    fma::trial::TRIALS,
];
