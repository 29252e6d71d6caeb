//! palpate: tissue stiffness from shear waves, on any GPU.
//!
//! Magnetic resonance elastography shakes tissue, images the shear wave, and inverts the wave image into a
//! map of stiffness. This crate does the inversion in hand-written WGSL compute shaders on [`wgpu`]. It is a
//! research tool, not a medical device.
//!
//! The rooms, from below: [`gpu`] owns devices; [`kernel`] has a row for each shader, with its wrapper and
//! its cost; [`plan`] records and replays dispatches; [`mmdi`] is the inversion; [`tape`], [`nn`],
//! [`patches`] and [`train`] are networks; [`fem`] computes waves and [`phantom`] says of what; [`wave`] and [`io`] are
//! images and files; [`oracle`] has the kernels once more in f64, for tests.
//!
//! ```no_run
//! use palpate::gpu::{AdapterChoice, Gpu};
//! use palpate::kernel::{mre::planes::Plane, signal::harmonic::Frames};
//! use palpate::mmdi::{Mmdi, Settings};
//! use palpate::plan::{Checks, Pipelines};
//!
//! # fn main() -> palpate::Result<()> {
//! let gpu = Gpu::open(&AdapterChoice::Best)?;
//! let settings = Settings { frequency_hz: 60.0, ..Settings::new([256, 256], [1.0, 1.0], Frames::Phases(8)) };
//! let mmdi = Mmdi::new(&Pipelines::new(&gpu, Checks::Off), &settings, &|_, _| {})?;
//! # let (frames, mask) = (vec![0f32; 8 * 256 * 256], vec![false; 256 * 256]);
//! let maps = mmdi.invert(&frames, &mask)?;
//! let stiffness_kpa = Plane::Stiffness.of(&maps);
//! # Ok(()) }
//! ```
//!
//! To compute inside a renderer of your own, on your device and into your buffers, see
//! [`mmdi::Mmdi::embedded`] and `examples/embed.rs`.

pub mod bench;
pub mod colour;
pub mod dime;
pub mod error;
pub mod fem;
pub mod gpu;
pub mod io;
pub mod kernel;
mod memory;
pub mod mmdi;
pub mod nn;
pub mod oracle;
pub mod patches;
pub mod phantom;
pub mod plan;
pub mod proof;
pub mod shader;
pub mod stats;
pub mod tape;
pub mod tensor;
pub mod train;
pub mod wave;

pub use error::{Error, Result};
pub use wgpu;
