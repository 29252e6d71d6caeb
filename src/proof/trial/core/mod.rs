//! Trials of the family `core`.

pub(crate) mod clear;
pub(crate) mod copy;
pub(crate) mod fma;
pub(crate) mod increment;
pub(crate) mod reduce;

use super::Trial;

/// The trials of this family, by file.
pub static TRIALS: &[&[Trial]] = &[
    clear::TRIALS,
    copy::TRIALS,
    reduce::TRIALS,
    increment::TRIALS,
    fma::TRIALS,
];
