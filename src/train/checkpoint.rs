//! All that a training goes on from: weights, Adam's moments, the best weights so far, and where it stands.
//!
//! One safetensors file. The weights have PyTorch's names with a prefix: `weights.`, `first.` and `second.` (the
//! moments), `best.`; the metadata's `training` holds the rest as JSON.

use super::settings::TrainSettings;
use crate::error::{Error, Result};
use crate::kernel::form::Tuning;
use crate::nn::{Layout, Precision, Unet, UnetSettings, Weights, rest};
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Where a training stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The network.
    pub unet: UnetSettings,
    /// The settings.
    pub settings: TrainSettings,
    /// Patches for training and for validation, and rows and columns of each: what it was begun with.
    pub data: Data,
    /// The network it began with, if one that had learned before.
    #[serde(default)]
    pub began_with: Option<String>,
    /// The forms of kernels it began with, and goes on with to the bit.
    #[serde(default)]
    pub forms: Option<Tuning>,
    /// The epoch it is in, from 0 on.
    pub epoch: u32,
    /// Batches of this epoch that are done.
    pub batches: usize,
    /// Steps that are done.
    pub step: u32,
    /// This epoch's losses and seconds so far.
    pub sums: Sums,
    /// Epochs that are done.
    pub history: Vec<Epoch>,
}

/// What makes a training's data recognisable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Patches of an epoch.
    pub train: u32,
    /// Patches to validate with.
    pub validation: u32,
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Where they come from.
    #[serde(default)]
    pub about: String,
}

/// Sums over the batches of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Of the mean square error.
    pub mse: f64,
    /// Of the total variation.
    pub total_variation: f64,
    /// Of the norm of the gradients.
    pub gradient_norm: f64,
    /// Wall-clock time.
    pub seconds: f64,
}

/// Mean losses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanLosses {
    /// Mean square error + λ · total variation.
    pub total: f64,
    /// Mean square error, (kPa)².
    pub mse: f64,
    /// Mean total variation, kPa a pixel.
    pub total_variation: f64,
}

/// One epoch: a line of `losses.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1 on.
    pub epoch: u32,
    /// Steps done by its end.
    pub step: u32,
    /// Its learning rate.
    pub learning_rate: f32,
    /// Mean over its batches, as they were trained.
    pub train: MeanLosses,
    /// Mean over all validation patches, after it.
    pub validation: MeanLosses,
    /// Mean norm of the gradients.
    pub gradient_norm: f64,
    /// Whether no epoch before had a lower validation loss.
    pub best: bool,
    /// Wall-clock time of its training.
    pub seconds: f64,
    /// Patches trained on in a second.
    pub patches_per_second: f64,
    /// The kernels' useful arithmetic in a second, 10⁹ operations.
    pub gflops: f64,
}

/// A checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The weights as they are.
    pub weights: Weights,
    /// Adam's moments, laid out as the weights' parameters.
    pub moments: [Vec<f32>; 2],
    /// The weights of the best epoch.
    pub best: Option<Weights>,
    /// Where it stands.
    pub progress: Progress,
}

const TRAINING: &str = "training";

impl Checkpoint {
    /// Writes `path`, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let Layout { parameters, state } = self.weights.unet.layout();
        let weights = |prefix, weights: &Weights| {
            let mut tensors = rest::put(prefix, parameters, &weights.parameters);
            tensors.extend(rest::put(prefix, state, &weights.state));
            tensors
        };
        let mut tensors = weights("weights.", &self.weights);
        tensors.extend(self.best.iter().flat_map(|best| weights("best.", best)));
        tensors.extend(rest::put("first.", parameters, &self.moments[0]));
        tensors.extend(rest::put("second.", parameters, &self.moments[1]));
        let json = serde_json::to_string(&self.progress)
            .map_err(|e| Error::Data(format!("the training's state cannot be written: {e}")))?;
        let bytes = rest::serialise(&tensors, BTreeMap::from([(TRAINING.into(), json)]), Precision::Single)?;
        crate::store::write(path, &bytes)
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// [`Error::File`] when it is no checkpoint, or not a whole one.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&crate::store::load(path)?).map_err(|what| {
            Error::file(path, format!("is no checkpoint of a training, or a damaged one: {what}"))
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = |e: &dyn std::fmt::Display| e.to_string();
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| text(&e))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| text(&e))?;
        let json =
            header.metadata().as_ref().and_then(|m| m.get(TRAINING)).ok_or("it has no training state")?;
        let progress: Progress = serde_json::from_str(json).map_err(|e| text(&e))?;
        let unet = Unet::new(progress.unet.clone()).map_err(|e| text(&e))?;
        let layout = unet.layout().clone();
        if layout.learned() > bytes.len() {
            return Err("it is too short for its network".into());
        }
        let learned =
            |prefix: &str| rest::take(&tensors, prefix, &layout.parameters, layout.parameters_len());
        let weights = |prefix: &str| -> Result<Weights, String> {
            Ok(Weights {
                unet: unet.clone(),
                parameters: learned(prefix)?,
                state: rest::take(&tensors, prefix, &layout.state, layout.state_len())?,
                metadata: Default::default(),
            })
        };
        let best = progress.history.iter().any(|e| e.best).then(|| weights("best.")).transpose()?;
        Ok(Self {
            weights: weights("weights.")?,
            moments: [learned("first.")?, learned("second.")?],
            best,
            progress,
        })
    }
}
