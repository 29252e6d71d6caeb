//! What a training is set to, and how its learning rate falls.

use crate::error::{Error, Result};
use crate::kernel::learning::adam;
use crate::patches::{Augmentation, Normalisation};
use serde::{Deserialize, Serialize};

/// A training's settings. The defaults are the paper's (Iftikhar, Ahmad, Kolipaka 2025, §2.3) where it gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainSettings {
    /// Patches of one step.
    pub batch: usize,
    /// Passes through the training patches, at the most.
    pub epochs: u32,
    /// Adam's learning rate at the start.
    pub learning_rate: f32,
    /// What the learning rate is multiplied by…
    pub decay: f32,
    /// …after each so many epochs.
    pub decay_every: u32,
    /// How the learning rate falls.
    #[serde(default)]
    pub schedule: Schedule,
    /// Epochs without a better validation loss after which training stops.
    pub patience: u32,
    /// The factor λ of the mean total variation of the prediction beside the mean square error.
    pub total_variation: f32,
    /// How strongly parameters are drawn to zero: a term of the gradient, as in PyTorch's Adam.
    pub weight_decay: f32,
    /// The norm that the gradients together are scaled down to; 0 for any.
    pub clip: f32,
    /// What all that is random follows from.
    pub seed: u64,
    /// How patches are varied each time they are seen.
    pub augmentations: Vec<Augmentation>,
    /// How patches are normalised, then and always.
    #[serde(default)]
    pub normalisation: Normalisation,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// By a factor after each so many epochs.
    #[default]
    Steps,
    /// As half a cosine from the first epoch to the last, where it is near 0 (Loshchilov and Hutter, 2017).
    Cosine,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            batch: 128,
            epochs: 150,
            learning_rate: 3e-4,
            decay: 0.8,
            decay_every: 20,
            schedule: Schedule::Steps,
            patience: 30,
            total_variation: 0.01,
            weight_decay: 0.0,
            clip: 0.0,
            seed: 1,
            augmentations: Vec::new(),
            normalisation: Normalisation::None,
        }
    }
}

impl TrainSettings {
    /// Refuses what cannot be trained with.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the setting.
    pub fn check(&self) -> Result<()> {
        let whole = [
            ("batch", self.batch as u64),
            ("epochs", self.epochs.into()),
            ("decay-every", self.decay_every.into()),
            ("patience", self.patience.into()),
        ];
        if let Some((name, _)) = whole.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::Usage(format!("--{name} is 1 or more")));
        }
        let positive = [("learning-rate", self.learning_rate), ("decay", self.decay)];
        if let Some((name, value)) = positive.into_iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(Error::Usage(format!("--{name} is a number above 0, not {value}")));
        }
        let least = [("tv", self.total_variation), ("weight-decay", self.weight_decay), ("clip", self.clip)];
        if let Some((name, value)) = least.into_iter().find(|(_, v)| !(v.is_finite() && *v >= 0.0)) {
            return Err(Error::Usage(format!("--{name} is a number from 0 on, not {value}")));
        }
        crate::patches::check(&self.augmentations)
    }

    /// The learning rate in `epoch`, from 0 on.
    pub fn learning_rate(&self, epoch: u32) -> f32 {
        self.learning_rate
            * match self.schedule {
                Schedule::Steps => self.decay.powi((epoch / self.decay_every) as i32),
                Schedule::Cosine => {
                    // In the middle of the epoch, so that the last one learns too.
                    let done = (epoch as f32 + 0.5) / self.epochs as f32;
                    (1.0 + (std::f32::consts::PI * done).cos()) / 2.0
                }
            }
    }

    /// The optimiser's part.
    pub fn optimiser(&self) -> adam::Settings {
        adam::Settings { weight_decay: self.weight_decay, max_norm: self.clip, ..Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_falls_in_steps() {
        let settings = TrainSettings::default();
        let rates = [0, 19, 20, 40].map(|epoch| settings.learning_rate(epoch) / 3e-4);
        let expected = [1.0, 1.0, 0.8, 0.64];
        assert!(rates.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{rates:?}");
    }

    #[test]
    fn what_cannot_be_trained_with_is_named() {
        let refused = |change: fn(&mut TrainSettings), name: &str| {
            let mut settings = TrainSettings::default();
            change(&mut settings);
            let error = settings.check().expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        };
        TrainSettings::default().check().expect("the defaults");
        refused(|s| s.batch = 0, "--batch");
        refused(|s| s.decay_every = 0, "--decay-every");
        refused(|s| s.learning_rate = f32::NAN, "--learning-rate");
        refused(|s| s.total_variation = -1.0, "--tv");
        refused(|s| s.clip = f32::INFINITY, "--clip");
        refused(|s| s.augmentations.push(Augmentation::Gains { most: 0.5 }), "most");
    }
}
