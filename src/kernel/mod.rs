//! The kernels, by family. A file holds one family of operations, for example padding and its gradient. For each kernel
//! it has the row of the [`TABLE`], the parameters, and the function that records the kernel with its cost and extents.
//!
//! A kernel has one name everywhere: `kernels/signal/fft.wgsl`, a row in `src/kernel/signal/fft.rs`, the oracle and
//! trial in `src/proof`, and the GPU label `fft RADIX=8`.

pub mod core;
pub mod form;
pub mod learning;
pub(crate) mod lines;
pub mod mre;
pub mod nn;
pub(crate) mod quads;
pub mod signal;
pub mod tiles;

use crate::plan::Kernel;

/// The rows of every kernel, by family.
pub static TABLE: [&[&Kernel]; 6] =
    [core::TABLE, signal::TABLE, mre::TABLE, tiles::TABLE, nn::TABLE, learning::TABLE];

/// Every kernel.
pub fn kernels() -> impl Iterator<Item = &'static Kernel> {
    TABLE.iter().flat_map(|family| family.iter().copied())
}
