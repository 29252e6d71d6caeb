//! Training: one step as a plan, and the loop around it with its schedule, checkpoints and log.

mod batches;
mod checkpoint;
mod data;
mod folder;
mod run;
mod settings;
mod step;

pub use checkpoint::{Checkpoint, Data, Epoch, MeanLosses, Progress, Sums};
pub use data::{Cutting, TrainingData};
pub use folder::Folder;
pub use run::{End, Event, Training};
pub use settings::{Schedule, TrainSettings};
pub use step::{Learned, Losses, Objective, TrainStep, Validation};
