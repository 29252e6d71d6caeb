//! A network's weights: made at random, or read from and written to safetensors files with PyTorch's names and layout.

use super::layout::{Entry, Layout};
use super::rest::{self, Precision};
use super::unet::{Norm, Unet, UnetSettings, Up};
use crate::error::{Error, Result};
use crate::kernel::nn::pool::Pooling;
use safetensors::tensor::SafeTensors;
use std::collections::BTreeMap;
use std::path::Path;

/// A network with what it has learned, as it lies on the device.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The network.
    pub unet: Unet,
    /// Its parameters, [`Layout::parameters_len`] of them.
    pub parameters: Vec<f32>,
    /// Its state, [`Layout::state_len`].
    pub state: Vec<f32>,
    /// The file's metadata, apart from what makes the network.
    pub metadata: BTreeMap<String, String>,
}

/// Metadata that tells what names and shapes cannot.
const POOL: &str = "pool";
const UP: &str = "up";
const DROPOUT: &str = "dropout";

/// What a file of other tensors is told.
pub(super) const NAMES: &str = "the names wanted are those of the DIME module's state_dict (see README.md)";

impl Weights {
    /// Random weights as PyTorch starts them: uniform within 1/√(values summed); scale 1, shift 0.
    pub fn random(unet: Unet, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let layout = unet.layout();
        let mut parameters = vec![0.0; layout.parameters_len()];
        let mut bound = 0.0;
        for entry in &layout.parameters {
            // A bias follows its weights and shares their bound.
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
        Self { unet, parameters, state, metadata: BTreeMap::new() }
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// [`Error::File`] that names the tensor that is missing, superfluous, of another shape or type, or not finite.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&crate::store::load(path)?).map_err(|what| Error::file(path, what))
    }

    /// Reads a safetensors file's `bytes`.
    ///
    /// # Errors
    /// What is wrong with them, as a sentence.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(b"PK\x03\x04") {
            return Err(
                "looks like what torch.save writes; write its state_dict with safetensors' save_file".into(),
            );
        }
        let damaged = |e| {
            format!("is no safetensors file, or a damaged one ({e}); write it with safetensors' save_file")
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut metadata: BTreeMap<_, _> =
            header.metadata().clone().unwrap_or_default().into_iter().collect();
        let settings = infer(&tensors, &mut metadata)?;
        let unet = Unet::new(settings).map_err(|e| e.to_string())?;
        let layout = unet.layout();
        // What a first tensor promises is not allocated before the rest can be there.
        if layout.learned() > bytes.len() {
            return Err(format!("is too short for the U-Net of {} parameters it begins", layout.learned()));
        }
        let parameters = rest::take(&tensors, "", &layout.parameters, layout.parameters_len())?;
        let state = rest::take(&tensors, "", &layout.state, layout.state_len())?;
        let known: Vec<_> = layout.parameters.iter().chain(&layout.state).flat_map(Entry::at_rest).collect();
        let superfluous: Vec<_> = tensors
            .names()
            .into_iter()
            .filter(|name| !name.ends_with(".num_batches_tracked") && !known.iter().any(|(k, _)| k == name))
            // The authors' interpolating module keeps transposed convolutions that it does not use.
            .filter(|name| unet.settings().up != Up::Bilinear || !name.starts_with("up_transpose_conv."))
            .collect();
        if let Some(first) = superfluous.iter().min() {
            let count = match superfluous.len() {
                1 => "a tensor".into(),
                n => format!("{n} tensors"),
            };
            return Err(format!(
                "holds {count} that this U-Net ({}) has no place for: '{first}'; {NAMES}",
                unet.settings()
            ));
        }
        for entry in &layout.state {
            let variances = entry.places().split_off(entry.shape().c);
            if let Some(value) = variances.into_iter().map(|place| state[place]).find(|v| *v < 0.0) {
                return Err(format!(
                    "'{}.running_var' holds {value}, where no variance is below 0",
                    entry.name
                ));
            }
        }
        Ok(Self { unet, parameters, state, metadata })
    }

    /// Writes a file that [`Weights::load`] and PyTorch read, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.save_as(path, Precision::Single)
    }

    /// As [`Weights::save`], with numbers of this precision.
    ///
    /// # Errors
    /// As of [`Weights::save`]; [`Error::Data`] when a weight is too large for f16.
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
    /// [`Error::Data`] when the library refuses, which it does not for names and shapes of ours.
    pub fn serialise(&self, precision: Precision) -> Result<Vec<u8>> {
        let Layout { parameters, state } = self.unet.layout();
        let mut tensors = rest::put("", parameters, &self.parameters);
        tensors.extend(rest::put("", state, &self.state));
        let UnetSettings { pooling, up, dropout, .. } = self.unet.settings();
        let own = [(POOL, pooling.to_string()), (UP, up.to_string()), (DROPOUT, dropout.to_string())];
        let mut metadata = self.metadata.clone();
        metadata.extend(own.map(|(key, value)| (key.to_string(), value)));
        rest::serialise(&tensors, metadata, precision)
    }
}

/// The settings of the U-Net whose tensors these are. Takes what it reads out of `metadata`.
fn infer(tensors: &SafeTensors, metadata: &mut BTreeMap<String, String>) -> Result<UnetSettings, String> {
    let shape = |name: &str| {
        let view = tensors.tensor(name).map_err(|_| rest::missing(tensors, name))?;
        let shape = view.shape();
        (shape.len() == 4)
            .then(|| shape.to_vec())
            .ok_or_else(|| format!("'{name}' has {} axes, where weights have 4", shape.len()))
    };
    let pools = (0..)
        .take_while(|i| tensors.tensor(&format!("down_sample_layers.{i}.layers.0.weight")).is_ok())
        .count();
    let first = shape("down_sample_layers.0.layers.0.weight")?;
    let last = shape(&format!("up_conv.{}.1.weight", pools - 1))?;
    let batch = tensors.tensor("down_sample_layers.0.layers.1.running_mean").is_ok();
    let pooling = match metadata.remove(POOL).as_deref() {
        None | Some("max") => Pooling::Max,
        Some("avg") => Pooling::Average,
        Some(other) => {
            return Err(format!("says {POOL} = '{other}' in its metadata, where max and avg are known"));
        }
    };
    let up = match metadata.remove(UP).as_deref() {
        Some("bilinear") => interpolation(tensors, pools),
        None if interpolates(tensors, pools) => interpolation(tensors, pools),
        None | Some("transpose") => Up::Transpose,
        Some(other) => {
            return Err(format!(
                "says {UP} = '{other}' in its metadata, where transpose and bilinear are known"
            ));
        }
    };
    let dropout = match metadata.remove(DROPOUT) {
        None => 0.0,
        Some(rate) => rate.parse().map_err(|_| {
            format!("says {DROPOUT} = '{rate}' in its metadata, where a rate from 0 to below 1 is wanted")
        })?,
    };
    let norm = if batch { Norm::Batch } else { Norm::Instance };
    Ok(UnetSettings {
        in_channels: first[1],
        out_channels: last[0],
        chans: first[0],
        pools,
        norm,
        pooling,
        up,
        dropout,
    })
}

/// Whether a convolution follows the interpolation: one that halves the channels, before a decoding block that takes no
/// more than that leaves.
fn interpolation(tensors: &SafeTensors, pools: usize) -> Up {
    let shape = |name: &str| tensors.tensor(name).map(|view| view.shape().to_vec()).unwrap_or_default();
    let block = shape(&format!("{}.layers.0.weight", Unet::up_conv(0, pools)));
    let halves = |index: &u8| match shape(&format!("up_transpose_conv.0.layers.{index}.weight"))[..] {
        [co, ci, side @ (1 | 3), other] => {
            side == other && Some(ci) == co.checked_mul(2) && block.get(1) == Some(&ci)
        }
        _ => false,
    };
    match [0, 1].into_iter().find(halves) {
        Some(index) => {
            let side = shape(&format!("up_transpose_conv.0.layers.{index}.weight"))[2] as u8;
            Up::BilinearConvolution { side, index }
        }
        None => Up::Bilinear,
    }
}

/// Whether nothing but interpolation can have led to these shapes: the first decoding block takes three times the
/// channels it gives, or there is no transposed convolution at all.
fn interpolates(tensors: &SafeTensors, pools: usize) -> bool {
    let shape = |name: &str| tensors.tensor(name).map(|view| view.shape().to_vec()).unwrap_or_default();
    match shape(&format!("{}.layers.0.weight", Unet::up_conv(0, pools)))[..] {
        [co, ci, _, _] if Some(ci) == co.checked_mul(3) => true,
        _ => tensors.names().into_iter().all(|name| !name.starts_with("up_transpose_conv.")),
    }
}

#[cfg(test)]
mod tests;
