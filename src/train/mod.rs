//! Training of networks: one step as a plan, and the loop around it with learning rate, checkpoints and log.
//!
//! The loop knows a [`Network`](crate::nn::Network), an [`Objective`] and a [`Source`] of batches. It knows no
//! modality.
//!
//! `examples/mlp.rs` trains a small network with all three; `docs/training.md` explains them.

mod batches;
mod checkpoint;
mod event;
mod folder;
mod history;
mod learned;
mod losses;
mod metadata;
pub mod objective;
pub(crate) mod order;
mod run;
mod running;
mod settings;
mod source;
mod step;

pub use checkpoint::{Checkpoint, Progress};
pub use event::{End, TrainEvent};
pub use folder::TrainFolder;
pub use history::{Epoch, MeanLosses, Sums};
pub use learned::Learned;
pub use losses::{Losses, MOST_UNREAD};
pub use objective::{LossPart, MeanSquareError, Objective};
pub use run::Training;
pub use settings::{Schedule, TrainSettings};
pub use source::{DataSummary, Request, Source, Subset};
pub use step::{TrainStep, Validation};
