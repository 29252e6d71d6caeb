//! The settings of a U-Net from the tensors and metadata of its file.

use super::{NormKind, Unet, UnetSettings, Up};
use crate::kernel::nn::pool::Pooling;
use crate::nn::state_dict;
use safetensors::tensor::SafeTensors;
use std::collections::BTreeMap;

/// Names of the encoders' blocks.
pub(super) const PATCH: &str = "down_sample_layers";
pub(super) const SURROUNDINGS: &str = "surroundings";

/// Keys of the settings that names and shapes of tensors do not show.
pub(super) const POOL: &str = "pool";
pub(super) const UP: &str = "up";
pub(super) const DROPOUT: &str = "dropout";

/// The settings of the U-Net with these tensors. Removes the entries that it reads from `metadata`.
///
/// # Errors
/// A sentence about the file, without a subject.
pub(super) fn infer(
    tensors: &SafeTensors,
    metadata: &mut BTreeMap<String, String>,
) -> Result<UnetSettings, String> {
    let shape = |name: &str| {
        let view = tensors.tensor(name).map_err(|_| state_dict::missing(tensors, name))?;
        let shape = view.shape();
        (shape.len() == 4)
            .then(|| shape.to_vec())
            .ok_or_else(|| format!("'{name}' has {} axes, but weights have 4", shape.len()))
    };
    let pools = (0..).take_while(|i| tensors.tensor(&format!("{PATCH}.{i}.layers.0.weight")).is_ok()).count();
    let first = shape(&format!("{PATCH}.0.layers.0.weight"))?;
    let last = shape(&format!("up_conv.{}.1.weight", pools - 1))?;
    let batch = tensors.tensor(&format!("{PATCH}.0.layers.1.running_mean")).is_ok();
    let views = format!("{SURROUNDINGS}.0.layers.0.weight");
    let surroundings = match tensors.tensor(&views) {
        Ok(_) => {
            let channels = shape(&views)?[1];
            let whole = |count: &usize| *count > 0 && count * first[1] == channels;
            channels.checked_div(first[1]).filter(whole).ok_or_else(|| {
                format!(
                    "'{views}' takes {channels} channels, which are no views of {} channels like the patch",
                    first[1]
                )
            })?
        }
        Err(_) => 0,
    };
    let pooling = match metadata.remove(POOL).as_deref() {
        None | Some("max") => Pooling::Max,
        Some("avg") => Pooling::Average,
        Some(other) => {
            return Err(format!(
                "says {POOL} = '{other}' in its metadata, but only max and avg are supported"
            ));
        }
    };
    let up = match metadata.remove(UP).as_deref() {
        Some("bilinear") => interpolation(tensors, pools),
        None if interpolates(tensors, pools) => interpolation(tensors, pools),
        None | Some("transpose") => Up::Transpose,
        Some(other) => {
            return Err(format!(
                "says {UP} = '{other}' in its metadata, but only transpose and bilinear are supported"
            ));
        }
    };
    let dropout = match metadata.remove(DROPOUT) {
        None => 0.0,
        Some(rate) => rate.parse().map_err(|_| {
            format!("says {DROPOUT} = '{rate}' in its metadata, but a rate from 0 to below 1 is needed")
        })?,
    };
    let norm = if batch { NormKind::Batch } else { NormKind::Instance };
    Ok(UnetSettings {
        in_channels: first[1],
        out_channels: last[0],
        chans: first[0],
        pools,
        norm,
        pooling,
        up,
        dropout,
        surroundings,
    })
}

/// The kind of interpolation. A convolution follows it if there is one that halves the channels, and the next decoding
/// block takes the channels that are then left.
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

/// Reports whether only interpolation explains these shapes: the first decoding block takes three times the channels it
/// gives, or there is no transposed convolution.
fn interpolates(tensors: &SafeTensors, pools: usize) -> bool {
    let shape = |name: &str| tensors.tensor(name).map(|view| view.shape().to_vec()).unwrap_or_default();
    match shape(&format!("{}.layers.0.weight", Unet::up_conv(0, pools)))[..] {
        [co, ci, _, _] if Some(ci) == co.checked_mul(3) => true,
        _ => tensors.names().into_iter().all(|name| !name.starts_with("up_transpose_conv.")),
    }
}
