//! Oracles and trials of the family `mre`.

mod colour;
mod combine;
mod confidence;
mod fit;
mod normalise;
mod restore;
mod window;

pub use colour::*;
pub use combine::*;
pub use confidence::*;
pub use fit::*;
pub use normalise::*;
pub use restore::*;
pub use window::*;

use crate::proof::trial::Trial;

/// The trials of this family, by file.
pub(super) static TRIALS: &[&[Trial]] = &[
    normalise::trial::TRIALS,
    restore::trial::TRIALS,
    fit::trial::TRIALS,
    window::trial::TRIALS,
    combine::trial::TRIALS,
    confidence::trial::TRIALS,
    colour::trial::TRIALS,
];
