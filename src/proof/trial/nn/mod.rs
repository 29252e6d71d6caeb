//! Trials of the family `nn`.

pub(crate) mod activate;
pub(crate) mod add;
pub(crate) mod concatenate;
pub(crate) mod convolve;
pub(crate) mod convolve_half;
pub(crate) mod convolve_weights;
pub(crate) mod dropout;
pub(crate) mod flip;
pub(crate) mod norm;
pub(crate) mod norm_statistics;
pub(crate) mod pack;
pub(crate) mod pad;
pub(crate) mod pool;
pub(crate) mod sums;
pub(crate) mod upsample;
pub(crate) mod winograd;

use super::Trial;

/// The trials of this family, by file.
pub static TRIALS: &[&[Trial]] = &[
    convolve::TRIALS,
    convolve_half::TRIALS,
    convolve_weights::TRIALS,
    winograd::TRIALS,
    flip::TRIALS,
    pool::TRIALS,
    upsample::TRIALS,
    pad::TRIALS,
    concatenate::TRIALS,
    activate::TRIALS,
    add::TRIALS,
    dropout::TRIALS,
    pack::TRIALS,
    norm::TRIALS,
    norm_statistics::TRIALS,
    sums::TRIALS,
];
