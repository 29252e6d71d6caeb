//! Fits of the mixing and of the uncertainty to pixels whose truth is known.

use super::{Bin, STRIDE};
use crate::dime::model::{Calibration, Model};
use crate::stats::median;

/// Number of groups of pixels with similar spread.
pub const BINS: usize = 24;
/// Number of groups of pixels with similar disagreement, among those with similar spread.
pub const DOUBTS: usize = 3;
/// Sweeps of the fit, far more than it needs.
const SWEEPS: usize = 10_000;
/// The least mixing that is tried, the ratio of the largest to it, and the number of steps between.
const LEAST_MIXING: f64 = 0.01;
const MOST_MIXING: f64 = 1000.0;
const MIXINGS: u32 = 40;

/// A pixel of a map, and the truth.
#[derive(Clone, Copy, Debug)]
pub struct Pixel {
    /// The modulus of the map, kPa.
    pub value: f32,
    /// The spread of the predictions, kPa.
    pub spread: f32,
    /// The prediction without surroundings minus that with them, kPa.
    pub apart: f32,
    /// The true modulus, kPa.
    pub truth: f32,
}

impl Pixel {
    /// The value, of a prediction with surroundings, mixed with that without, as in
    /// `kernels/tiles/overlap_statistics.wgsl`.
    fn mixed(&self, mixing: f32) -> f32 {
        let ratio = 2.0 * self.apart / (2.0 * self.value + self.apart).abs().max(1e-6);
        self.value + self.apart * ratio * ratio / (ratio * ratio + mixing * mixing)
    }
}

/// Sorts pixels by spread and divides them into groups of equal size, and these by disagreement.
pub fn bins(mut pixels: Vec<Pixel>) -> Vec<Bin> {
    let rms = |group: &[Pixel], of: &dyn Fn(&Pixel) -> f32| {
        (group.iter().map(|p| f64::from(of(p)).powi(2)).sum::<f64>() / group.len() as f64).sqrt()
    };
    let parts = |n: usize, of: usize| n.div_ceil(of).max(1);
    let apart = |p: &Pixel| p.apart.abs();
    pixels.sort_by(|a, b| a.spread.total_cmp(&b.spread));
    let (all, mut bins) = (pixels.len(), vec![]);
    for alike in pixels.chunks_mut(parts(all, BINS)) {
        alike.sort_by(|a, b| apart(a).total_cmp(&apart(b)));
        let same = apart(&alike[0]) == apart(&alike[alike.len() - 1]);
        let each = parts(alike.len(), if same { 1 } else { DOUBTS });
        bins.extend(alike.chunks(each).map(|group| Bin {
            spread: rms(group, &|p| p.spread),
            disagreement: rms(group, &apart),
            error: rms(group, &|p| p.value - p.truth),
        }));
    }
    bins
}

/// The mixing with the least square error of `pixels`, whose values are the predictions with surroundings.
pub fn mixing(pixels: &[Pixel]) -> f64 {
    let error = |mixing: f64| -> f64 {
        pixels.iter().map(|p| f64::from(p.mixed(mixing as f32) - p.truth).powi(2)).sum()
    };
    let mut best = (f64::INFINITY, Model::MIXING);
    for mixing in (0..=MIXINGS).map(|k| LEAST_MIXING * MOST_MIXING.powf(f64::from(k) / f64::from(MIXINGS))) {
        let found = error(mixing);
        if found < best.0 {
            best = (found, mixing);
        }
    }
    best.1
}

/// Fits error² = floor² + slope² spread² + doubt² disagreement² by least squares of the relative difference, with no term
/// below 0. Floor and slope are at least 1e-3.
pub fn fit(bins: &[Bin]) -> Calibration {
    let (mut products, mut target) = ([[0.0; 3]; 3], [0.0; 3]);
    for bin in bins {
        let [spread, apart, error] = [bin.spread, bin.disagreement, bin.error].map(|v| v * v);
        let error = error.max(1e-12);
        let terms = [1.0, spread, apart].map(|term| term / error);
        for i in 0..3 {
            (0..3).for_each(|j| products[i][j] += terms[i] * terms[j]);
            target[i] += terms[i];
        }
    }
    // Coordinate descent finds the minimum of a convex function, with the bounds.
    let mut squares = [0.0; 3];
    for _ in 0..SWEEPS {
        for i in 0..3 {
            let others: f64 = (0..3).filter(|j| *j != i).map(|j| products[i][j] * squares[j]).sum();
            squares[i] =
                if products[i][i] > 0.0 { ((target[i] - others) / products[i][i]).max(0.0) } else { 0.0 };
        }
    }
    let [floor, slope, doubt] = squares;
    Calibration {
        floor: floor.max(1e-6).sqrt(),
        slope: slope.max(1e-6).sqrt(),
        doubt: doubt.sqrt(),
        stride: STRIDE,
    }
}

/// The median difference of the answers with and without surroundings, as a share of the answer, that 19 of 20 `images` do
/// not exceed.
pub fn usual(images: &[Vec<Pixel>]) -> f64 {
    let share = |p: &Pixel| f64::from((p.apart / p.value.abs().max(1e-6)).abs());
    let image = |pixels: &Vec<Pixel>| median(&mut pixels.iter().map(share).collect::<Vec<_>>());
    let mut medians: Vec<f64> = images.iter().filter(|pixels| !pixels.is_empty()).map(image).collect();
    medians.sort_by(f64::total_cmp);
    medians.get((medians.len() * 19 / 20).min(medians.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// The root mean square error of pixels, and the shares of those whose truth lies within one and two uncertainties.
pub fn within(pixels: &[Pixel], calibration: Calibration) -> (f64, [f64; 2]) {
    let Calibration { floor, slope, doubt, .. } = calibration;
    let n = pixels.len().max(1) as f64;
    let off = |p: &Pixel| f64::from(p.value - p.truth).abs();
    let uncertainty = |p: &Pixel| floor.hypot(slope * f64::from(p.spread)).hypot(doubt * f64::from(p.apart));
    let shares =
        [1.0, 2.0].map(|times| pixels.iter().filter(|p| off(p) <= times * uncertainty(p)).count() as f64 / n);
    ((pixels.iter().map(|p| off(p).powi(2)).sum::<f64>() / n).sqrt(), shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    #[test]
    fn a_known_relation_is_found() {
        let mut rng = Rng::with_seed(3);
        let mut uniform = || rng.f32();
        for doubt in [0.0, 0.8] {
            let pixels: Vec<Pixel> = (0..200_000)
                .map(|i| {
                    let normal = (0..12).map(|_| uniform()).sum::<f32>() - 6.0;
                    let spread = 0.02 + 0.5 * (i as f32 / 200_000.0);
                    let apart = if doubt > 0.0 { uniform() } else { 0.0 };
                    let variance = 0.1f32.powi(2) + (1.5 * spread).powi(2) + (doubt * apart).powi(2);
                    Pixel { value: 3.0 + normal * variance.sqrt(), truth: 3.0, spread, apart }
                })
                .collect();
            let found = fit(&bins(pixels));
            assert!((found.floor - 0.1).abs() < 0.02 && (found.slope - 1.5).abs() < 0.03, "{found:?}");
            assert!((found.doubt - f64::from(doubt)).abs() < 0.02, "{found:?}");
        }
    }

    #[test]
    fn what_has_no_floor_or_no_slope_stays_positive() {
        let bins = |of: fn(f64) -> f64| {
            (1..=10)
                .map(|i| f64::from(i) / 10.0)
                .map(|spread| Bin { spread, disagreement: 0.0, error: of(spread) })
                .collect::<Vec<_>>()
        };
        let steep = fit(&bins(|s| 2.0 * s * s));
        assert!(steep.floor < 0.01 && steep.slope > 0.2, "{steep:?}");
        let flat = fit(&bins(|s| 0.5 - 0.1 * s));
        assert!(flat.slope < 0.01 && (flat.floor - 0.45).abs() < 0.05, "{flat:?}");
        assert_eq!([steep.doubt, flat.doubt], [0.0; 2]);
    }

    #[test]
    fn nineteen_of_twenty_images_are_usual() {
        let image = |k: i32| {
            let apart = if k % 2 == 0 { 0.02 } else { -0.02 } * k as f32;
            vec![Pixel { value: 2.0, truth: 2.0, spread: 0.1, apart }; 5]
        };
        let found = usual(&(1..=100).map(image).collect::<Vec<_>>());
        assert!((found - 0.96).abs() < 1e-6, "{found}");
        assert_eq!(usual(&[]), 0.0);
    }

    /// The better prediction counts if both are right on average. If those with surroundings go wrong with their
    /// disagreement, those without take over beyond some of it.
    #[test]
    fn the_mixing_fits_the_errors() {
        let mut rng = Rng::with_seed(5);
        let mut uniform = || 2.0 * rng.f32() - 1.0;
        let mut kind = |astray: f32| -> Vec<Pixel> {
            (0..20_000)
                .map(|_| {
                    // Without surroundings, the error is up to .6 either way.
                    let (value, alone) = (4.0 + 0.05 * uniform() + astray * uniform(), 4.0 + 0.6 * uniform());
                    Pixel { value, apart: alone - value, truth: 4.0, spread: 0.1 }
                })
                .collect()
        };
        let (known, unlike) = (kind(0.0), kind(3.0));
        let [alone, both] = [mixing(&known), mixing(&[&known[..], &unlike].concat())];
        assert!(alone > 0.5 && (0.02..0.4).contains(&both), "{alone} {both}");
        let pixel = Pixel { value: 4.0, apart: 0.5, truth: 4.0, spread: 0.1 };
        assert!((pixel.mixed(1e6) - 4.0).abs() < 1e-5 && (pixel.mixed(1e-6) - 4.5).abs() < 1e-5);
    }
}
