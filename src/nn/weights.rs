//! A network's weights: initialised at random, or read from and written to safetensors files with PyTorch's names and
//! layout.

use super::layout::{LayoutEntry, ParameterLayout};
use super::network::Network;
use super::state_dict::{self, NAMES, Precision};
use super::unet::Unet;
use crate::error::{Error, Result};
use safetensors::tensor::SafeTensors;
use std::collections::BTreeMap;
use std::path::Path;

/// A network with its learned values, in the layout of the device.
#[derive(Clone, Debug)]
pub struct Weights<N = Unet> {
    /// The network.
    pub network: N,
    /// Its parameters, [`ParameterLayout::parameters_len`] values.
    pub parameters: Vec<f32>,
    /// Its state, [`ParameterLayout::state_len`] values.
    pub state: Vec<f32>,
    /// The file's metadata, without the settings of the network.
    pub metadata: BTreeMap<String, String>,
}

impl<N: Network> Weights<N> {
    /// Random weights as PyTorch initialises them: uniform within 1/√(number of summed values); scale 1, shift 0.
    pub fn random(network: N, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let layout = network.layout();
        let mut parameters = vec![0.0; layout.parameters_len()];
        let mut bound = 0.0;
        for entry in &layout.parameters {
            // A bias follows its weights and has the same bound.
            bound = entry.fan_in().map_or(bound, |n| 1.0 / (n as f32).sqrt());
            let norm = layout.state.iter().any(|s| entry.name.starts_with(&format!("{}.", s.name)));
            for place in entry.places() {
                parameters[place] = match (norm, entry.name.ends_with(".weight")) {
                    (true, scale) => f32::from(u8::from(scale)),
                    (false, _) => bound * (2.0 * rng.f32() - 1.0),
                };
            }
        }
        let mut state = vec![0.0; layout.state_len()];
        for entry in &layout.state {
            let places = entry.places();
            places[places.len() / 2..].iter().for_each(|&variance| state[variance] = 1.0);
        }
        Self { network, parameters, state, metadata: BTreeMap::new() }
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// [`Error::File`] that names the tensor that is missing, superfluous, of the wrong shape or type, or not finite.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&crate::store::load(path)?).map_err(|what| Error::file(path, what))
    }

    /// Reads the `bytes` of a safetensors file.
    ///
    /// # Errors
    /// A sentence about the file, without a subject.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(b"PK\x03\x04") {
            return Err(
                "looks like a file of torch.save; write its state_dict with safetensors' save_file".into()
            );
        }
        let damaged = |e| {
            format!("is no safetensors file, or a damaged one ({e}); write it with safetensors' save_file")
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut metadata: BTreeMap<_, _> =
            header.metadata().clone().unwrap_or_default().into_iter().collect();
        let settings = N::read_settings(&tensors, &mut metadata)?;
        let network = N::new(settings).map_err(|e| e.to_string())?;
        let layout = network.layout();
        // A header may promise more than the file holds; nothing is allocated for it before this check.
        if layout.learned() > bytes.len() {
            return Err(format!("is too short for its network of {} parameters", layout.learned()));
        }
        let parameters = state_dict::take(&tensors, "", &layout.parameters, layout.parameters_len())?;
        let state = state_dict::take(&tensors, "", &layout.state, layout.state_len())?;
        let known: Vec<_> =
            layout.parameters.iter().chain(&layout.state).flat_map(LayoutEntry::at_rest).collect();
        let superfluous: Vec<_> = tensors
            .names()
            .into_iter()
            .filter(|name| !name.ends_with(".num_batches_tracked") && !known.iter().any(|(k, _)| k == name))
            .filter(|name| !network.ignores(name))
            .collect();
        if let Some(first) = superfluous.iter().min() {
            let count = match superfluous.len() {
                1 => "a tensor".into(),
                n => format!("{n} tensors"),
            };
            return Err(format!(
                "holds {count} that this network ({}) has no place for: '{first}'; {NAMES}",
                network.describe()
            ));
        }
        for entry in &layout.state {
            let variances = entry.places().split_off(entry.shape().c);
            if let Some(value) = variances.into_iter().map(|place| state[place]).find(|v| *v < 0.0) {
                return Err(format!(
                    "'{}.running_var' holds {value}, but no variance is below 0",
                    entry.name
                ));
            }
        }
        Ok(Self { network, parameters, state, metadata })
    }

    /// Writes a file that [`Weights::load`] and PyTorch read. The file is complete or absent.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.save_as(path, Precision::Single)
    }

    /// Like [`Weights::save`], with numbers of this precision.
    ///
    /// # Errors
    /// Those of [`Weights::save`], and [`Error::Data`] if a weight is too large for f16.
    pub fn save_as(&self, path: &Path, precision: Precision) -> Result<()> {
        let largest = self.parameters.iter().chain(&self.state).fold(0f32, |most, v| most.max(v.abs()));
        if precision == Precision::Half && largest > half::f16::MAX.to_f32() {
            return Err(Error::Data(format!("a weight of {largest} is too large for half precision")));
        }
        crate::store::write(path, &self.serialise(precision)?)
    }

    /// The bytes of a safetensors file.
    ///
    /// # Errors
    /// [`Error::Data`] if the settings or the tensors cannot be written.
    pub fn serialise(&self, precision: Precision) -> Result<Vec<u8>> {
        let ParameterLayout { parameters, state } = self.network.layout();
        let mut tensors = state_dict::put("", parameters, &self.parameters);
        tensors.extend(state_dict::put("", state, &self.state));
        let mut metadata = self.metadata.clone();
        metadata.extend(self.network.settings_metadata()?);
        state_dict::serialise(&tensors, metadata, precision)
    }
}

#[cfg(test)]
mod tests;
