//! Metadata of a network: the forward model of its training, and how its input is made.

use super::surroundings::Surroundings;
use super::views::Views;
use crate::patches::Normalisation;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// The part of the metadata that is needed to use a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The forward model of the training waves: `bulk`, `slab`, `mixed`, or a name given by the user.
    pub forward_model: String,
    /// The normalisation of patches.
    pub normalisation: Normalisation,
    /// The views in which patches are shown to the network.
    pub views: Views,
    /// The coarser views of a patch's surroundings.
    pub surroundings: Surroundings,
    /// The difference of the answers with and without surroundings, as a share of their mean, at which both count alike.
    /// At smaller differences the answer with surroundings counts more, at larger ones the answer without.
    pub mixing: f64,
    /// Rows and columns of a patch.
    pub patch: usize,
    /// Pixel size, mm.
    pub pixel_mm: f64,
    /// Frequency of the training waves, Hz.
    pub frequency_hz: f64,
    /// Density of the training phantoms, kg/m³.
    pub density: f64,
    /// Description of the training set.
    pub trained_on: String,
    /// The calibration from spread to uncertainty, if there is one.
    pub calibration: Option<Calibration>,
    /// The median difference of the answers with and without surroundings, as a share of the answer, that 19 of 20 images of
    /// held-out bodies do not exceed. A larger one shows a body unlike those of the training.
    pub usual: Option<f64>,
}

/// The root mean square error for a spread s of overlapping predictions, and for a difference d of the predictions with and
/// without surroundings: √(floor² + (slope · s)² + (doubt · d)²).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Error at zero spread, kPa.
    pub floor: f64,
    /// Error over spread, without the floor.
    pub slope: f64,
    /// Error over difference, without floor and spread; 0 for a network that sees the patch alone.
    pub doubt: f64,
    /// The stride of the calibration, pixels. With a larger stride fewer predictions overlap, and the spread is
    /// less reliable.
    pub stride: usize,
}

/// The sign convention of all networks here: u = Re(U e^{+iωt}). The modulus μ(1 + iη) of lossy tissue then has
/// a positive imaginary part.
pub const CONVENTION: &str = "exp(+iwt)";

impl Model {
    /// The mixing of weights that do not state theirs.
    pub const MIXING: f64 = 0.2;

    /// The channels of the network's inputs: the patch, and the views of its surroundings if there are some.
    pub fn channels(&self) -> Vec<usize> {
        let around = 2 * self.surroundings.scales().len();
        [2, around].into_iter().filter(|channels| *channels > 0).collect()
    }

    /// Converts the model to metadata.
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
        if !self.surroundings.is_empty() {
            all.insert("surroundings".into(), self.surroundings.to_string());
            all.insert("mixing".into(), self.mixing.to_string());
        }
        if let Some(usual) = self.usual {
            all.insert("usual_disagreement".into(), usual.to_string());
        }
        if let Some(Calibration { floor, slope, doubt, stride }) = self.calibration {
            all.insert("uncertainty_floor_kpa".into(), floor.to_string());
            all.insert("uncertainty_slope".into(), slope.to_string());
            if doubt > 0.0 {
                all.insert("uncertainty_doubt".into(), doubt.to_string());
            }
            all.insert("uncertainty_stride".into(), stride.to_string());
        }
        all
    }

    /// Reads the model from metadata.
    ///
    /// # Errors
    /// A sentence that names the missing or invalid entry.
    pub fn from_metadata(all: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = |key: &str| {
            all.get(key).ok_or_else(|| {
                format!(
                    "does not state '{key}' in its metadata, so it is not known how its input is made; \
                     `palpate train` writes it for simulated sets (docs/dime.md has the list)"
                )
            })
        };
        let convention = text("time_convention")?;
        if convention != CONVENTION {
            return Err(format!("says time_convention = '{convention}', but only {CONVENTION} is supported"));
        }
        let named = text("normalisation")?;
        let normalisation = Normalisation::named(named).ok_or_else(|| {
            format!("says normalisation = '{named}', but only none and patch are supported")
        })?;
        // Weights of other programs do not have this entry.
        let views = all.get("views").map_or("one", String::as_str);
        let views = Views::named(views)
            .ok_or_else(|| format!("says views = '{views}', but only one, phases and all are supported"))?;
        let surroundings = match all.get("surroundings") {
            None => Surroundings::default(),
            Some(text) => text
                .parse()
                .map_err(|what| format!("says surroundings = '{text}' in its metadata, but {what}"))?,
        };
        let calibration = match all.contains_key("uncertainty_slope") {
            true => Some(Calibration {
                floor: positive(all, "uncertainty_floor_kpa")?,
                slope: positive(all, "uncertainty_slope")?,
                doubt: if_there(all, "uncertainty_doubt")?.unwrap_or(0.0),
                stride: positive(all, "uncertainty_stride")?,
            }),
            false => None,
        };
        text("patch").and(text("pixel_mm"))?;
        Ok(Self {
            forward_model: text("forward_model")?.clone(),
            normalisation,
            views,
            surroundings,
            mixing: if_there(all, "mixing")?.unwrap_or(Self::MIXING),
            patch: positive(all, "patch")?,
            pixel_mm: positive(all, "pixel_mm")?,
            frequency_hz: positive(all, "frequency_hz")?,
            density: positive(all, "density")?,
            trained_on: all.get("trained_on").cloned().unwrap_or_default(),
            calibration,
            usual: if_there(all, "usual_disagreement")?,
        })
    }
}

/// The number of an entry that may be missing.
fn if_there(all: &BTreeMap<String, String>, key: &str) -> Result<Option<f64>, String> {
    all.contains_key(key).then(|| positive(all, key)).transpose()
}

fn positive<T: FromStr + PartialOrd + Default + Display>(
    all: &BTreeMap<String, String>,
    key: &str,
) -> Result<T, String> {
    let text = all.get(key).map_or("", String::as_str);
    let value = text.parse::<T>().ok().filter(|v| *v > T::default() && v.to_string() != "inf");
    value.ok_or_else(|| format!("says {key} = '{text}' in its metadata, but a number above 0 is needed"))
}
