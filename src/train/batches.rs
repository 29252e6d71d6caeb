//! Preparation of batches in a thread of its own, so that the device does not wait for them.

use super::objective::Objective;
use super::order::{epoch_order, training_batches};
use super::settings::TrainSettings;
use super::source::{Request, Source, Subset};
use crate::error::Result;
use crate::nn::Channels;
use crate::tensor::Shape;
use std::sync::mpsc::sync_channel;

/// One batch in PyTorch's layout.
pub struct Batch {
    /// The network's inputs, then those of the objective.
    arrays: Vec<Vec<f32>>,
    /// Number of the network's inputs.
    inputs: usize,
}

impl Batch {
    /// The network's inputs, then those of the objective.
    pub fn arrays(&self) -> Vec<&[f32]> {
        self.arrays.iter().map(Vec::as_slice).collect()
    }

    /// The inputs of the objective.
    pub fn targets(&self) -> &[Vec<f32>] {
        &self.arrays[self.inputs..]
    }
}

/// The batches of a training.
pub struct Batches<'a, O, S: Source> {
    source: &'a S,
    settings: &'a TrainSettings<O, S::Settings>,
    /// Number of values per sample in each array.
    lengths: Vec<usize>,
    /// Number of the network's inputs.
    inputs: usize,
}

impl<'a, O: Objective, S: Source> Batches<'a, O, S> {
    pub fn new(source: &'a S, settings: &'a TrainSettings<O, S::Settings>) -> Self {
        let size = source.summary().size;
        let Channels { inputs, output } = source.channels();
        let images = |c| Shape::images(1, size, c);
        let others = settings.objective.inputs(images(output));
        let lengths = inputs.iter().map(|c| images(*c)).chain(others).map(Shape::len).collect();
        Self { source, settings, lengths, inputs: inputs.len() }
    }

    /// Passes the batches of `epoch` to `work` in order, from number `first`.
    ///
    /// # Errors
    /// Errors of the source and of `work`.
    pub fn train(&self, epoch: u32, first: usize, work: &mut dyn FnMut(Batch) -> Result<()>) -> Result<()> {
        let order = epoch_order(self.settings.seed, epoch, self.source.summary().train);
        std::thread::scope(|scope| {
            // While one batch is computed, a second one waits and a third one is prepared.
            let (sender, receiver) = sync_channel::<Result<Batch>>(1);
            scope.spawn(|| {
                let sender = sender;
                for samples in training_batches(&order, self.settings.batch).skip(first) {
                    if sender.send(self.gather(Subset::Train, epoch, samples, samples.len())).is_err() {
                        return; // The work failed and no longer receives.
                    }
                }
            });
            receiver.into_iter().try_for_each(|batch| work(batch?))
        })
    }

    /// Passes all samples for validation to `work` in order, in batches of `n`. The last batch is filled with zeros.
    ///
    /// # Errors
    /// Errors of the source and of `work`.
    pub fn validate(&self, n: usize, work: &mut dyn FnMut(Batch) -> Result<()>) -> Result<()> {
        let order: Vec<u32> = (0..self.source.summary().validation).collect();
        order.chunks(n).try_for_each(|samples| work(self.gather(Subset::Validation, 0, samples, n)?))
    }

    fn gather(&self, subset: Subset, epoch: u32, samples: &[u32], n: usize) -> Result<Batch> {
        let mut arrays: Vec<_> = self.lengths.iter().map(|len| vec![0.0; n * len]).collect();
        let mut into: Vec<_> =
            arrays.iter_mut().zip(&self.lengths).map(|(a, len)| &mut a[..samples.len() * len]).collect();
        let request = Request { subset, seed: self.settings.seed, epoch, samples };
        self.source.batch(&self.settings.source, request, &mut into)?;
        Ok(Batch { arrays, inputs: self.inputs })
    }
}
