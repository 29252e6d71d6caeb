//! Training of networks: one step as a plan, and the loop around it with learning rate, checkpoints and log.
//!
//! The loop knows a [`Network`](crate::nn::Network), an [`Objective`] and a [`Source`] of batches. It knows no
//! modality.
//! `examples/mlp.rs` trains a small network with all three; `docs/training.md` explains them.

mod batches;
mod checkpoint;
mod folder;
mod history;
mod learned;
pub mod objective;
pub(crate) mod order;
mod run;
mod settings;
mod source;
mod step;

pub use checkpoint::{Checkpoint, Progress};
pub use folder::Folder;
pub use history::{Epoch, MeanLosses, Sums};
pub use learned::Learned;
pub use objective::{LossPart, MeanSquareError, Objective};
pub use run::{End, Event, Training};
pub use settings::{Schedule, TrainSettings};
pub use source::{DataSummary, Request, Source, Subset};
pub use step::{Losses, MOST_UNREAD, TrainStep, Validation};
