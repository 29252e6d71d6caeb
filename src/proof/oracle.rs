//! Every oracle under its kernel's name: the kernels once more, in f64 on the processor, written for clarity. Nothing falls
//! back to them. An oracle shares types with its kernel, such as a pooling's mode, but none of its logic.

pub use super::input::{blot, flat, flat_real, waves, wide, wide_complex, wide4};
pub use super::{core::*, learning::*, mre::*, nn::*, signal::*, tiles::*};
pub use crate::proof::philox::philox;
pub use crate::proof::stencil::stencil;
