//! Reports of a training in progress.

use super::history::Epoch;
use super::losses::Losses;

/// A report of a training in progress.
pub enum TrainEvent<'a> {
    /// The bytes of device memory that it will take; nothing is allocated yet.
    Memory(u64),
    /// The number of compiled kernels, and the total.
    Compiling(usize, usize),
    /// A step whose losses have been read.
    Step {
        /// The epoch, from 0.
        epoch: u32,
        /// Finished steps of this epoch.
        done: usize,
        /// Steps of a whole epoch.
        steps: usize,
        /// Samples in a step.
        batch: usize,
        /// Wall-clock time of the finished steps of this epoch, s.
        seconds: f64,
        /// The losses of the step.
        losses: &'a Losses,
        /// Floating-point operations of a step.
        flops: f64,
    },
    /// A finished epoch.
    Epoch(&'a Epoch),
}

/// The reason why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Done,
    /// The validation loss did not fall for as many epochs as the patience allows.
    Patience,
}
