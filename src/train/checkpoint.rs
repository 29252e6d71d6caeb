//! Checkpoints: everything that a training continues from.
//!
//! A checkpoint is one safetensors file with weights, Adam's moments and the best weights so far. The tensors have
//! PyTorch's names with a prefix: `weights.`, `first.` and `second.` (the moments), `best.`. The entry `training` of
//! the metadata holds the [`Progress`] as JSON.

use super::history::{Epoch, Sums};
use super::settings::TrainSettings;
use super::source::DataSummary;
use crate::error::{Error, Result};
use crate::kernel::form::Tuning;
use crate::nn::{Network, ParameterLayout, Precision, Stored, Weights, state_dict};
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The position of a training: with a network of settings `W`, an objective `O`, and a source of settings `S`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress<W, O, S> {
    /// The settings of the network.
    #[serde(alias = "unet")]
    pub network: W,
    /// The settings of the training.
    pub settings: TrainSettings<O, S>,
    /// The data that the training was begun with.
    pub data: DataSummary,
    /// A description of the network that the training began with, if that had been trained before.
    #[serde(default)]
    pub began_with: Option<String>,
    /// The forms of kernels that the training began with. It must go on with them to give the same bits.
    #[serde(default)]
    pub forms: Option<Tuning>,
    /// The current epoch, from 0.
    pub epoch: u32,
    /// Finished batches of this epoch.
    pub batches: usize,
    /// Finished steps.
    pub step: u32,
    /// Losses and seconds of this epoch so far.
    pub sums: Sums,
    /// Finished epochs.
    pub history: Vec<Epoch>,
}

/// A checkpoint of a training of network `N` with an objective `O` and a source of settings `S`.
#[derive(Clone, Debug)]
pub struct Checkpoint<N: Network, O, S> {
    /// The current weights.
    pub weights: Weights<N>,
    /// Adam's moments, in the layout of the parameters.
    pub moments: [Vec<f32>; 2],
    /// The weights of the best epoch.
    pub best: Option<Weights<N>>,
    /// The position of the training.
    pub progress: Progress<N::Settings, O, S>,
}

const TRAINING: &str = "training";

impl<N: Network, O: Stored, S: Stored> Checkpoint<N, O, S> {
    /// Writes `path`. The file is complete or absent.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let ParameterLayout { parameters, state } = self.weights.network.layout();
        let weights = |prefix, weights: &Weights<N>| {
            let mut tensors = state_dict::put(prefix, parameters, &weights.parameters);
            tensors.extend(state_dict::put(prefix, state, &weights.state));
            tensors
        };
        let mut tensors = weights("weights.", &self.weights);
        tensors.extend(self.best.iter().flat_map(|best| weights("best.", best)));
        tensors.extend(state_dict::put("first.", parameters, &self.moments[0]));
        tensors.extend(state_dict::put("second.", parameters, &self.moments[1]));
        let json = serde_json::to_string(&self.progress)
            .map_err(|e| Error::Data(format!("the training's state cannot be written: {e}")))?;
        let metadata = BTreeMap::from([(TRAINING.into(), json)]);
        crate::store::write(path, &state_dict::serialise(&tensors, metadata, Precision::Single)?)
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// [`Error::File`] if it is not a checkpoint of such a training, or is incomplete.
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
        let progress: Progress<N::Settings, O, S> = serde_json::from_str(json).map_err(|e| text(&e))?;
        let network = N::new(progress.network.clone()).map_err(|e| text(&e))?;
        let layout = network.layout().clone();
        if layout.learned() > bytes.len() {
            return Err("it is too short for its network".into());
        }
        let learned =
            |prefix: &str| state_dict::take(&tensors, prefix, &layout.parameters, layout.parameters_len());
        let weights = |prefix: &str| -> Result<Weights<N>, String> {
            Ok(Weights {
                network: network.clone(),
                parameters: learned(prefix)?,
                state: state_dict::take(&tensors, prefix, &layout.state, layout.state_len())?,
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
