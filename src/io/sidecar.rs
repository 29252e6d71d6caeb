//! The JSON file beside an image, which states what the image's own format cannot.
//!
//! For `liver.nii.gz` it is `liver.json`. palpate reads these keys; others are ignored:
//!
//! | key | value |
//! |---|---|
//! | `axes` | names of the axes, as a list or as on the command line: `"x,y,slice,phase,direction"` |
//! | `frequency_hz` | a number, or a list in the order of the frequency axis |
//! | `density_kg_m3` | a number |
//! | `spacing_mm` | a number, or a list for x and y |
//! | `directions` | names of the directions of motion, in the order of their axis |
//! | `turn` | one turn of the phase, in the units of the samples |

use super::axes::Axes;
use super::output::stem;
use super::volume::Volume;
use crate::error::{Error, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A sidecar larger than this is not read.
const MOST_BYTES: u64 = 16 << 20;

/// The sidecar of the image at `path`.
fn beside(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}.json", stem(path)))
}

/// Adds to `volume`, read from `path`, what its sidecar states. Without a sidecar nothing changes. A report of
/// `palpate invert`, which has the same name, is no sidecar.
///
/// # Errors
/// [`Error::File`] if the sidecar cannot be read, or if a value is not what its key needs.
pub(super) fn add(path: &Path, volume: &mut Volume) -> Result<()> {
    let path = beside(path);
    let Ok(about) = path.metadata() else { return Ok(()) };
    if !about.is_file() || about.len() > MOST_BYTES {
        return Ok(());
    }
    let text =
        std::fs::read_to_string(&path).map_err(|e| Error::file(&path, format!("cannot be read: {e}")))?;
    state(&text, volume).map_err(|what| Error::file(&path, what))
}

fn state(text: &str, volume: &mut Volume) -> Result<(), String> {
    let all: Value = serde_json::from_str(text).map_err(|e| format!("is no JSON: {e}"))?;
    let Value::Object(all) = all else { return Ok(()) };
    // A report names the program that wrote it.
    if all.contains_key("palpate") {
        return Ok(());
    }
    let numbers = |key: &str| -> Result<Vec<f64>, String> {
        let positive = |v: &Value| v.as_f64().filter(|v| *v > 0.0 && v.is_finite());
        let wrong =
            || format!("says \"{key}\" = {}; it must be a number above 0, or a list of them", all[key]);
        match all.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(|v| positive(v).ok_or_else(wrong)).collect(),
            Some(one) => Ok(vec![positive(one).ok_or_else(wrong)?]),
        }
    };
    let names = |key: &str| -> Result<Option<Vec<String>>, String> {
        let wrong = || format!("says \"{key}\" = {}; it must be a list of names", all[key]);
        match all.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => {
                Ok(Some(text.split(',').map(|name| name.trim().to_string()).collect()))
            }
            Some(Value::Array(list)) => list
                .iter()
                .map(|v| v.as_str().map(String::from).ok_or_else(wrong))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(wrong()),
        }
    };
    let stated = &mut volume.stated;
    if let Some(axes) = names("axes")? {
        stated.axes = Some(axes.join(",").parse::<Axes>()?);
    }
    let frequencies = numbers("frequency_hz")?;
    if !frequencies.is_empty() {
        stated.frequencies_hz = frequencies;
    }
    stated.density = numbers("density_kg_m3")?.first().copied().or(stated.density);
    stated.turn = numbers("turn")?.first().copied().or(stated.turn);
    if let Some(directions) = names("directions")? {
        stated.directions = directions;
    }
    if let Some(both) = match numbers("spacing_mm")?[..] {
        [] => None,
        [one] => Some([one; 2]),
        [x, y] | [x, y, _] => Some([x, y]),
        _ => return Err("says \"spacing_mm\" with more than three numbers".into()),
    } {
        let geometry = &mut volume.geometry;
        (geometry.spacing_mm, geometry.affine_spacing_mm, geometry.identity) = (Some(both), None, false);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::volume::{Format, Samples, Stated, VolumeGeometry};

    fn read(text: &str) -> Result<Volume, String> {
        let mut volume = Volume {
            shape: vec![2, 2],
            data: Samples::Real(vec![0.0; 4]),
            geometry: VolumeGeometry::default(),
            format: Format::Npy,
            stated: Stated::default(),
        };
        state(text, &mut volume).map(|()| volume)
    }

    #[test]
    fn what_a_sidecar_states_is_read() {
        let text = r#"{"axes": ["x", "y", "phase:8*direction"], "frequency_hz": [30, 40], "density_kg_m3": 1060,
            "directions": ["z", "x"], "spacing_mm": [1.5, 2], "turn": 8192, "EchoTime": 0.02}"#;
        let volume = read(text).unwrap();
        assert_eq!(volume.stated.axes.unwrap().to_string(), "x,y,phase:8*direction");
        assert_eq!((volume.stated.frequencies_hz, volume.stated.density), (vec![30.0, 40.0], Some(1060.0)));
        assert_eq!(
            (volume.stated.directions, volume.stated.turn),
            (vec!["z".into(), "x".into()], Some(8192.0))
        );
        assert_eq!(volume.geometry.spacing_mm, Some([1.5, 2.0]));
        let report = read(r#"{"palpate": "0.1.0", "frequency_hz": 60}"#).unwrap();
        assert_eq!(report.stated, Stated::default());
        assert_eq!(read("[1, 2]").unwrap().stated, Stated::default());
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (text, says) in [
            ("{", "no JSON"),
            (r#"{"axes": "x,y,time"}"#, "'time'"),
            (r#"{"frequency_hz": "sixty"}"#, "\"frequency_hz\" = \"sixty\""),
            (r#"{"frequency_hz": [60, 0]}"#, "above 0"),
            (r#"{"directions": [1]}"#, "list of names"),
            (r#"{"spacing_mm": [1, 2, 3, 4]}"#, "spacing_mm"),
        ] {
            let what = read(text).unwrap_err();
            assert!(what.contains(says), "{text}: {what}");
        }
    }
}
