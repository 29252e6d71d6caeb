//! Properties of each polynomial model that do not depend on the data: its response to a plane wave, and its
//! gain for white noise.

use super::{DIRECTIONS, Fit, MmdiMode, MmdiSettings, directional, polynomial_fit};
use crate::kernel::mre::combine::{Models, SAMPLES};
use crate::size::Size;
use ndarray::Axis;
use std::f64::consts::{FRAC_PI_2, TAU};

/// Windows and degrees of the three models. The first model is also the selector.
const CLINICAL: [(usize, usize); 3] = [(7, 5), (9, 3), (11, 3)];
const CORRECTED: [(usize, usize); 3] = [(7, 5), (9, 5), (15, 5)];
/// Window and degree of the fit whose residual measures the noise.
const REFERENCE: (usize, usize) = (5, 4);

/// The wavenumber per pixel at the end of the response curves.
const WIDEST: f64 = 1.5;
/// The smallest wavenumber of a curve; it limits the modulus. Per pixel if a pixel is 1 mm or more, else per
/// mm.
const NARROWEST: f64 = 0.02;
/// Number of samples of a response: in wavenumber, and in angle over a quarter turn.
const WAVENUMBERS: usize = 600;
const ANGLES: usize = 19;

/// The models of a mode for one image size and spacing.
pub struct ModelSet {
    /// The three fits.
    pub fits: Vec<Fit>,
    /// The fit whose residual measures the noise.
    pub reference: Fit,
    /// The parameters of the combination.
    pub combined: Models,
}

/// Returns the models for `settings`.
pub fn models(settings: &MmdiSettings) -> ModelSet {
    let h = settings.pixel_mm();
    let aspect = settings.spacing_mm.map(|side| side / h);
    let fit = |&(window, degree): &(usize, usize)| polynomial_fit(window, degree, aspect);
    let corrected = settings.mode == MmdiMode::Corrected;
    let fits: Vec<Fit> = if corrected { &CORRECTED } else { &CLINICAL }.iter().map(fit).collect();
    let reference = fit(&REFERENCE);
    let noise = noise(settings, &fits, &reference);
    let narrowest = NARROWEST * h.min(1.0);
    let responses: Vec<Response> = fits.iter().map(|fit| Response::new(fit, aspect)).collect();
    let combined = Models {
        unit: settings.unit_kpa(),
        density: settings.density,
        corrected,
        noise,
        reach: [0, 1, 2].map(|m| responses[m].reach()),
        widest: WIDEST,
        curves: responses.iter().flat_map(|r| r.curves(narrowest)).collect(),
    };
    ModelSet { fits, reference, combined }
}

/// The response of a fit to plane waves: √z, averaged over angles, at evenly spaced wavenumbers from 0. It ends
/// where it stops rising.
struct Response {
    roots: Vec<f64>,
}

impl Response {
    fn new(fit: &Fit, aspect: [f64; 2]) -> Self {
        let answer = |k: f64, angle: f64| {
            let [value, laplacian] = fit.spectra(k * angle.cos() * aspect[0], k * angle.sin() * aspect[1]);
            -laplacian / value
        };
        let mean = |k: f64| {
            let angles = (0..ANGLES).map(|i| FRAC_PI_2 * i as f64 / (ANGLES - 1) as f64);
            angles.map(|angle| answer(k, angle)).sum::<f64>() / ANGLES as f64
        };
        let mut roots = vec![0.0];
        for i in 1..WAVENUMBERS {
            let root = mean(Self::wavenumber(i as f64)).max(0.0).sqrt();
            if root <= roots[i - 1] {
                break;
            }
            roots.push(root);
        }
        Self { roots }
    }

    fn wavenumber(sample: f64) -> f64 {
        WIDEST * sample / (WAVENUMBERS - 1) as f64
    }

    fn reach(&self) -> f64 {
        self.roots[self.roots.len() - 1]
    }

    /// Returns the wavenumber at which √z equals `root`.
    fn inverse(&self, root: f64) -> f64 {
        let i = self.roots.partition_point(|&r| r < root).clamp(1, self.roots.len() - 1);
        let (low, high) = (self.roots[i - 1], self.roots[i]);
        Self::wavenumber((i - 1) as f64 + (root - low) / (high - low))
    }

    /// Returns the bias 1 − z/k² at wavenumber `k`, or at the end of the response if that is lower.
    fn bias(&self, k: f64) -> f64 {
        let at = (k / WIDEST * (WAVENUMBERS - 1) as f64).min((self.roots.len() - 1) as f64);
        if at < 1.0 {
            // z/k² tends to 1 as k tends to 0. Below the first sample, the quotient is only rounding.
            return 0.0;
        }
        let i = (at as usize).min(self.roots.len() - 2);
        let share = |i: usize| (self.roots[i] / Self::wavenumber(i as f64)).powi(2);
        let f = at - i as f64;
        1.0 - (share(i) * (1.0 - f) + share(i + 1) * f)
    }

    fn curves(&self, narrowest: f64) -> impl Iterator<Item = [f32; 2]> + '_ {
        (0..SAMPLES).map(move |i| {
            let x = i as f64 / (SAMPLES - 1) as f64;
            let wavenumber = self.inverse(x * self.reach()).max(narrowest);
            [wavenumber as f32, self.bias(x * WIDEST) as f32]
        })
    }
}

/// Returns the energy of white noise in |U|², conj(U)L and |L|² of each fit, after the directional filters. The
/// unit is the energy of the same noise in the residual of the reference.
fn noise(settings: &MmdiSettings, fits: &[Fit], reference: &Fit) -> [[f64; 3]; 3] {
    let filters = directional(settings);
    debug_assert_eq!(filters.len_of(Axis(0)), DIRECTIONS);
    let power = filters.mapv(|w| w * w).sum_axis(Axis(0));
    let Size { nx, ny } = settings.size;
    let mut sums = [[0.0; 3]; 3];
    let mut residual = 0.0;
    // Spectra and power are even, so half of the rows suffice. Rows that are their own mirror image count once,
    // others twice.
    for ((y, x), &p) in power.indexed_iter().filter(|((y, _), _)| 2 * y <= ny) {
        let share = p * if y == 0 || 2 * y == ny { 1.0 } else { 2.0 };
        let (ax, ay) = (TAU * x as f64 / nx as f64, TAU * y as f64 / ny as f64);
        residual += share * (1.0 - reference.spectra(ax, ay)[0]).powi(2);
        for (sum, fit) in sums.iter_mut().zip(fits) {
            let [value, laplacian] = fit.spectra(ax, ay);
            sum[0] += share * value * value;
            sum[1] += share * value * laplacian;
            sum[2] += share * laplacian * laplacian;
        }
    }
    sums.map(|sum| sum.map(|s| s / residual))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::signal::harmonic::Frames;

    fn settings(mode: MmdiMode) -> MmdiSettings {
        MmdiSettings {
            mode,
            directions: 1,
            zero_lost: true,
            ..MmdiSettings::new(Size::square(256), [1.0, 1.0], Frames::Channels)
        }
    }

    #[test]
    fn truncation_of_the_cubic_and_the_quintic_is_as_known() {
        // At (kh)² = .03, .07, .14 the cubic reads a modulus too high by 5.5, 12.7, 25 %; the quintic by 0, .1,
        // .5 %.
        for (window, degree, known) in [(9, 3, [0.055, 0.127, 0.25]), (7, 5, [0.0, 0.001, 0.005])] {
            let response = Response::new(&polynomial_fit(window, degree, [1.0; 2]), [1.0; 2]);
            for (k2, high) in [0.03, 0.07, 0.14].into_iter().zip(known) {
                let modulus = 1.0 / (1.0 - response.bias(f64::sqrt(k2)));
                assert!((modulus - 1.0 - high).abs() < 0.004, "{window} {k2}: {modulus}");
            }
        }
    }

    #[test]
    fn the_inverse_undoes_the_response() {
        let response = Response::new(&polynomial_fit(15, 5, [1.0; 2]), [1.0; 2]);
        for k in [0.01, 0.1, 0.3, 0.5] {
            let at = k / WIDEST * (WAVENUMBERS - 1) as f64;
            let (i, f) = (at as usize, at.fract());
            let root = response.roots[i] * (1.0 - f) + response.roots[i + 1] * f;
            assert!((response.inverse(root) - k).abs() < 1e-9);
        }
    }

    #[test]
    fn noise_coefficients_are_as_known() {
        let known = [[1.169, -1.251, 1.884], [0.292, -0.0654, 0.0200], [0.1935, -0.0291, 0.0060]];
        for (found, known) in models(&settings(MmdiMode::Clinical)).combined.noise.iter().zip(known) {
            for (a, b) in found.iter().zip(known) {
                assert!((a - b).abs() <= 0.01 * b.abs(), "{found:?} {known:?}");
            }
        }
    }
}
