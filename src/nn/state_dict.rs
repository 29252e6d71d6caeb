//! State dictionaries: conversion between the device's layout and safetensors with PyTorch's names and layout.

use super::layout::LayoutEntry;
use crate::error::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;

/// A tensor of a state dictionary: name, PyTorch's shape, little-endian f32.
pub(crate) type AtRest = (String, Vec<usize>, Vec<u8>);

/// The advice for a file with other tensors.
pub(super) const NAMES: &str =
    "the names must be those of the network's PyTorch state_dict (see docs/training.md)";

/// The precision of numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    Single,
    /// f16.
    Half,
}

/// Converts `values` to the tensors of `entries`, with `prefix` before their names.
pub(crate) fn put(prefix: &str, entries: &[LayoutEntry], values: &[f32]) -> Vec<AtRest> {
    let mut tensors = Vec::new();
    for entry in entries {
        let mut places = entry.places().into_iter();
        for (name, shape) in entry.at_rest() {
            let own = places.by_ref().take(shape.iter().product());
            let bytes = own.flat_map(|place| values[place].to_le_bytes()).collect();
            tensors.push((format!("{prefix}{name}"), shape, bytes));
        }
    }
    tensors
}

/// Converts `tensors`, with `prefix` before their names, to the `len` values of `entries` on the device.
///
/// # Errors
/// A sentence that names the tensor that is missing, of the wrong shape or type, or not finite.
pub(crate) fn take(
    tensors: &SafeTensors,
    prefix: &str,
    entries: &[LayoutEntry],
    len: usize,
) -> Result<Vec<f32>, String> {
    let mut values = vec![0.0; len];
    for entry in entries {
        let mut places = entry.places().into_iter();
        for (name, shape) in entry.at_rest() {
            let read = read(tensors, &format!("{prefix}{name}"), &shape)?;
            read.into_iter().zip(&mut places).for_each(|(value, place)| values[place] = value);
        }
    }
    Ok(values)
}

/// The bytes of a safetensors file. Equal tensors and metadata give equal bytes: the metadata are sorted here, because
/// the library writes them in the order of a hash map.
///
/// # Errors
/// [`Error::Data`] if the library refuses the tensors.
pub(crate) fn serialise(
    tensors: &[AtRest],
    metadata: BTreeMap<String, String>,
    precision: Precision,
) -> Result<Vec<u8>> {
    let fail = |e: &dyn std::fmt::Display| Error::Data(format!("the weights cannot be written: {e}"));
    let dtype = if precision == Precision::Half { Dtype::F16 } else { Dtype::F32 };
    let halved: Vec<Vec<u8>> = match precision {
        Precision::Single => vec![],
        Precision::Half => tensors.iter().map(|(.., bytes)| halve(bytes)).collect(),
    };
    let views = tensors
        .iter()
        .enumerate()
        .map(|(i, (name, shape, bytes))| {
            let bytes = halved.get(i).unwrap_or(bytes);
            Ok((name, TensorView::new(dtype, shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    let plain = views.and_then(|views| safetensors::serialize(views, None)).map_err(|e| fail(&e))?;
    // Eight bytes of length, the header, the data.
    let (length, after) = plain.split_at(8);
    let (header, data) = after.split_at(u64::from_le_bytes(array(length)) as usize);
    let mut header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| fail(&e))?;
    header.insert("__metadata__".into(), serde_json::json!(metadata));
    let mut text = serde_json::to_string(&header).map_err(|e| fail(&e))?;
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    Ok([&(text.len() as u64).to_le_bytes(), text.as_bytes(), data].concat())
}

/// Converts little-endian f32 to f16.
fn halve(bytes: &[u8]) -> Vec<u8> {
    let values = bytes.chunks_exact(4).map(|b| half::f16::from_f32(f32::from_le_bytes(array(b))));
    values.flat_map(half::f16::to_le_bytes).collect()
}

/// Says that there is no tensor `name`, and why, if the names show it.
pub(super) fn missing(tensors: &SafeTensors, name: &str) -> String {
    let prefixes = tensors.names().into_iter().filter_map(|n| n.strip_suffix(name));
    match prefixes.filter(|prefix| prefix.ends_with('.')).min() {
        Some(prefix) => format!(
            "names its tensors '{prefix}{name}' and so on; write the state_dict without the prefix '{prefix}'"
        ),
        None => format!("has no tensor '{name}'; {NAMES}"),
    }
}

fn read(tensors: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    let view = tensors.tensor(name).map_err(|_| missing(tensors, name))?;
    if view.shape() != shape {
        return Err(format!("'{name}' has shape {:?}, but this network needs {shape:?}", view.shape()));
    }
    let values: Vec<f32> = match view.dtype() {
        Dtype::F64 => view.data().chunks_exact(8).map(|b| f64::from_le_bytes(array(b)) as f32).collect(),
        Dtype::F32 => view.data().chunks_exact(4).map(|b| f32::from_le_bytes(array(b))).collect(),
        Dtype::F16 => {
            view.data().chunks_exact(2).map(|b| half::f16::from_le_bytes(array(b)).to_f32()).collect()
        }
        Dtype::BF16 => {
            view.data().chunks_exact(2).map(|b| half::bf16::from_le_bytes(array(b)).to_f32()).collect()
        }
        other => return Err(format!("'{name}' holds {other:?}, but only F64, F32, F16 and BF16 are read")),
    };
    match values.iter().find(|v| !v.is_finite()) {
        Some(value) => Err(format!("'{name}' holds {value}, but every weight must be a finite float32")),
        None => Ok(values),
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| bytes[i])
}
