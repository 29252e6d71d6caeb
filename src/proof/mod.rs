//! Proof that kernels compute the right results: oracles in f64, trials of the kernels against them, and the
//! qualification and tuning of forms on a device. This module may use all modules below it. Only tests, benches and the
//! command line use it. The feature `proof` enables it.

mod core;
#[cfg(test)]
mod differences;
mod input;
mod learning;
mod made_up;
pub mod mmdi;
mod mre;
#[cfg(test)]
mod native;
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
pub use trial::{At, Expect, Trial, TrialSize, trial, trials};
pub use tune::{Tuned, Tuner};
