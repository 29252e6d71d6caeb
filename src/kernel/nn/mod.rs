//! Kernels of networks: convolutions, norms, activations, pooling, and changes of layout.

pub mod activate;
pub mod add;
pub mod concatenate;
pub mod convolve;
pub mod convolve_half;
pub mod convolve_weights;
pub mod dropout;
pub mod flip;
pub mod norm;
pub mod norm_statistics;
pub mod pack;
pub mod pad;
pub mod pool;
pub mod sums;
pub mod upsample;
pub mod winograd;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] = &[
    &convolve::CONVOLVE,
    &convolve_half::CONVOLVE_HALF,
    &convolve_weights::CONVOLVE_WEIGHTS,
    &winograd::WINOGRAD_INPUT,
    &winograd::WINOGRAD_WEIGHTS,
    &winograd::WINOGRAD_OUTPUT,
    &flip::FLIP,
    &pool::POOL,
    &pool::POOL_GRAD,
    &upsample::UPSAMPLE,
    &upsample::UPSAMPLE_GRAD,
    &pad::PAD,
    &pad::PAD_GRAD,
    &concatenate::CONCATENATE,
    &concatenate::EXTRACT,
    &activate::ACTIVATE,
    &add::ADD,
    &dropout::DROPOUT,
    &pack::PACK,
    &pack::UNPACK,
    &norm::NORM,
    &norm::NORM_SUMS,
    &norm::NORM_GRAD,
    &norm_statistics::NORM_STATISTICS,
    &norm_statistics::NORM_MOMENTS,
    &norm_statistics::NORM_RUNNING,
    &sums::CHANNEL_SUMS,
    &sums::SUM_GROUPS,
];
