//! Kernels of inference by patches: placing and cutting patches and their surroundings, merging overlapping predictions, and masks.

pub mod coarsen;
pub mod cut;
pub mod lattice;
pub mod mask;
pub mod overlap;
mod view;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] = &[
    &lattice::LATTICE_BOUNDS,
    &lattice::LATTICE_OPEN,
    &lattice::LATTICE_TAKE,
    &lattice::LATTICE_NUMBER,
    &coarsen::COARSEN,
    &cut::CUT,
    &overlap::OVERLAP,
    &overlap::OVERLAP_STATISTICS,
    &mask::APPLY_MASK,
    &mask::UNSTACK,
];
