//! Calibration of the uncertainty from the spread of overlapping predictions, on phantoms that the network has
//! not seen.

use super::infer::{Dime, DimeMap};
use super::model::{Calibration, Model};
use super::settings::DimeSettings;
use crate::error::{Error, Result};
use crate::kernel::form::Chooser;
use crate::kernel::signal::harmonic::Frames;
use crate::nn::Weights;
use crate::patches::SetImages;
use crate::size::Size;
use crate::wave::analytic::add_noise;
use fastrand::Rng;
use ndarray::ArrayView2;

/// Range of the signal-to-noise ratio of the images, dB; the values are uniform in it.
const SNR_DB: [f64; 2] = [10.0, 50.0];
/// Number of groups of pixels with similar spread.
const BINS: usize = 24;
/// Pixels between neighbouring patches.
const STRIDE: usize = 3;

/// A group of pixels with similar spread, and their actual error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Root mean square of the spread, kPa.
    pub spread: f64,
    /// Root mean square error, kPa.
    pub error: f64,
}

/// Runs the network on `count` of `images`, evenly spread and with noise added. Fits the error as a function of
/// the spread of the predictions. `progress` receives the number of finished images.
///
/// # Errors
/// - [`Error::Data`] if the metadata of the network are incomplete, or if its results are not finite or too
///   few.
/// - All errors of the device.
pub fn calibrate(
    chooser: &Chooser,
    weights: &Weights,
    images: &SetImages,
    count: usize,
    seed: u64,
    progress: &mut dyn FnMut(usize),
) -> Result<(Calibration, Vec<Bin>)> {
    let mut plain = weights.clone();
    let model = Model::from_metadata(&weights.metadata).map_err(Error::Data)?;
    plain.metadata = Model { calibration: None, ..model }.to_metadata();
    let [pixel, frequency_hz, density] = images.physics();
    let all: Vec<[usize; 2]> =
        (0..images.len()).flat_map(|i| (0..images.planes(i)).map(move |plane| [i, plane])).collect();
    let count = count.clamp(1, all.len());
    let mut rng = Rng::with_seed(seed);
    let mut compiled: Option<(usize, Dime)> = None;
    let mut pairs: Vec<[f32; 2]> = vec![];
    for k in 0..count {
        let [phantom, plane] = all[(2 * k + 1) * all.len() / (2 * count)];
        let image = images.image(phantom, plane);
        if compiled.as_ref().is_none_or(|(size, _)| *size != image.size) {
            let settings = DimeSettings {
                size: Size::square(image.size),
                spacing_mm: [pixel; 2],
                frames: Frames::Channels,
                conjugated: false,
                frequency_hz,
                density,
                stride: STRIDE,
                batch: 128,
                patch: None,
                pixel_mm: None,
            };
            compiled = Some((image.size, Dime::new(chooser, &plain, &settings, &|_, _| {})?));
        }
        let Some((_, dime)) = &mut compiled else { unreachable!("compiled above") };
        let mask: Vec<bool> = image.mask.iter().map(|m| *m > 0).collect();
        let mut wave = image.field();
        let snr = SNR_DB[0] + (SNR_DB[1] - SNR_DB[0]) * rng.f64();
        let inside = ArrayView2::from_shape([image.size; 2], &mask).expect("a mask fills its image");
        add_noise(&mut wave, inside, snr, &mut rng);
        let frames: Vec<f32> =
            wave.iter().map(|u| u.re as f32).chain(wave.iter().map(|u| u.im as f32)).collect();
        let maps = dime.invert(&frames, &mask)?;
        let both = DimeMap::Modulus.of(&maps).iter().zip(DimeMap::Spread.of(&maps));
        let inside = both.zip(image.modulus).zip(&mask).filter(|(_, m)| **m);
        pairs.extend(inside.map(|(((value, spread), truth), _)| [*spread, value - truth]));
        progress(k + 1);
    }
    if pairs.len() < BINS || pairs.iter().flatten().any(|v| !v.is_finite()) {
        return Err(Error::Data(
            "the network's results on the held-out phantoms are too few or not finite; train it again".into(),
        ));
    }
    let bins = bins(pairs);
    Ok((fit(&bins), bins))
}

/// Sorts pixels by spread and divides them into groups of equal size.
fn bins(mut pairs: Vec<[f32; 2]>) -> Vec<Bin> {
    pairs.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
    let each = pairs.len().div_ceil(BINS);
    let rms = |values: &mut dyn Iterator<Item = f32>, n: usize| {
        (values.map(|v| f64::from(v).powi(2)).sum::<f64>() / n as f64).sqrt()
    };
    let bin = |group: &[[f32; 2]]| Bin {
        spread: rms(&mut group.iter().map(|p| p[0]), group.len()),
        error: rms(&mut group.iter().map(|p| p[1]), group.len()),
    };
    pairs.chunks(each).map(bin).collect()
}

/// Fits error² = floor² + slope² spread² by least squares of the relative difference. Floor and slope are at
/// least 1e-3.
fn fit(bins: &[Bin]) -> Calibration {
    let mut sums = [0.0; 5];
    for bin in bins {
        let [x, y] = [bin.spread, bin.error].map(|v| v.powi(2).max(1e-12));
        let weight = 1.0 / (y * y);
        for (sum, term) in sums.iter_mut().zip([1.0, x, x * x, y, x * y]) {
            *sum += weight * term;
        }
    }
    let [n, x, xx, y, xy] = sums;
    let determinant = n * xx - x * x;
    let (mut floor, mut slope) = ((xx * y - x * xy) / determinant, (n * xy - x * y) / determinant);
    if !(determinant > 0.0 && floor > 0.0) {
        (floor, slope) = (0.0, xy / xx);
    }
    if slope <= 0.0 {
        (floor, slope) = (y / n, 0.0);
    }
    Calibration { floor: floor.max(1e-6).sqrt(), slope: slope.max(1e-6).sqrt(), stride: STRIDE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_relation_is_found() {
        let mut rng = Rng::with_seed(3);
        let mut normal = || (0..12).map(|_| rng.f32()).sum::<f32>() - 6.0;
        let pairs: Vec<[f32; 2]> = (0..200_000)
            .map(|i| {
                let spread = 0.02 + 0.5 * (i as f32 / 200_000.0);
                [spread, normal() * (0.1f32.powi(2) + (1.5 * spread).powi(2)).sqrt()]
            })
            .collect();
        let found = fit(&bins(pairs));
        assert!((found.floor - 0.1).abs() < 0.01 && (found.slope - 1.5).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn what_has_no_floor_or_no_slope_stays_positive() {
        let bins = |of: fn(f64) -> f64| {
            (1..=10)
                .map(|i| f64::from(i) / 10.0)
                .map(|spread| Bin { spread, error: of(spread) })
                .collect::<Vec<_>>()
        };
        let steep = fit(&bins(|s| 2.0 * s * s));
        assert!(steep.floor < 0.01 && steep.slope > 0.2, "{steep:?}");
        let flat = fit(&bins(|s| 0.5 - 0.1 * s));
        assert!(flat.slope < 0.01 && (flat.floor - 0.45).abs() < 0.05, "{flat:?}");
    }
}
