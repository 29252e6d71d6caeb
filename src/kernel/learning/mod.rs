//! Kernels of training: losses, their gradients, and the optimiser.

pub mod adam;
pub mod combine_losses;
pub mod mse;
pub mod total_variation;

use crate::plan::Kernel;

/// The rows of this family.
pub static TABLE: &[&Kernel] = &[
    &adam::ADAM,
    &adam::GRADIENT_NORM,
    &mse::MSE,
    &mse::MSE_GRAD,
    &total_variation::TOTAL_VARIATION,
    &total_variation::TOTAL_VARIATION_GRAD,
    &combine_losses::COMBINE_LOSSES,
    &combine_losses::WEIGHTED_MEAN,
];
