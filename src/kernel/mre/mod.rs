//! Kernels of the direct inversion (MMDI), from the normalised field to maps in colour.

pub mod colour;
pub mod combine;
pub mod confidence;
pub mod fit;
pub mod normalise;
pub mod planes;
pub mod restore;
pub mod window;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] = &[
    &normalise::NORMALISE,
    &normalise::MOMENTS,
    &normalise::TOTAL,
    &restore::RESTORE,
    &fit::FIT,
    &fit::ROW_MOMENTS,
    &fit::RESIDUAL,
    &window::WINDOW,
    &window::WEIGH,
    &window::ERODE,
    &combine::COMBINE,
    &confidence::CONFIDENCE,
    &confidence::LOCAL_MEAN,
    &colour::COLOUR,
];
