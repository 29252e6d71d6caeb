//! Shear wave fields with an exact solution, in f64. Inversions are tested against them, and `demo` shows them.
//!
//! The time convention is e^{+iωt}. The modulus is μ* = μ(1 + iη) with the storage modulus μ; η is positive if
//! energy is lost. Then k = ω√(ρ/μ*) has a negative imaginary part, and e^{-ik·x} decays in the direction of
//! travel. Lengths are in mm, moduli in kPa. The displacement is in arbitrary units.

mod scatterer;

pub use scatterer::Scatterer;

use crate::size::Size;
use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use std::f64::consts::TAU;

/// A homogeneous, isotropic, viscoelastic medium at one frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Medium {
    /// Storage modulus μ, kPa.
    pub storage_kpa: f64,
    /// Damping η: loss modulus over storage modulus.
    pub damping: f64,
    /// Density ρ, kg/m³.
    pub density: f64,
    /// Frequency of the vibration, Hz.
    pub frequency_hz: f64,
}

impl Medium {
    /// Complex shear modulus μ* = μ(1 + iη), kPa.
    pub fn modulus_kpa(&self) -> Complex64 {
        self.storage_kpa * Complex64::new(1.0, self.damping)
    }

    /// Wavenumber k = ω√(ρ/μ*), rad per mm. Its real part is positive; its imaginary part is negative if there
    /// is loss.
    ///
    /// ```
    /// # use palpate::lowlevel::wave::analytic::Medium;
    /// // 4 kPa at 1000 kg/m³ give 2 m/s, a wavelength of 33.3 mm at 60 Hz.
    /// let medium = Medium { storage_kpa: 4.0, damping: 0.0, density: 1000.0, frequency_hz: 60.0 };
    /// assert!((std::f64::consts::TAU / medium.wavenumber().re - 100.0 / 3.0).abs() < 1e-12);
    /// ```
    pub fn wavenumber(&self) -> Complex64 {
        let slowness = (self.density / (1000.0 * self.modulus_kpa())).sqrt();
        TAU * self.frequency_hz * slowness / 1000.0
    }

    /// Phase velocity ω/Re k, m/s.
    pub fn speed(&self) -> f64 {
        TAU * self.frequency_hz / (1000.0 * self.wavenumber().re)
    }
}

/// A damped plane wave u = a e^{-ik (x cos φ + y sin φ)}.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaneWave {
    /// The medium that the wave travels in.
    pub medium: Medium,
    /// Direction of travel φ, radians from +x towards +y.
    pub direction: f64,
    /// Complex amplitude at the origin.
    pub amplitude: Complex64,
}

impl PlaneWave {
    /// The displacement at a point; x and y in mm.
    pub fn at(&self, x_mm: f64, y_mm: f64) -> Complex64 {
        let (sin, cos) = self.direction.sin_cos();
        self.amplitude * (-Complex64::I * self.medium.wavenumber() * (x_mm * cos + y_mm * sin)).exp()
    }
}

/// The sum of the displacements of several plane waves at a point; x and y in mm.
pub fn superposed(waves: &[PlaneWave], x_mm: f64, y_mm: f64) -> Complex64 {
    waves.iter().map(|wave| wave.at(x_mm, y_mm)).sum()
}

/// Samples `field` at the centres of the pixels of an image of `size`; returns `[ny][nx]`. `spacing_mm` is the pixel
/// spacing along x and y. The origin is the centre of the image, so a field keeps its place if only the pixels
/// change.
///
/// ```
/// # use palpate::{Size, lowlevel::wave::analytic::sample};
/// let x = sample(Size::new(3, 1), [2.0, 1.0], |x, _| x);
/// assert_eq!(x, ndarray::array![[-2.0, 0.0, 2.0]]);
/// ```
pub fn sample<T>(size: Size, spacing_mm: [f64; 2], field: impl Fn(f64, f64) -> T) -> Array2<T> {
    let at = |i: usize, n: usize, spacing: f64| (i as f64 - (n as f64 - 1.0) / 2.0) * spacing;
    let (Size { nx, ny }, [hx, hy]) = (size, spacing_mm);
    Array2::from_shape_fn((ny, nx), |(y, x)| field(at(x, nx, hx), at(y, ny, hy)))
}

/// Adds complex white Gaussian noise to the whole of `field`.
///
/// The noise power is set so that 10 log10(mean |u|² under the mask / expected |noise|²) equals `snr_db`. An
/// empty mask adds no noise.
///
/// # Panics
/// If field and mask differ in shape. This is a bug in the caller, not a fault of its data.
pub fn add_noise(
    field: &mut Array2<Complex64>,
    mask: ArrayView2<bool>,
    snr_db: f64,
    rng: &mut fastrand::Rng,
) {
    assert_eq!(field.dim(), mask.dim(), "field and mask must have the same shape");
    let inside = field.iter().zip(&mask).filter(|(_, inside)| **inside);
    let (power, n) = inside.fold((0.0, 0.0), |(power, n), (u, _)| (power + u.norm_sqr(), n + 1.0));
    let deviation = (power / f64::max(n, 1.0) / 10f64.powf(snr_db / 10.0)).sqrt();
    for u in field {
        // For complex Gaussian noise, the squared modulus is exponential and the phase is uniform.
        *u += Complex64::from_polar(deviation * (-(1.0 - rng.f64()).ln()).sqrt(), TAU * rng.f64());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn medium(storage_kpa: f64, damping: f64) -> Medium {
        Medium { storage_kpa, damping, density: 1000.0, frequency_hz: 60.0 }
    }

    /// Returns |∇²u + k²u| / |k²u| at a point, by differences of fourth order.
    pub(crate) fn helmholtz(u: impl Fn(f64, f64) -> Complex64, k: Complex64, x: f64, y: f64) -> f64 {
        let h = 0.1;
        let taps = [(1.0, 16.0 / 12.0), (2.0, -1.0 / 12.0)];
        let centre = u(x, y);
        let mut laplacian = -5.0 * centre;
        for (far, tap) in taps {
            let d = far * h;
            laplacian += tap * (u(x + d, y) + u(x - d, y) + u(x, y + d) + u(x, y - d));
        }
        (laplacian / (h * h) / (k * k * centre) + 1.0).norm()
    }

    #[test]
    fn the_wavenumber_is_as_known() {
        // numpy: 2 pi 60 sqrt(1000 / (3500 (1 + 0.1j))) / 1000
        let k = medium(3.5, 0.1).wavenumber();
        assert!((k - Complex64::new(0.2007600306244215, -0.010013031223641973)).norm() < 1e-15, "{k}");
        assert!((medium(3.5, 0.1).speed() - 1.8778195901755157).abs() < 1e-13);
    }

    #[test]
    fn plane_waves_obey_helmholtz_and_decay_in_the_direction_of_travel() {
        let wave = |direction| PlaneWave {
            medium: medium(2.0, 0.2),
            direction,
            amplitude: Complex64::from_polar(3.0, 0.7),
        };
        let waves = [wave(0.3), wave(2.0), wave(-1.1)];
        let k = waves[0].medium.wavenumber();
        assert!(helmholtz(|x, y| superposed(&waves, x, y), k, 11.0, -4.0) < 1e-8);
        let along = |s: f64| waves[1].at(s * 2f64.cos(), s * 2f64.sin());
        assert!((along(0.0) - waves[1].amplitude).norm() < 1e-15);
        assert!((along(10.0).norm() / 3.0 - (10.0 * k.im).exp()).abs() < 1e-14 && k.im < 0.0);
        // Phase lags along the path: with e^{+iωt}, the phase of an outgoing wave decreases with distance.
        assert!((along(1.0) / along(0.0)).arg() < 0.0);
    }

    #[test]
    fn noise_has_the_power_asked_for_wherever_the_field_is_strong() {
        let wave = PlaneWave { medium: medium(3.0, 0.1), direction: 0.4, amplitude: Complex64::ONE };
        let clean = sample(Size::new(120, 90), [1.0, 1.0], |x, y| wave.at(x, y));
        let mask = sample(Size::new(120, 90), [1.0, 1.0], |x, y| x.hypot(y) < 40.0);
        let mut noisy = clean.clone();
        add_noise(&mut noisy, mask.view(), 20.0, &mut fastrand::Rng::with_seed(5));
        let inside = mask.iter().filter(|m| **m).count() as f64;
        let power: f64 = clean.iter().zip(&mask).filter(|(_, m)| **m).map(|(u, _)| u.norm_sqr()).sum();
        let noise = &noisy - &clean;
        let mean = |f: &dyn Fn(&Complex64) -> f64| noise.iter().map(f).sum::<f64>() / noise.len() as f64;
        let expected = power / inside / 100.0;
        // The standard error of 10 800 samples is 1 %.
        assert!((mean(&|v| v.norm_sqr()) / expected - 1.0).abs() < 0.04);
        assert!((mean(&|v| v.re * v.re) / expected - 0.5).abs() < 0.03);
        assert!(mean(&|v| v.re * v.im).abs() < 0.03 * expected);
        assert!(mean(&|v| v.re).abs() < 0.04 * expected.sqrt());

        let mut untouched = clean.clone();
        let nothing = Array2::from_elem(mask.dim(), false);
        add_noise(&mut untouched, nothing.view(), 20.0, &mut fastrand::Rng::with_seed(5));
        assert_eq!(untouched, clean);
    }
}
