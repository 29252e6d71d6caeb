//! Oracles and trials of the family `tiles`.

mod cut;
mod lattice;
mod mask;
mod overlap;

pub use cut::*;
pub use lattice::*;
pub use mask::*;
pub use overlap::*;

use crate::proof::trial::Trial;

/// The trials of this family, by file.
pub(super) static TRIALS: &[&[Trial]] =
    &[lattice::trial::TRIALS, cut::trial::TRIALS, overlap::trial::TRIALS, mask::trial::TRIALS];
