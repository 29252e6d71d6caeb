//! Kernels of signal processing: Fourier transforms, spectral filters, harmonics, and resampling.

pub mod fft;
pub mod harmonic;
pub mod resample;
pub mod spectral;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] =
    &[&fft::FFT, &fft::CHIRP, &spectral::SPECTRAL, &harmonic::HARMONIC, &resample::RESAMPLE];
