//! Kernels: core.

pub mod clear;
pub mod copy;
pub mod fma;
pub mod increment;
pub mod reduce;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] =
    &[&clear::CLEAR, &copy::COPY, &reduce::REDUCE, &increment::INCREMENT, &fma::FMA, &fma::FMA_UNITS];
