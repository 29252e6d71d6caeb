//! Trials of the family `signal`.

pub(crate) mod fft;
pub(crate) mod harmonic;
pub(crate) mod resample;
pub(crate) mod spectral;

use super::Trial;

/// The trials of this family, by file.
pub static TRIALS: &[&[Trial]] = &[
    fft::TRIALS,
    spectral::TRIALS,
    harmonic::TRIALS,
    resample::TRIALS,
];
