//! Oracles and trials of the family `tiles`.

mod cut;
mod mask;
mod overlap;

pub use cut::*;
pub use mask::*;
pub use overlap::*;

use crate::proof::trial::Trial;

/// The trials of this family, by file.
pub(super) static TRIALS: &[&[Trial]] = &[cut::trial::TRIALS, overlap::trial::TRIALS, mask::trial::TRIALS];
