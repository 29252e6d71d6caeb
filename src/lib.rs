//! palpate: tissue stiffness from shear waves, on any GPU.

pub mod error;
pub mod gpu;
pub mod io;
pub mod kernel;
pub mod mmdi;
pub mod oracle;
pub mod plan;
pub mod stats;
pub mod wave;

pub use error::{Error, Result};
pub use wgpu;
