//! Oracles and trials of the family `nn`.

mod activate;
mod add;
mod concatenate;
mod convolve;
mod convolve_half;
mod convolve_weights;
mod dropout;
mod flip;
pub(super) mod norm;
mod norm_statistics;
mod pack;
mod pad;
mod pool;
mod sums;
mod upsample;
mod winograd;

pub use activate::*;
pub use add::*;
pub use concatenate::*;
pub use convolve::*;
pub use convolve_half::*;
pub use convolve_weights::*;
pub use dropout::*;
pub use flip::*;
pub use norm::*;
pub use norm_statistics::*;
pub use pack::*;
pub use pad::*;
pub use pool::*;
pub use sums::*;
pub use upsample::*;
pub use winograd::*;

use crate::proof::trial::Trial;

/// The trials of this family, by file.
pub(super) static TRIALS: &[&[Trial]] = &[
    convolve::trial::TRIALS,
    convolve_half::trial::TRIALS,
    convolve_weights::trial::TRIALS,
    winograd::trial::TRIALS,
    flip::trial::TRIALS,
    pool::trial::TRIALS,
    upsample::trial::TRIALS,
    pad::trial::TRIALS,
    concatenate::trial::TRIALS,
    add::trial::TRIALS,
    dropout::trial::TRIALS,
    pack::trial::TRIALS,
    norm::trial::TRIALS,
    norm_statistics::trial::TRIALS,
    sums::trial::TRIALS,
    activate::trial::TRIALS,
];
