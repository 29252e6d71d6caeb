//! Kernels of inference by patches: cutting patches, merging overlapping predictions, and masks.

pub mod cut;
pub mod mask;
pub mod overlap;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] =
    &[&cut::CUT, &overlap::OVERLAP, &overlap::OVERLAP_STATISTICS, &mask::APPLY_MASK, &mask::UNSTACK];
