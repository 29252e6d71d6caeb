//! The settings of a training, and its learning rate.

use super::losses::MOST_UNREAD;
use crate::error::{Error, Result};
use crate::kernel::learning::adam::AdamSettings;
use serde::{Deserialize, Serialize};

/// The settings of a training: those of the loop, of the objective `O`, and of the source `S`. In JSON they are one
/// flat object. The defaults are the paper's (Iftikhar, Ahmad, Kolipaka 2025, §2.3) where it states them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainSettings<O = (), S = ()> {
    /// Samples in a step.
    pub batch: usize,
    /// Maximum number of passes through the training samples.
    pub epochs: u32,
    /// Adam's learning rate at the start.
    pub learning_rate: f32,
    /// The factor of the learning rate after every `decay_every` epochs.
    pub decay: f32,
    /// The number of epochs between two decays.
    pub decay_every: u32,
    /// The course of the learning rate.
    #[serde(default)]
    pub schedule: Schedule,
    /// Number of epochs without a lower validation loss after which the training stops.
    pub patience: u32,
    /// The weight decay: a term of the gradient, as in PyTorch's Adam.
    pub weight_decay: f32,
    /// The maximum norm of all gradients together; larger gradients are scaled down. 0 for no maximum.
    pub clip: f32,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Maximum number of steps after which the losses are read from the device, 1 to 64. Reading waits for the device.
    /// On slow devices they are read more often, about once a second. Results do not depend on this.
    #[serde(default = "read_every")]
    pub read_every: usize,
    /// The objective.
    #[serde(flatten)]
    pub objective: O,
    /// The settings of the source.
    #[serde(flatten)]
    pub source: S,
}

fn read_every() -> usize {
    16
}

/// The course of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Multiplied by a factor at regular intervals.
    #[default]
    Steps,
    /// Half a cosine from the first epoch to the last, where it is near 0 (Loshchilov and Hutter, 2017).
    Cosine,
}

impl<O: Default, S: Default> Default for TrainSettings<O, S> {
    fn default() -> Self {
        Self {
            batch: 128,
            epochs: 150,
            learning_rate: 3e-4,
            decay: 0.8,
            decay_every: 20,
            schedule: Schedule::Steps,
            patience: 30,
            weight_decay: 0.0,
            clip: 0.0,
            seed: 1,
            read_every: read_every(),
            objective: O::default(),
            source: S::default(),
        }
    }
}

impl<O, S> TrainSettings<O, S> {
    /// Checks the settings of the loop. Objective and source check their own.
    ///
    /// # Errors
    /// [`Error::Setting`] that names the setting.
    pub fn check(&self) -> Result<()> {
        let whole = [
            ("batch", self.batch as u64),
            ("epochs", self.epochs.into()),
            ("decay_every", self.decay_every.into()),
            ("patience", self.patience.into()),
        ];
        if let Some((name, value)) = whole.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::setting(name, value, "it must be 1 or more"));
        }
        let positive = [("learning_rate", self.learning_rate), ("decay", self.decay)];
        if let Some((name, value)) = positive.into_iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(Error::setting(name, value, "it must be a number above 0"));
        }
        let least = [("weight_decay", self.weight_decay), ("clip", self.clip)];
        if let Some((name, value)) = least.into_iter().find(|(_, v)| !(v.is_finite() && *v >= 0.0)) {
            return Err(Error::setting(name, value, "it must be a number from 0 on"));
        }
        if !(1..=MOST_UNREAD).contains(&self.read_every) {
            let allowed = format!("it must be from 1 to {MOST_UNREAD}");
            return Err(Error::setting("read_every", self.read_every, allowed));
        }
        Ok(())
    }

    /// The learning rate in `epoch`, from 0 on.
    pub fn learning_rate(&self, epoch: u32) -> f32 {
        self.learning_rate
            * match self.schedule {
                Schedule::Steps => self.decay.powi((epoch / self.decay_every) as i32),
                Schedule::Cosine => {
                    // The middle of the epoch, so that the last epoch learns too.
                    let done = (epoch as f32 + 0.5) / self.epochs as f32;
                    (1.0 + (std::f32::consts::PI * done).cos()) / 2.0
                }
            }
    }

    /// The settings of the optimiser.
    pub fn optimiser(&self) -> AdamSettings {
        AdamSettings { weight_decay: self.weight_decay, max_norm: self.clip, ..Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::MeanSquareError;

    type Plain = TrainSettings<MeanSquareError>;

    #[test]
    fn the_learning_rate_falls_in_steps() {
        let settings = Plain::default();
        let rates = [0, 19, 20, 40].map(|epoch| settings.learning_rate(epoch) / 3e-4);
        let expected = [1.0, 1.0, 0.8, 0.64];
        assert!(rates.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{rates:?}");
    }

    #[test]
    fn invalid_settings_are_named() {
        let refused = |change: fn(&mut Plain), name: &str| {
            let mut settings = Plain::default();
            change(&mut settings);
            let error = settings.check().expect_err(name);
            assert!(matches!(error, Error::Setting { name: found, .. } if found == name), "{error}");
        };
        Plain::default().check().expect("the defaults");
        refused(|s| s.batch = 0, "batch");
        refused(|s| s.decay_every = 0, "decay_every");
        refused(|s| s.learning_rate = f32::NAN, "learning_rate");
        refused(|s| s.clip = f32::INFINITY, "clip");
        refused(|s| s.read_every = 65, "read_every");
    }

    #[test]
    fn settings_without_parts_are_read_again() {
        let settings = Plain { learning_rate: 1.5e-3, ..Default::default() };
        let text = serde_json::to_string(&settings).unwrap();
        assert!(text.ends_with(r#""seed":1,"read_every":16}"#), "{text}");
        assert_eq!(serde_json::from_str::<Plain>(&text).unwrap(), settings);
        // Older files do not have this key.
        let older = text.replace(r#","read_every":16"#, "");
        assert_eq!(serde_json::from_str::<Plain>(&older).unwrap(), settings);
    }
}
