//! What the commands that run DIME share: which network, how densely, and what is said of the result.

use super::Forms;
use super::progress::Bars;
use super::report::CONFIDENT;
use clap::ValueEnum;
use palpate::Size;
use palpate::lowlevel::dime::{Dime, DimeMap, DimeSettings, DimeWeights, Model};
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::MmdiSettings;
use palpate::lowlevel::nn::{Network as _, Weights};
use palpate::lowlevel::stats::region::{RegionStats, region};
use palpate::lowlevel::wave::{Warning, WaveImage};
use palpate::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;

/// Which network, and how its patches lie.
#[derive(clap::Args)]
#[command(next_help_heading = "DIME")]
pub struct DimeOptions {
    /// Forward model of the body the waves run in: mixed tells bulk and slab apart by itself; bulk and slab are smaller
    /// networks for a body as thick as wide, and for a slab that bends [default: mixed]
    #[arg(long, value_enum)]
    model: Option<ModelOption>,
    /// Weights of your own (.safetensors, by `palpate train`) in place of those that come with palpate
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    weights: Option<PathBuf>,
    /// Pixels of the network's grid from one patch to the next [default: 3]
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    stride: Option<usize>,
    /// Rows and columns of a patch [default: the network's, 30]
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    patch: Option<usize>,
    /// Side of a pixel of the network's grid, mm [default: 60 / frequency]
    #[arg(long, value_name = "MM", allow_hyphen_values = true)]
    pixel: Option<f64>,
    /// Patches computed at once, at most [default: 128]
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true)]
    batch: Option<usize>,
    /// Direction of motion that DIME takes, by its name or its number from 0 [default: z, else the last]
    #[arg(long, value_name = "NAME|NUMBER")]
    direction: Option<String>,
    /// Convolve on the GPU's matrix units, in half precision; maps differ by some 0.01 % [experimental]
    #[arg(long)]
    matrix_units: bool,
}

/// How patches lie.
#[derive(Clone, Copy)]
struct Patches {
    stride: usize,
    batch: usize,
    patch: Option<usize>,
    pixel_mm: Option<f64>,
}

const PATCHES: Patches = Patches { stride: 3, batch: 128, patch: None, pixel_mm: None };

#[derive(Clone, Copy, ValueEnum)]
enum ModelOption {
    Mixed,
    Bulk,
    Slab,
}

impl DimeOptions {
    /// Refuses options of DIME where it is not asked for.
    pub fn check_unused(&self) -> Result<()> {
        let given = [
            ("model", self.model.is_some()),
            ("weights", self.weights.is_some()),
            ("stride", self.stride.is_some()),
            ("patch", self.patch.is_some()),
            ("pixel", self.pixel.is_some()),
            ("batch", self.batch.is_some()),
            ("direction", self.direction.is_some()),
            ("matrix-units", self.matrix_units),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::Usage(format!(
                "--{name} is of DIME, and the method is mmdi; add --method dime, or both"
            ))),
            None => Ok(()),
        }
    }

    /// Whether matrix units are asked for.
    pub fn matrix_units(&self) -> bool {
        self.matrix_units
    }

    /// The direction of motion that the network takes. It has learned the driven component alone, which runs through the
    /// slice.
    ///
    /// # Errors
    /// [`Error::Usage`] if the image has no such direction.
    pub fn direction(&self, image: &mut WaveImage) -> Result<usize> {
        let names = &image.direction_names;
        let through = names.iter().position(|name| name.eq_ignore_ascii_case("z"));
        let taken = match &self.direction {
            None => through.unwrap_or(names.len() - 1),
            Some(wanted) => {
                let named = names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
                let number = wanted.parse().ok().filter(|i: &usize| *i < names.len());
                named.or(number).ok_or_else(|| {
                    Error::Usage(format!("there is no direction '{wanted}', only {}", names.join(", ")))
                })?
            }
        };
        let name = names[taken].clone();
        if through.is_some_and(|through| through != taken) {
            image.warnings.push(Warning::OtherDirection { name });
        } else if names.len() > 1 && through.is_none() {
            image.warnings.push(Warning::UnknownDirection { name, given: self.direction.is_some() });
        }
        Ok(taken)
    }

    /// The network, its metadata and the options checked.
    pub fn load(&self) -> Result<DimeNetwork> {
        let mut network = match (&self.weights, self.model) {
            (Some(path), _) => {
                let weights = Weights::load(path)?;
                let model =
                    Model::from_metadata(&weights.metadata).map_err(|what| Error::file(path, what))?;
                let file = Some(path.display().to_string());
                DimeNetwork { weights, model, file, patches: PATCHES, compiled: None, range_kpa: None }
            }
            (None, None | Some(ModelOption::Mixed)) => DimeNetwork::builtin(DimeWeights::Mixed)?,
            (None, Some(ModelOption::Bulk)) => DimeNetwork::builtin(DimeWeights::Bulk)?,
            (None, Some(ModelOption::Slab)) => DimeNetwork::builtin(DimeWeights::Slab)?,
        };
        network.patches = Patches {
            stride: self.stride.unwrap_or(PATCHES.stride),
            batch: self.batch.unwrap_or(PATCHES.batch),
            patch: self.patch,
            pixel_mm: self.pixel,
        };
        // What is wrong with the options is said before anything is computed.
        let any = MmdiSettings::new(Size::square(1), [1.0; 2], Frames::Channels);
        network.settings(&any, false).check(&network.model)?;
        Ok(network)
    }
}

/// A network, compiled for the images that were met last.
pub struct DimeNetwork {
    weights: Weights,
    pub model: Model,
    file: Option<String>,
    /// The moduli of the training, kPa, if they are known.
    range_kpa: Option<[f64; 2]>,
    patches: Patches,
    compiled: Option<(DimeSettings, Dime)>,
}

impl DimeNetwork {
    /// One that comes with palpate.
    pub fn builtin(which: DimeWeights) -> Result<Self> {
        let weights = which.weights()?;
        let model = Model::from_metadata(&weights.metadata).map_err(Error::Data)?;
        Ok(Self {
            weights,
            model,
            file: None,
            range_kpa: Some(which.range_kpa()),
            patches: PATCHES,
            compiled: None,
        })
    }

    /// What an inversion is set to, apart from the network.
    pub fn settings(&self, image: &MmdiSettings, conjugated: bool) -> DimeSettings {
        let Patches { stride, batch, patch, pixel_mm } = self.patches;
        DimeSettings {
            size: image.size,
            spacing_mm: image.spacing_mm,
            frames: image.frames,
            conjugated,
            frequency_hz: image.frequency_hz,
            density: image.density,
            stride,
            batch,
            patch,
            pixel_mm,
        }
    }

    /// The moduli, kPa, whose waves are as long on the network's grid as those of its training.
    pub fn seen_kpa(&self, settings: &DimeSettings) -> Option<[f64; 2]> {
        let model = &self.model;
        let per_pixel =
            settings.frequency_hz * settings.grid_mm(model) / (model.frequency_hz * model.pixel_mm);
        let scale = per_pixel.powi(2) * settings.density / model.density;
        self.range_kpa.map(|range| range.map(|kpa| kpa * scale))
    }

    /// Compiled for `settings`.
    pub fn compile(&mut self, forms: &Forms, settings: &DimeSettings, bars: &Bars) -> Result<&mut Dime> {
        if self.compiled.as_ref().is_none_or(|(compiled, _)| compiled != settings) {
            // The old plan's buffers go back to the pool before the new one asks for its own.
            self.compiled = None;
            let weights = &self.weights;
            let chooser = forms.qualified(&|c| Dime::specs(c, weights, settings))?;
            let dime = bars.compiling(|progress| Dime::new(&chooser, weights, settings, progress))?;
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
    views: &'static str,
    time_convention: &'static str,
    /// Whether the input was conjugated to fit the time convention; none where its sense could not be told.
    conjugated: Option<bool>,
    /// The moduli whose waves the network has seen in its training, kPa.
    seen_kpa: Option<[f64; 2]>,
    /// The median difference of the answers with and without surroundings over the mask, as a share of the stiffness.
    disagreement: Option<f64>,
    /// The disagreement that 19 of 20 images of held-out bodies do not exceed.
    usual_disagreement: Option<f64>,
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
    pub fn new(
        network: &DimeNetwork,
        settings: &DimeSettings,
        conjugated: Option<bool>,
        maps: &[&[f32]],
        masks: &[&[bool]],
    ) -> Self {
        let of = |maps: &[&[f32]], masks: &[&[bool]]| {
            let mask = masks.concat();
            let stack = |plane: DimeMap| maps.iter().flat_map(|m| plane.of(m)).copied().collect::<Vec<f32>>();
            let sure: Vec<f32> = maps.iter().flat_map(|m| confidence(m)).collect();
            let sure = Some((&sure[..], f64::from(CONFIDENT)));
            let about = |plane| region(&stack(plane), &mask, settings.spacing_mm, sure);
            Some(Maps {
                stiffness_kpa: about(DimeMap::Modulus)?,
                uncertainty_kpa: about(DimeMap::Uncertainty)?,
            })
        };
        let model = &network.model;
        Self {
            forward_model: model.forward_model.clone(),
            weights: network.file.clone().unwrap_or_else(|| format!("{}, built in", model.forward_model)),
            network: network.weights.network.describe(),
            trained_on: model.trained_on.clone(),
            normalisation: model.normalisation.name(),
            views: model.views.name(),
            time_convention: palpate::lowlevel::dime::CONVENTION,
            conjugated,
            seen_kpa: network.seen_kpa(settings),
            disagreement: (!model.surroundings.is_empty()).then(|| apart(maps, masks)).flatten(),
            usual_disagreement: model.usual,
            patch_px: settings.patch(model),
            stride_px: settings.stride,
            pixel_mm: settings.grid_mm(model),
            definitions: [
                ("stiffness", STIFFNESS.into()),
                ("uncertainty", self::uncertainty(model, settings).into()),
                ("confidence", CONFIDENCE.into()),
            ],
            mask: of(maps, masks),
            per_slice: (0..maps.len())
                .map(|i| PerSlice { slice: i, mask: of(&maps[i..=i], &masks[i..=i]) })
                .collect(),
        }
    }

    /// The moduli that the network has seen, if these waves are outside of them: by `stiffness`, the median of MMDI's.
    pub fn unseen(&self, stiffness: f64) -> Option<[f64; 2]> {
        // Waves that cross the slice at a slant read stiffer by MMDI than they are.
        self.seen_kpa.filter(|[low, high]| stiffness < low / UNSEEN || stiffness > high * UNSEEN)
    }

    /// The disagreement and what is usual, if it is larger.
    pub fn unlike(&self) -> Option<[f64; 2]> {
        let both = [self.disagreement?, self.usual_disagreement?];
        (both[0] > both[1]).then_some(both)
    }

    /// The settings in one line, for pictures.
    pub fn settings(&self) -> String {
        format!(
            "DIME, forward model {}, normalisation {}, time {}{}: patches of {} px, stride {}, pixels of {:.3} mm.",
            self.forward_model,
            self.normalisation,
            self.time_convention,
            if self.conjugated == Some(true) { ", the wave conjugated" } else { "" },
            self.patch_px,
            self.stride_px,
            self.pixel_mm
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

/// Waves are called unseen if MMDI's stiffness is beyond the training's moduli by this factor.
const UNSEEN: f64 = 1.25;

pub const STIFFNESS: &str = "DIME storage modulus mu, kPa";
pub const CONFIDENCE: &str = "1 - uncertainty / stiffness, 0..1";

/// The median difference of the answers with and without surroundings, as a share of the stiffness; none if the masks are
/// empty.
fn apart(maps: &[&[f32]], masks: &[&[bool]]) -> Option<f64> {
    let slices = maps.iter().zip(masks).flat_map(|(maps, mask)| {
        let both = DimeMap::Disagreement.of(maps).iter().zip(DimeMap::Modulus.of(maps));
        both.zip(*mask)
            .filter(|(_, inside)| **inside)
            .map(|((apart, value), _)| (apart / value.abs().max(1e-6)).abs())
    });
    let mut shares: Vec<f32> = slices.collect();
    let middle = shares.len() / 2;
    (!shares.is_empty()).then(|| f64::from(*shares.select_nth_unstable_by(middle, f32::total_cmp).1))
}

/// What the uncertainty is.
pub fn uncertainty(model: &Model, settings: &DimeSettings) -> &'static str {
    match model.calibration {
        Some(_) if settings.calibrated(model) => "expected RMS error of the stiffness, kPa",
        Some(_) => "RMS error, kPa, not calibrated for this stride or patch",
        None => "SD of overlapping predictions, kPa, not calibrated",
    }
}

/// One minus the uncertainty's share of the stiffness.
pub fn confidence(maps: &[f32]) -> Vec<f32> {
    let both = DimeMap::Modulus.of(maps).iter().zip(DimeMap::Uncertainty.of(maps));
    both.map(|(m, u)| if *m > 0.0 { (1.0 - u / m).max(0.0) } else { 0.0 }).collect()
}
