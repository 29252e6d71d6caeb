//! palpate: maps of tissue stiffness from shear waves, on any GPU or on the processor.
//!
//! Magnetic resonance elastography shakes tissue, images the shear wave, and inverts the wave image into a map of
//! stiffness. This crate inverts in hand-written WGSL compute shaders on [`wgpu`], or in native code on the processor
//! where there is no GPU. It is a research tool, not a medical device.
//!
//! The names at the top level are enough for most programs: a device ([`Device`]), the inversions ([`Mmdi`], [`Dime`]), a
//! network on plain images ([`Forward`]), and custom networks ([`Tape`], [`train`]). Their parts are in [`lowlevel`].
//!
//! ```no_run
//! use palpate::{AdapterChoice, Checks, Device, Frames, Mmdi, MmdiMap, MmdiSettings, Pipelines, Size};
//!
//! # fn main() -> palpate::Result<()> {
//! let device = Device::open(&AdapterChoice::Best)?; // a GPU, or else the processor
//! let settings = MmdiSettings::new(Size::new(256, 256), [1.0, 1.0], Frames::Phases(8));
//! let mmdi = Mmdi::new(&Pipelines::new(&device, Checks::Off), &settings, &|_, _| {})?;
//! # let (frames, mask) = (vec![0f32; 8 * 256 * 256], vec![false; 256 * 256]);
//! let maps = mmdi.invert(&frames, &mask)?;
//! let stiffness_kpa = MmdiMap::Stiffness.of(&maps);
//! # Ok(()) }
//! ```
//!
//! [`Mmdi::embedded`], [`Dime::embedded`] and `examples/embed.rs` show how to compute inside your own renderer, on your
//! device and into your buffers.

#![warn(missing_docs)]

#[cfg(feature = "proof")]
mod bench;
mod colour;
mod device;
mod dime;
mod embed;
mod error;
#[cfg(feature = "simulation")]
mod fem;

#[cfg(feature = "files")]
mod io;
mod kernel;
mod memory;
mod mmdi;
mod nn;
mod patches;
#[cfg(feature = "simulation")]
mod phantom;
mod plan;
mod processor;
#[cfg(feature = "proof")]
mod proof;
mod shader;
mod size;
#[cfg(feature = "files")]
mod stats;
mod store;
mod tape;
mod tensor;
pub mod train;
#[cfg(feature = "files")]
mod wave;

pub use device::{AdapterChoice, Buffer, Device, Texture};
pub use dime::{Dime, DimeMap, DimeSettings, DimeWeights};
pub use embed::Host;
pub use error::{Error, Result};
pub use kernel::form::Chooser;
pub use kernel::mre::colour::Colouring;
pub use kernel::mre::planes::MmdiMap;
pub use kernel::nn::activate::Activation;
pub use kernel::signal::harmonic::Frames;
pub use mmdi::{Mmdi, MmdiMode, MmdiSettings};
pub use nn::{Forward, Unet, UnetSettings, Weights};
pub use plan::{Checks, Pipelines, Plan, Recorder};
pub use processor::{Instructions, Memory, Processor};
pub use size::Size;
pub use tape::{Tape, Var};
pub use tensor::Shape;
pub use wgpu;

/// The modules behind the names above, for programs that need more: benches, tests, tools for other networks. They
/// change more often than the names above. Dependencies between the modules run in one direction;
/// `docs/architecture.md` has a diagram.
pub mod lowlevel {
    macro_rules! rooms {
        ($($(#[$meta:meta])* $name:ident),* $(,)?) => {
            $($(#[$meta])* pub mod $name { pub use crate::$name::*; })*
        };
    }
    rooms! {
        /// Devices: adapters, their capabilities, memory.
        device,
        /// Shaders as text: assembly, reflection, translation.
        shader,
        /// Recordings of dispatches, and plans that replay them.
        plan,
        /// Tensors in buffers of a plan.
        tensor,
        /// The kernels and their forms.
        kernel,
        /// Differentiable operations.
        tape,
        /// Networks and their weights.
        nn,
        /// Training.
        train,
        /// Patches, for training and inference.
        patches,
        /// The buffers and the texture that a host lends to an inversion.
        embed,
        /// The direct inversion, MMDI.
        mmdi,
        /// The inversion by a network, DIME.
        dime,
        /// Finite elements.
        #[cfg(feature = "simulation")]
        fem,
        /// Simulated phantoms.
        #[cfg(feature = "simulation")]
        phantom,
        /// Agreement between maps, and regions.
        #[cfg(feature = "files")]
        stats,
        /// Wave images.
        #[cfg(feature = "files")]
        wave,
        /// Colour maps.
        colour,
        /// Files: NIfTI, MATLAB, NumPy, DICOM, PNG.
        #[cfg(feature = "files")]
        io,
        /// Oracles, trials, qualification and tuning.
        #[cfg(feature = "proof")]
        proof,
        /// Measurements of this adapter's speed.
        #[cfg(feature = "proof")]
        bench,
    }
}
