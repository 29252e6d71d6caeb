//! DIME: stiffness from patches of a wave by a U-Net (Iftikhar, Ahmad, Kolipaka 2025).
//!
//! The wave is brought onto the network's grid, cut into overlapping patches, each normalised by itself; the network
//! tells the shear modulus of every patch; where patches overlap, their predictions are averaged, and their spread
//! tells how far to trust them. All of it is one plan on the GPU.
//!
//! What a network can know of three-dimensional waves from one plane depends on the body they run in: [`Model`] names
//! the forward model that a network was trained with, `bulk` or `slab`, which is part of every result.

mod builtin;
mod calibrate;
mod infer;
mod lattice;
mod model;
mod views;

pub use builtin::Builtin;
pub use calibrate::{Bin, calibrate};
pub use infer::{Dime, Host, Plane, Settings};
pub use model::{CONVENTION, Calibration, Model};
pub use views::Views;
