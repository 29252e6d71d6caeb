//! The end of a training: the calibration of the best weights, and what is said of it.

use crate::cli::progress::Bars;
use crate::cli::{Forms, print};
use palpate::lowlevel::dime::{Calibrated, Calibration, Kind, Model, calibrate, passes};
use palpate::lowlevel::nn::{Forward, Precision, Unet, Weights};
use palpate::lowlevel::patches::{SetImages, Split, is_set};
use palpate::lowlevel::train::TrainFolder;
use palpate::{Error, Result, Size};
use std::path::PathBuf;

/// Images of each kind of bodies that an uncertainty is calibrated on.
const CALIBRATION_IMAGES: usize = 48;
/// Patches at once in a calibration.
const CALIBRATION_BATCH: usize = 128;

/// Calibrates the best weights' uncertainty on phantoms for validation of the sets in `data` and in `unlike`, where there
/// are sets, and writes them with it.
pub fn finish(
    forms: &Forms,
    [data, unlike]: [&[PathBuf]; 2],
    folder: &TrainFolder,
    half: bool,
) -> Result<()> {
    let mut weights = Weights::<Unet>::load(&folder.weights())?;
    let precision = if half { Precision::Half } else { Precision::Single };
    if data.iter().all(is_set) {
        // The calibration is of the weights as they are written.
        weights.save_as(&folder.weights(), precision)?;
        weights = Weights::load(&folder.weights())?;
        let mut model = Model::from_metadata(&weights.metadata).map_err(Error::Data)?;
        let held = SetImages::open(data, Split::Validation)?;
        let unlike = match unlike {
            [] => None,
            sets => Some(SetImages::open(sets, Split::Validation)?),
        };
        let kinds = [("held out", Some(&held)), ("unlike", unlike.as_ref())];
        let kinds: Vec<_> =
            kinds.into_iter().filter_map(|(name, images)| Some(Kind { name, images: images? })).collect();
        let bars = Bars::default();
        let images = |kind: &Kind| CALIBRATION_IMAGES.min(kind.images.images());
        let again = passes(&model) - 1;
        let bar =
            bars.bar("calibrating", kinds.iter().map(images).sum::<usize>() + again * images(&kinds[0]));
        let progress = &mut |done: usize| bar.set_position(done as u64);
        let side = Size::square(model.patch);
        let chooser = forms.qualified(&|c| Forward::specs(c, &weights, side, CALIBRATION_BATCH))?;
        let calibrated = calibrate(&chooser, &weights, &kinds, CALIBRATION_IMAGES, 1, progress);
        bar.finish_and_clear();
        let calibrated = calibrated?;
        model.calibration = Some(calibrated.calibration);
        (model.mixing, model.usual) = (calibrated.mixing, calibrated.usual);
        weights.metadata.extend(model.to_metadata());
        print(&table(&calibrated))?;
    }
    weights.save_as(&folder.weights(), precision)
}

/// The errors of groups of pixels beside their uncertainties, and what holds over each kind of bodies.
fn table(calibrated: &Calibrated) -> String {
    let Calibrated { calibration, mixing, usual, bins, within } = calibrated;
    let Calibration { floor, slope, doubt, .. } = *calibration;
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let mut table = String::from("spread, kPa   ");
    table += if usual.is_some() { "disagreement, kPa   " } else { "" };
    table += "RMS error, kPa   uncertainty, kPa\n";
    for bin in bins.iter().step_by(5).chain(bins.last()) {
        let expected = floor.hypot(slope * bin.spread).hypot(doubt * bin.disagreement);
        table += &format!("{:>11.3}   ", bin.spread);
        if usual.is_some() {
            table += &format!("{:>17.3}   ", bin.disagreement);
        }
        table += &format!("{:>14.3}   {expected:>16.3}\n", bin.error);
    }
    for (name, error, shares) in within {
        let [one, two] = shares.map(percent);
        table += &format!(
            "bodies {name}: RMS error {error:.3} kPa; the truth is within one uncertainty in {one} of pixels, within two \
             in {two}\n"
        );
    }
    if let Some(usual) = usual {
        let [mixing, usual] = [*mixing, *usual].map(percent);
        table += &format!(
            "answers with and without surroundings count alike where they differ by {mixing}; {usual} (median of an image) \
             is usual\n"
        );
    }
    table
}
