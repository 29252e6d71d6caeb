//! Parameters at rest: from the device's layout to safetensors with PyTorch's, and back.

use super::layout::Entry;
use super::weights::NAMES;
use crate::error::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;

/// A tensor at rest: name, PyTorch's shape, f32 in little endian.
pub(crate) type AtRest = (String, Vec<usize>, Vec<u8>);

/// How many bits a number has at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    Single,
    /// f16.
    Half,
}

/// The tensors of `entries`, whose values lie in `values`, with `prefix` before their names.
pub(crate) fn put(prefix: &str, entries: &[Entry], values: &[f32]) -> Vec<AtRest> {
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

/// The values of `entries` as they lie on the device, `len` of them, out of `tensors` with `prefix` before their names.
///
/// # Errors
/// Which tensor is missing, of another shape or type, or not finite, as a sentence.
pub(crate) fn take(
    tensors: &SafeTensors,
    prefix: &str,
    entries: &[Entry],
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

/// The bytes of a safetensors file. The same tensors and metadata give the same bytes: the library alone would write
/// metadata in a hash map's order.
///
/// # Errors
/// [`Error::Data`] when the library refuses, which it does not for names and shapes of ours.
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
    let (length, rest) = plain.split_at(8);
    let (header, data) = rest.split_at(u64::from_le_bytes(array(length)) as usize);
    let mut header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| fail(&e))?;
    header.insert("__metadata__".into(), serde_json::json!(metadata));
    let mut text = serde_json::to_string(&header).map_err(|e| fail(&e))?;
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    Ok([&(text.len() as u64).to_le_bytes(), text.as_bytes(), data].concat())
}

/// f32 in little endian as f16.
fn halve(bytes: &[u8]) -> Vec<u8> {
    let values = bytes.chunks_exact(4).map(|b| half::f16::from_f32(f32::from_le_bytes(array(b))));
    values.flat_map(half::f16::to_le_bytes).collect()
}

/// That there is no tensor `name`, and why, if that can be told.
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
        return Err(format!("'{name}' has shape {:?}, where this U-Net wants {shape:?}", view.shape()));
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
        other => return Err(format!("'{name}' holds {other:?}, where F64, F32, F16 and BF16 are read")),
    };
    match values.iter().find(|v| !v.is_finite()) {
        Some(value) => Err(format!("'{name}' holds {value}, where every weight has to be a finite float32")),
        None => Ok(values),
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| bytes[i])
}
