//! All that a training goes on from: weights, Adam's moments, the best weights so far, and where it stands.
//!
//! One safetensors file. The weights have PyTorch's names with a prefix: `weights.`, `first.` and `second.` (the
//! moments), `best.`; the metadata's `training` holds the rest as JSON.

use super::settings::TrainSettings;
use crate::error::{Error, Result};
use crate::nn::{Entry, Unet, UnetSettings, Weights};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
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

/// What makes a folder of patches recognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Patches in `train.safetensors`.
    pub train: u32,
    /// Patches in `validation.safetensors`.
    pub validation: u32,
    /// Rows and columns.
    pub shape: [usize; 2],
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
        let layout = self.weights.unet.layout();
        let mut tensors = Vec::new();
        let mut put = |prefix: &str, entries: &[Entry], values: &[f32]| {
            for entry in entries {
                let mut places = entry.places().into_iter();
                for (name, shape) in entry.at_rest() {
                    let own = places.by_ref().take(shape.iter().product());
                    let bytes: Vec<u8> = own.flat_map(|p| values[p].to_le_bytes()).collect();
                    tensors.push((format!("{prefix}.{name}"), shape, bytes));
                }
            }
        };
        for (prefix, weights) in [("weights", Some(&self.weights)), ("best", self.best.as_ref())] {
            if let Some(weights) = weights {
                put(prefix, &layout.parameters, &weights.parameters);
                put(prefix, &layout.state, &weights.state);
            }
        }
        put("first", &layout.parameters, &self.moments[0]);
        put("second", &layout.parameters, &self.moments[1]);
        let json = serde_json::to_string(&self.progress)
            .map_err(|e| Error::Data(format!("the training's state cannot be written: {e}")))?;
        let views = tensors
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        let bytes = views
            .and_then(|v| safetensors::serialize(v, Some(HashMap::from([(TRAINING.into(), json)]))))
            .map_err(|e| Error::Data(format!("the checkpoint cannot be written: {e}")))?;
        crate::io::atomic::write(path, &bytes)
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// [`Error::File`] when it is no checkpoint, or not a whole one.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&crate::io::load(path)?).map_err(|what| {
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
        let read = |prefix: &str, entries: &[Entry], len: usize| -> Result<Vec<f32>, String> {
            let mut values = vec![0.0; len];
            for entry in entries {
                let mut places = entry.places().into_iter();
                for (name, shape) in entry.at_rest() {
                    let name = format!("{prefix}.{name}");
                    let view = tensors.tensor(&name).map_err(|e| text(&e))?;
                    if view.shape() != shape || view.dtype() != Dtype::F32 {
                        return Err(format!("'{name}' is {:?} {:?}", view.dtype(), view.shape()));
                    }
                    let numbers =
                        view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                    numbers.zip(&mut places).for_each(|(number, place)| values[place] = number);
                }
            }
            Ok(values)
        };
        let weights = |prefix: &str| -> Result<Weights, String> {
            Ok(Weights {
                unet: unet.clone(),
                parameters: read(prefix, &layout.parameters, layout.parameters_len())?,
                state: read(prefix, &layout.state, layout.state_len())?,
                metadata: Default::default(),
            })
        };
        let moments = |prefix| read(prefix, &layout.parameters, layout.parameters_len());
        let best = progress.history.iter().any(|e| e.best).then(|| weights("best")).transpose()?;
        Ok(Self {
            weights: weights("weights")?,
            moments: [moments("first")?, moments("second")?],
            best,
            progress,
        })
    }
}
