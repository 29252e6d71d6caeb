//! DIME: stiffness from patches of a wave, by a U-Net (Iftikhar, Ahmad, Kolipaka 2025).
//!
//! The wave is resampled to the network's grid and cut into overlapping patches, each normalised separately.
//! The network estimates the storage modulus of every patch. Overlapping predictions are averaged, and their
//! spread gives the uncertainty. All of this is one plan on the GPU.
//!
//! A single plane shows three-dimensional waves only in part, and the result depends on the shape of the body.
//! [`Model`] therefore names the forward model of the training, `bulk` or `slab`. It is part of every result.

#[cfg(test)]
mod allocations;
mod batch;
mod builtin;
#[cfg(feature = "simulation")]
mod calibrate;
mod frequencies;
mod infer;
mod lattice;
mod model;
mod objective;
mod settings;
mod surroundings;
#[cfg(feature = "simulation")]
mod training;
mod views;

pub use builtin::DimeWeights;
#[cfg(feature = "simulation")]
pub use calibrate::{Bin, Calibrated, Kind, calibrate, passes};
pub use frequencies::combine_frequencies;
pub use infer::{Dime, DimeMap};
pub use model::{CONVENTION, Calibration, Model};
pub use objective::MseTv;
pub use settings::DimeSettings;
pub use surroundings::Surroundings;
#[cfg(feature = "simulation")]
pub use training::{Cutting, DimeCheckpoint, DimeTrainSettings, DimeTraining, PatchSettings, TrainingData};
pub use views::Views;
