//! Batches made ready by a thread of their own, so that the device does not wait for them.

use super::settings::TrainSettings;
use crate::error::Result;
use crate::patches::{Draw, PatchMut, Source, augment, epoch_order, training_batches};
use std::sync::mpsc::sync_channel;

/// One batch in PyTorch's layout: input `[n, 2, h, w]`, truth and mask `[n, 1, h, w]`.
pub struct Batch {
    input: Vec<f32>,
    truth: Vec<f32>,
    mask: Vec<f32>,
}

impl Batch {
    /// Room for `n` patches of `shape`.
    fn zeros(n: usize, [h, w]: [usize; 2]) -> Self {
        let pixels = n * h * w;
        Self { input: vec![0.0; 2 * pixels], truth: vec![0.0; pixels], mask: vec![0.0; pixels] }
    }

    /// Input, truth, mask.
    pub fn parts(&self) -> [&[f32]; 3] {
        [&self.input, &self.truth, &self.mask]
    }

    /// What the losses of this batch are worth: the sum of its mask, and how many pixels are in it.
    pub fn weights(&self) -> [f64; 2] {
        let sum = self.mask.iter().map(|&w| f64::from(w)).sum();
        [sum, self.mask.iter().filter(|w| **w > 0.0).count() as f64]
    }

    /// The patches of `draws`, varied by `work`, and, up to `n`, patches of nothing with a mask of nothing.
    fn gather(
        patches: &dyn Source,
        draws: &[Draw],
        n: usize,
        work: &dyn Fn(Draw, &mut PatchMut),
    ) -> Result<Self> {
        let mut batch = Self::zeros(n, patches.shape());
        let pixels = draws.len() * patches.shape().iter().product::<usize>();
        let Self { input, truth, mask } = &mut batch;
        let [input, truth, mask] = [&mut input[..2 * pixels], &mut truth[..pixels], &mut mask[..pixels]];
        patches.gather(draws, input, truth, mask)?;
        for (draw, mut own) in draws.iter().zip(PatchMut::each(patches.shape(), input, truth, mask)) {
            work(*draw, &mut own);
        }
        Ok(batch)
    }
}

/// Hands `work` the batches of `epoch` in order, from number `first` on. It returns whether to go on.
///
/// # Errors
/// That of reading the patches, or of `work`.
pub fn train(
    patches: &dyn Source,
    settings: &TrainSettings,
    epoch: u32,
    first: usize,
    work: &mut dyn FnMut(Batch) -> Result<()>,
) -> Result<()> {
    let order = epoch_order(settings.seed, epoch, patches.len());
    let make = |indices: &[u32]| {
        let draws = draws(settings, epoch, indices);
        Batch::gather(patches, &draws, draws.len(), &|draw, patch| {
            augment(&settings.augmentations, draw, patch);
            settings.normalisation.apply(patch);
        })
    };
    std::thread::scope(|scope| {
        // One being made while one waits and one is worked on.
        let (sender, receiver) = sync_channel::<Result<Batch>>(1);
        scope.spawn(|| {
            let sender = sender;
            for indices in training_batches(&order, settings.batch).skip(first) {
                if sender.send(make(indices)).is_err() {
                    return; // The work has failed and listens no more.
                }
            }
        });
        receiver.into_iter().try_for_each(|batch| work(batch?))
    })
}

/// Hands `work` all patches in order, in batches of `n`, as they are but normalised.
///
/// # Errors
/// That of reading the patches, or of `work`.
pub fn validate(
    patches: &dyn Source,
    settings: &TrainSettings,
    n: usize,
    work: &mut dyn FnMut(Batch) -> Result<()>,
) -> Result<()> {
    let order: Vec<u32> = (0..patches.len()).collect();
    order.chunks(n).try_for_each(|indices| {
        let draws = draws(settings, 0, indices);
        work(Batch::gather(patches, &draws, n, &|_, patch| settings.normalisation.apply(patch))?)
    })
}

fn draws(settings: &TrainSettings, epoch: u32, indices: &[u32]) -> Vec<Draw> {
    indices.iter().map(|&patch| Draw { seed: settings.seed, epoch, patch }).collect()
}
