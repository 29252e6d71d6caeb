//! Training: one step as a plan, and the loop around it with its schedule, checkpoints and log.

mod step;

pub use step::{Learned, Losses, Objective, TrainStep, Validation};
