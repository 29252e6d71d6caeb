//! The losses of a training: sums over the current epoch, and a record of each finished one.

use super::checkpoint::Progress;
use super::losses::Losses;
use super::objective::Objective;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Index;

/// Sums over the steps of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Sum of the norms of the gradients.
    pub gradient_norm: f64,
    /// Wall-clock time, s.
    pub seconds: f64,
    /// Sums of the parts of the loss, by name.
    #[serde(flatten)]
    pub parts: BTreeMap<String, f64>,
}

/// Mean losses. `losses["mse"]` is the part `mse`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanLosses {
    /// The sum of the parts, each times its factor.
    pub total: f64,
    /// The parts, by name.
    #[serde(flatten)]
    pub parts: BTreeMap<String, f64>,
}

/// One epoch: a line of `losses.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The number, from 1.
    pub epoch: u32,
    /// Number of steps done by its end.
    pub step: u32,
    /// The learning rate.
    pub learning_rate: f32,
    /// Mean over its steps, each with the parameters before it.
    pub train: MeanLosses,
    /// Mean over all samples for validation, with the parameters after the epoch.
    pub validation: MeanLosses,
    /// Mean norm of the gradients.
    pub gradient_norm: f64,
    /// True if no earlier epoch had a validation loss as low as this.
    pub best: bool,
    /// Wall-clock time of the steps, s.
    pub seconds: f64,
    /// Samples per second in training.
    #[serde(rename = "patches_per_second")]
    pub samples_per_second: f64,
    /// Useful arithmetic of the kernels, 10⁹ operations per second.
    pub gflops: f64,
}

impl Index<&str> for MeanLosses {
    type Output = f64;

    /// # Panics
    /// If the objective has no part of this name.
    fn index(&self, name: &str) -> &f64 {
        &self.parts[name]
    }
}

impl MeanLosses {
    /// `means` are those of the parts, in their order.
    pub(super) fn new(objective: &impl Objective, means: &[f64]) -> Self {
        let parts = objective.parts();
        let terms = parts.iter().zip(means).filter(|(part, _)| part.factor != 0.0);
        // The first term starts the sum: adding it to 0 is left out, so that one term stays as it is.
        let total = terms.map(|(part, mean)| f64::from(part.factor) * mean).reduce(|a, b| a + b);
        let parts = parts.iter().zip(means).map(|(part, mean)| (part.name.into(), *mean)).collect();
        Self { total: total.unwrap_or_default(), parts }
    }

    pub(super) fn is_finite(&self) -> bool {
        self.total.is_finite() && self.parts.values().all(|v| v.is_finite())
    }

    /// The parts in words: "mse 2.5 kPa², total_variation 0.1 kPa per pixel".
    pub(super) fn describe(&self, objective: &impl Objective) -> String {
        describe(objective, &mut |i| self.parts[objective.parts()[i].name])
    }
}

/// The values of an objective's parts in words.
pub(super) fn describe(objective: &impl Objective, value: &mut dyn FnMut(usize) -> f64) -> String {
    let parts = objective.parts();
    let one = |i: usize| format!("{} {} {}", parts[i].name, value(i), parts[i].unit).trim_end().to_string();
    (0..parts.len()).map(one).collect::<Vec<_>>().join(", ")
}

impl Sums {
    pub(super) fn add(&mut self, objective: &impl Objective, losses: &Losses, seconds: f64) {
        for (part, loss) in objective.parts().iter().zip(&losses.parts) {
            *self.parts.entry(part.name.into()).or_default() += f64::from(*loss);
        }
        self.gradient_norm += f64::from(losses.gradient_norm);
        self.seconds += seconds;
    }
}

impl Epoch {
    /// The record of the epoch that `progress` has just finished, with steps of `batch` samples and `flops` operations.
    pub(super) fn new<W, O: Objective, S>(
        progress: &Progress<W, O, S>,
        validation: MeanLosses,
        batch: usize,
        flops: f64,
    ) -> Self {
        let Progress { settings, sums, .. } = progress;
        let n = progress.batches as f64;
        let seconds = sums.seconds.max(f64::MIN_POSITIVE);
        let parts = settings.objective.parts();
        let means: Vec<_> =
            parts.iter().map(|p| sums.parts.get(p.name).copied().unwrap_or(0.0) / n).collect();
        Self {
            epoch: progress.epoch + 1,
            step: progress.step,
            learning_rate: settings.learning_rate(progress.epoch),
            train: MeanLosses::new(&settings.objective, &means),
            gradient_norm: sums.gradient_norm / n,
            best: progress.history.iter().all(|e| e.validation.total > validation.total),
            validation,
            seconds: sums.seconds,
            samples_per_second: n * batch as f64 / seconds,
            gflops: n * flops / seconds / 1e9,
        }
    }
}
