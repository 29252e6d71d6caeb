//! Kernels of general use: clearing, copying, counting, gates, sums of parts, and the arithmetic ceilings.

pub mod clear;
pub mod copy;
pub mod fma;
pub mod gate;
pub mod increment;
pub mod reduce;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] = &[
    &clear::CLEAR,
    &copy::COPY,
    &reduce::REDUCE,
    &increment::INCREMENT,
    &gate::GATE,
    &fma::FMA,
    &fma::FMA_UNITS,
];
