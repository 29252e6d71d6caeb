//! Proof that kernels compute what they should: their oracles in f64, their trials, and on top of these the qualification
//! and the tuning of forms on a device. This room looks at everything below it; only tests, benches and the command line
//! look at it. It is the feature `proof`.

mod core;
#[cfg(test)]
mod differences;
mod input;
mod learning;
mod made_up;
pub mod mmdi;
mod mre;
mod nn;
pub mod oracle;
mod philox;
pub mod qualify;
mod signal;
mod stencil;
mod tiles;
pub mod trial;
pub mod tune;
mod view;

pub use qualify::{Qualifier, qualify};
pub use trial::{At, Expect, Size, Trial, trial, trials};
pub use tune::{Tuned, Tuner};
