//! Trials of the family `tiles`.

pub(crate) mod cut;
pub(crate) mod mask;
pub(crate) mod overlap;

use super::Trial;

/// The trials of this family, by file.
pub static TRIALS: &[&[Trial]] = &[
    cut::TRIALS,
    overlap::TRIALS,
    mask::TRIALS,
];
