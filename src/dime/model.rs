//! What a network has to be told by, and tells: the forward model it learned from, and how its input is made.

use super::views::Views;
use crate::patches::Normalisation;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// What weights say of themselves: the part of their metadata that is needed to use them.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The forward model of the waves it was trained on: `bulk`, `slab`, `mixed`, or a name of the user's.
    pub forward_model: String,
    /// How patches are normalised.
    pub normalisation: Normalisation,
    /// How patches are shown to it.
    pub views: Views,
    /// Rows and columns of a patch.
    pub patch: usize,
    /// Side of a pixel, mm.
    pub pixel_mm: f64,
    /// Frequency, Hz.
    pub frequency_hz: f64,
    /// Density, kg/m³.
    pub density: f64,
    /// What it was trained on.
    pub trained_on: String,
    /// How the spread of predictions becomes an uncertainty, if that was calibrated.
    pub calibration: Option<Calibration>,
}

/// The root mean square error that goes with a spread s of overlapping predictions: √(floor² + (slope · s)²).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// kPa.
    pub floor: f64,
    /// Error over spread.
    pub slope: f64,
    /// The stride at which it was measured: at wider ones fewer predictions overlap, and their spread says less.
    pub stride: usize,
}

/// The sign convention of every network here: u = Re(U e^{+iωt}), so that a lossy tissue's modulus μ(1 + iη) has a
/// positive imaginary part.
pub const CONVENTION: &str = "exp(+iwt)";

impl Model {
    /// As metadata.
    pub fn to_metadata(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> = [
            ("forward_model", self.forward_model.clone()),
            ("normalisation", self.normalisation.name().into()),
            ("views", self.views.name().into()),
            ("time_convention", CONVENTION.into()),
            ("output", "storage modulus mu of mu (1 + i eta), kPa".into()),
            ("patch", self.patch.to_string()),
            ("pixel_mm", self.pixel_mm.to_string()),
            ("frequency_hz", self.frequency_hz.to_string()),
            ("density", self.density.to_string()),
            ("trained_on", self.trained_on.clone()),
        ]
        .map(|(key, value)| (key.to_string(), value))
        .into();
        if let Some(Calibration { floor, slope, stride }) = self.calibration {
            all.insert("uncertainty_floor_kpa".into(), floor.to_string());
            all.insert("uncertainty_slope".into(), slope.to_string());
            all.insert("uncertainty_stride".into(), stride.to_string());
        }
        all
    }

    /// What metadata tell.
    ///
    /// # Errors
    /// What is missing or not understood, as a sentence.
    pub fn from_metadata(all: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = |key: &str| {
            all.get(key).ok_or_else(|| {
                format!(
                    "does not say its '{key}' in its metadata, so that it cannot be told how its input is made; \
                     `palpate train` writes it for simulated sets (docs/dime.md has the list)"
                )
            })
        };
        let convention = text("time_convention")?;
        if convention != CONVENTION {
            return Err(format!("says time_convention = '{convention}', where {CONVENTION} is known"));
        }
        let named = text("normalisation")?;
        let normalisation = Normalisation::named(named)
            .ok_or_else(|| format!("says normalisation = '{named}', where none and patch are known"))?;
        // Weights of others' making do not say.
        let views = all.get("views").map_or("one", String::as_str);
        let views = Views::named(views)
            .ok_or_else(|| format!("says views = '{views}', where one, phases and all are known"))?;
        let calibration = match all.contains_key("uncertainty_slope") {
            true => Some(Calibration {
                floor: positive(all, "uncertainty_floor_kpa")?,
                slope: positive(all, "uncertainty_slope")?,
                stride: positive(all, "uncertainty_stride")?,
            }),
            false => None,
        };
        text("patch").and(text("pixel_mm"))?;
        Ok(Self {
            forward_model: text("forward_model")?.clone(),
            normalisation,
            views,
            patch: positive(all, "patch")?,
            pixel_mm: positive(all, "pixel_mm")?,
            frequency_hz: positive(all, "frequency_hz")?,
            density: positive(all, "density")?,
            trained_on: all.get("trained_on").cloned().unwrap_or_default(),
            calibration,
        })
    }
}

fn positive<T: FromStr + PartialOrd + Default + Display>(
    all: &BTreeMap<String, String>,
    key: &str,
) -> Result<T, String> {
    let text = all.get(key).map_or("", String::as_str);
    let value = text.parse::<T>().ok().filter(|v| *v > T::default() && v.to_string() != "inf");
    value.ok_or_else(|| format!("says {key} = '{text}' in its metadata, where a number above 0 is wanted"))
}
