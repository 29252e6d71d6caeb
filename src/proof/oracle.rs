//! Every oracle under its kernel's name. An oracle computes the kernel's result in f64 on the CPU, and is written for
//! clarity. No program falls back to it. An oracle shares types with its kernel, for example a pooling's mode, but no
//! logic.

pub use super::input::{blot, flat, flat_real, waves, wide, wide_complex, wide4};
pub use super::{core::*, learning::*, mre::*, nn::*, signal::*, tiles::*};
pub use crate::proof::philox::philox;
pub use crate::proof::stencil::stencil;
