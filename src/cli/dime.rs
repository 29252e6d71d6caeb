//! What the commands that run DIME share: which network, how densely, and what is said of the result.

use super::progress::Bars;
use clap::ValueEnum;
use palpate::dime::{Builtin, Dime, Model, Plane, Settings};
use palpate::kernel::Pipelines;
use palpate::kernel::choose::Chooser;
use palpate::nn::Weights;
use palpate::stats::region::{RegionStats, region};
use palpate::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;

/// Which network, and how its patches lie.
#[derive(clap::Args)]
#[command(next_help_heading = "DIME")]
pub struct DimeOptions {
    /// Forward model of the body the waves run in: a bulk, such as an organ, or a slab that bends [default: bulk]
    #[arg(long, value_enum)]
    model: Option<ModelOption>,
    /// Weights of your own (.safetensors, by `palpate train`) in place of those that come with palpate
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    weights: Option<PathBuf>,
    /// Pixels of the network's grid from one patch to the next
    #[arg(long, value_name = "PX", default_value_t = OPTIONS[0], allow_hyphen_values = true)]
    stride: usize,
    /// Patches computed at once, at most
    #[arg(long, value_name = "COUNT", default_value_t = OPTIONS[1], allow_hyphen_values = true)]
    batch: usize,
}

/// Stride and batch, if nothing else is said.
const OPTIONS: [usize; 2] = [3, 128];

#[derive(Clone, Copy, ValueEnum)]
enum ModelOption {
    Bulk,
    Slab,
}

impl DimeOptions {
    /// The network, its metadata checked.
    pub fn load(&self) -> Result<Network> {
        let mut network = match (&self.weights, self.model) {
            (Some(path), _) => {
                let weights = Weights::load(path)?;
                let model =
                    Model::from_metadata(&weights.metadata).map_err(|what| Error::file(path, what))?;
                let file = Some(path.display().to_string());
                Network { weights, model, file, options: OPTIONS, compiled: None }
            }
            (None, Some(ModelOption::Slab)) => Network::builtin(Builtin::Slab)?,
            (None, None | Some(ModelOption::Bulk)) => Network::builtin(Builtin::Bulk)?,
        };
        network.options = [self.stride, self.batch];
        Ok(network)
    }
}

/// A network, compiled for the images that were met last.
pub struct Network {
    weights: Weights,
    pub model: Model,
    file: Option<String>,
    /// Stride and batch.
    options: [usize; 2],
    compiled: Option<(Settings, Dime)>,
}

impl Network {
    /// One that comes with palpate.
    pub fn builtin(which: Builtin) -> Result<Self> {
        let weights = which.weights()?;
        let model = Model::from_metadata(&weights.metadata).map_err(Error::Data)?;
        Ok(Self { weights, model, file: None, options: OPTIONS, compiled: None })
    }

    /// What an inversion is set to, apart from the network.
    pub fn settings(&self, image: &palpate::mmdi::Settings, conjugated: bool) -> Settings {
        let [stride, batch] = self.options;
        Settings {
            size: image.size,
            spacing_mm: image.spacing_mm,
            frames: image.frames,
            conjugated,
            frequency_hz: image.frequency_hz,
            density: image.density,
            stride,
            batch,
        }
    }

    /// Compiled for `settings`.
    pub fn compile(&mut self, pipelines: &Pipelines, settings: &Settings, bars: &Bars) -> Result<&mut Dime> {
        if self.compiled.as_ref().is_none_or(|(compiled, _)| compiled != settings) {
            // The old plan's buffers go back to the pool before the new one asks for its own.
            self.compiled = None;
            let chooser = Chooser::new(pipelines);
            let dime = bars.compiling(|progress| Dime::new(&chooser, &self.weights, settings, progress))?;
            self.compiled = Some((settings.clone(), dime));
        }
        let Some((_, dime)) = &mut self.compiled else { unreachable!("compiled above") };
        Ok(dime)
    }
}

/// What the JSON says of DIME.
#[derive(Serialize)]
pub struct DimeReport {
    forward_model: String,
    weights: String,
    network: String,
    trained_on: String,
    normalisation: &'static str,
    time_convention: &'static str,
    /// Whether the input was conjugated to fit the time convention.
    conjugated: bool,
    patch_px: usize,
    stride_px: usize,
    pixel_mm: f64,
    definitions: [(&'static str, String); 3],
    /// Over all slices.
    mask: Option<Maps>,
    per_slice: Vec<PerSlice>,
}

#[derive(Serialize)]
struct PerSlice {
    slice: usize,
    mask: Option<Maps>,
}

#[derive(Serialize)]
struct Maps {
    stiffness_kpa: RegionStats,
    uncertainty_kpa: RegionStats,
}

impl DimeReport {
    /// `maps` and `masks` of each slice.
    pub fn new(network: &Network, settings: &Settings, maps: &[&[f32]], masks: &[&[bool]]) -> Self {
        let of = |maps: &[&[f32]], masks: &[&[bool]]| {
            let mask = masks.concat();
            let stack = |plane: Plane| maps.iter().flat_map(|m| plane.of(m)).copied().collect::<Vec<f32>>();
            let about = |plane| region(&stack(plane), &mask, settings.spacing_mm, None);
            Some(Maps { stiffness_kpa: about(Plane::Modulus)?, uncertainty_kpa: about(Plane::Uncertainty)? })
        };
        let model = &network.model;
        Self {
            forward_model: model.forward_model.clone(),
            weights: network.file.clone().unwrap_or_else(|| format!("{}, built in", model.forward_model)),
            network: network.weights.unet.settings().to_string(),
            trained_on: model.trained_on.clone(),
            normalisation: model.normalisation.name(),
            time_convention: palpate::dime::CONVENTION,
            conjugated: settings.conjugated,
            patch_px: model.patch,
            stride_px: settings.stride,
            pixel_mm: settings.pixel_mm(model),
            definitions: [
                ("stiffness", STIFFNESS.into()),
                ("uncertainty", self::uncertainty(model).into()),
                ("confidence", CONFIDENCE.into()),
            ],
            mask: of(maps, masks),
            per_slice: (0..maps.len())
                .map(|i| PerSlice { slice: i, mask: of(&maps[i..=i], &masks[i..=i]) })
                .collect(),
        }
    }

    /// The settings in one line, for pictures.
    pub fn settings(&self) -> String {
        format!(
            "DIME, forward model {}: patches of {} px, stride {}, pixels of {:.3} mm{}.",
            self.forward_model,
            self.patch_px,
            self.stride_px,
            self.pixel_mm,
            if self.conjugated { ", of the conjugated wave" } else { "" }
        )
    }

    /// The result in words.
    pub fn summary(&self) -> String {
        let Some(maps) = &self.mask else { return "the mask is empty".into() };
        let s = &maps.stiffness_kpa;
        format!(
            "DIME ({}) µ {:.2} ± {:.2} kPa (mean ± SD over {:.0} cm²), uncertainty {:.2} kPa (median)",
            self.forward_model,
            s.mean,
            s.sd,
            s.area_mm2 / 100.0,
            maps.uncertainty_kpa.median
        )
    }
}

pub const STIFFNESS: &str = "DIME storage modulus mu, kPa";
pub const CONFIDENCE: &str = "1 - uncertainty / stiffness, 0..1";

/// What the uncertainty is.
pub fn uncertainty(model: &Model) -> &'static str {
    match model.calibration {
        Some(_) => "expected RMS error of the stiffness, kPa",
        None => "SD of overlapping predictions, kPa, not calibrated",
    }
}

/// One minus the uncertainty's share of the stiffness.
pub fn confidence(maps: &[f32]) -> Vec<f32> {
    let both = Plane::Modulus.of(maps).iter().zip(Plane::Uncertainty.of(maps));
    both.map(|(m, u)| if *m > 0.0 { (1.0 - u / m).max(0.0) } else { 0.0 }).collect()
}
