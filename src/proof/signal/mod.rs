//! Oracles and trials of the family `signal`.

mod fft;
mod harmonic;
mod resample;
mod spectral;

pub use fft::*;
pub use harmonic::*;
pub use resample::*;
pub use spectral::*;

use crate::proof::trial::Trial;

/// The trials of this family, by file.
pub(super) static TRIALS: &[&[Trial]] =
    &[fft::trial::TRIALS, spectral::trial::TRIALS, harmonic::trial::TRIALS, resample::trial::TRIALS];
