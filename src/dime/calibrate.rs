//! Calibration of the uncertainty from the spread of overlapping predictions, and from the difference of the predictions
//! with and without surroundings, on phantoms that the network has not seen.

mod fit;

use super::infer::{Dime, DimeMap};
use super::model::{Calibration, Model};
use super::settings::DimeSettings;
use crate::error::{Error, Result};
use crate::kernel::form::Chooser;
use crate::kernel::signal::harmonic::Frames;
use crate::nn::Weights;
use crate::patches::{Image, Organs, SetImages};
use crate::size::Size;
use crate::wave::analytic::add_noise;
use fastrand::Rng;
use fit::Pixel;
use ndarray::ArrayView2;

/// Range of the signal-to-noise ratio of the images, dB; the values are uniform in it.
const SNR_DB: [f64; 2] = [10.0, 50.0];
/// Pixels between neighbouring patches.
const STRIDE: usize = 3;
/// A mixing at which only the prediction with surroundings counts.
const ALWAYS: f64 = 1e6;
/// The least pixels of an organ, and the number of organs tried.
const LEAST_ORGAN: usize = 3000;
const TRIES: usize = 20;

/// A group of pixels with similar spread and disagreement, and their actual error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Root mean square of the spread, kPa.
    pub spread: f64,
    /// Root mean square of the difference of the predictions with and without surroundings, kPa.
    pub disagreement: f64,
    /// Root mean square error, kPa.
    pub error: f64,
}

/// Held-out bodies of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// The name of the kind, for what is printed.
    pub name: &'static str,
    /// The images.
    pub images: &'a SetImages,
}

/// A calibration, and what it is based on.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// The uncertainty.
    pub calibration: Calibration,
    /// The mixing of the answers with and without surroundings; see [`Model::mixing`].
    pub mixing: f64,
    /// The disagreement that is usual in the first kind; see [`Model::usual`]. None without surroundings.
    pub usual: Option<f64>,
    /// Groups of pixels of all kinds.
    pub bins: Vec<Bin>,
    /// Each kind with its RMS error in kPa, and the shares of its pixels whose truth lies within one and two uncertainties.
    pub within: Vec<(&'static str, f64, [f64; 2])>,
}

/// Runs the network on `count` images of each of `kinds`, spread over its phantoms, with noise added, and half of them seen
/// through the outline of an organ. Fits the mixing of the answers with and without surroundings on the first kind, and
/// then the error as a function of the spread of the predictions and of their disagreement on all kinds, which count alike.
/// `progress` receives the number of finished images: `count` of each kind, and `count` of the first one again for the
/// mixing.
///
/// # Errors
/// - [`Error::Data`] if the metadata of the network are incomplete, or if its results are not finite or too
///   few.
/// - All errors of the device.
pub fn calibrate(
    chooser: &Chooser,
    weights: &Weights,
    kinds: &[Kind],
    count: usize,
    seed: u64,
    progress: &mut dyn FnMut(usize),
) -> Result<Calibrated> {
    let model = Model::from_metadata(&weights.metadata).map_err(Error::Data)?;
    let mut done = 0;
    let mut run = |kinds: &[Kind], mixing: f64| -> Result<Vec<Vec<Vec<Pixel>>>> {
        let mut plain = weights.clone();
        plain.metadata = Model { calibration: None, mixing, ..model.clone() }.to_metadata();
        let of = |kind: &Kind| {
            let counted = &mut || {
                done += 1;
                progress(done);
            };
            pixels(chooser, &plain, kind.images, count, seed, counted)
        };
        kinds.iter().map(of).collect()
    };
    let mixing = match passes(&model) {
        1 => model.mixing,
        _ => fit::mixing(&run(&kinds[..1], ALWAYS)?.concat().concat()),
    };
    let found = run(kinds, mixing)?;
    let usual = (passes(&model) > 1).then(|| fit::usual(&found[0]));
    let found: Vec<Vec<Pixel>> = found.into_iter().map(|images| images.concat()).collect();
    // Kinds with fewer pixels are repeated, so that all count alike.
    let most = found.iter().map(Vec::len).max().unwrap_or(0);
    let all = found.iter().flat_map(|pixels| pixels.iter().cycle().take(most)).copied().collect();
    let bins = fit::bins(all);
    let calibration = fit::fit(&bins);
    let within = kinds.iter().zip(&found).map(|(kind, pixels)| {
        let (error, shares) = fit::within(pixels, calibration);
        (kind.name, error, shares)
    });
    Ok(Calibrated { calibration, mixing, usual, within: within.collect(), bins })
}

/// The number of times that a calibration runs the network of `model` on images of the first kind.
pub fn passes(model: &Model) -> usize {
    if model.surroundings.is_empty() { 1 } else { 2 }
}

/// Runs the network on `count` of `images`, and returns the pixels inside of each. Every other image is seen through the outline of
/// an organ.
fn pixels(
    chooser: &Chooser,
    weights: &Weights,
    images: &SetImages,
    count: usize,
    seed: u64,
    counted: &mut dyn FnMut(),
) -> Result<Vec<Vec<Pixel>>> {
    let [pixel, frequency_hz, density] = images.physics();
    let count = count.clamp(1, images.images());
    let (mut rng, organs) = (Rng::with_seed(seed), Organs::draw());
    let mut compiled: Option<(usize, Dime)> = None;
    let mut pixels = vec![];
    for k in 0..count {
        // Spread over phantoms, as in training: those with many planes do not count more.
        let phantom = (2 * k + 1) * images.len() / (2 * count);
        let image = images.image(phantom, k % images.planes(phantom));
        if compiled.as_ref().is_none_or(|(size, _)| *size != image.size) {
            let settings = DimeSettings {
                frequency_hz,
                density,
                stride: STRIDE,
                ..DimeSettings::new(Size::square(image.size), [pixel; 2], Frames::Channels)
            };
            compiled = Some((image.size, Dime::new(chooser, weights, &settings, &|_, _| {})?));
        }
        let Some((_, dime)) = &mut compiled else { unreachable!("compiled above") };
        let mask = seen(image, (k % 2 == 1).then_some(&organs), &mut rng);
        let mut wave = image.field();
        let snr = SNR_DB[0] + (SNR_DB[1] - SNR_DB[0]) * rng.f64();
        let inside = ArrayView2::from_shape([image.size; 2], &mask).expect("a mask fills its image");
        add_noise(&mut wave, inside, snr, &mut rng);
        let frames: Vec<f32> =
            wave.iter().map(|u| u.re as f32).chain(wave.iter().map(|u| u.im as f32)).collect();
        let maps = dime.invert(&frames, &mask)?;
        // Without a calibration, the uncertainty is the spread.
        let [value, spread, apart] = DimeMap::ALL.map(|plane| plane.of(&maps));
        let pixel =
            |i| Pixel { value: value[i], spread: spread[i], apart: apart[i], truth: image.modulus[i] };
        pixels.push((0..mask.len()).filter(|i| mask[*i]).map(pixel).collect::<Vec<_>>());
        counted();
    }
    let finite = |p: &Pixel| [p.value, p.spread, p.apart].into_iter().all(f32::is_finite);
    let count: usize = pixels.iter().map(Vec::len).sum();
    if count < fit::BINS * fit::DOUBTS || !pixels.iter().flatten().all(finite) {
        return Err(Error::Data(
            "the network's results on the held-out phantoms are too few or not finite; train it again".into(),
        ));
    }
    Ok(pixels)
}

/// The mask of an image, or the part of it in an organ that covers enough of it.
fn seen(image: Image, organs: Option<&Organs>, rng: &mut Rng) -> Vec<bool> {
    let whole: Vec<bool> = image.mask.iter().map(|m| *m > 0).collect();
    let Some(organs) = organs else { return whole };
    for _ in 0..TRIES {
        let organ = organs.place(image.bounds, rng);
        let at = |i: usize| organ.has((i / image.size) as f32, (i % image.size) as f32);
        let part: Vec<bool> = (0..whole.len()).map(|i| whole[i] && at(i)).collect();
        if part.iter().filter(|inside| **inside).count() >= LEAST_ORGAN {
            return part;
        }
    }
    whole
}
