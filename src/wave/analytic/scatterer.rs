//! A plane shear wave scattered by a circular inclusion, computed with its exact series.

use super::{Medium, PlaneWave};
use crate::error::{Error, Result};
use complex_bessel::{Scaling, besselj_seq, hankel2_seq};
use num_complex::Complex64;
use std::f64::consts::FRAC_1_PI;

/// Orders are dropped if their share of the incident wave at the rim is below this.
const NEGLIGIBLE: f64 = 1e-18;
/// The greatest |k| times radius: more than a hundred wavelengths across, with few enough orders to sum.
const WIDEST: f64 = 1000.0;

/// The antiplane field of a plane wave and a long cylinder of another modulus, in a plane across the axis of
/// the cylinder.
///
/// θ is measured from the direction of travel and r from the centre. The unit is the incident wave at the
/// centre. Order n of the cosine series in θ is then
///
/// ```text
/// outside   ε_n (-i)^n [J_n(kr) + B_n H_n(kr)]       H of the second kind: outgoing for e^{+iωt}
/// inside    ε_n (-i)^n A_n J_n(k'r)                  ε_0 = 1, else 2
/// ```
///
/// A_n and B_n make u and the traction μ* ∂u/∂r continuous at the rim.
#[derive(Clone, Debug)]
pub struct Scatterer {
    wave: PlaneWave,
    inclusion: Medium,
    centre_mm: [f64; 2],
    radius_mm: f64,
    /// ε_n (-i)^n A_n and ε_n (-i)^n B_n, times the incident wave at the centre.
    orders: Vec<[Complex64; 2]>,
}

impl Scatterer {
    /// Computes the field of `wave`, whose medium is the surroundings, and an inclusion.
    ///
    /// # Errors
    /// [`Error::Usage`] if the inclusion and the wave have different frequencies. The same error is returned if
    /// moduli, densities, frequency or radius are not positive, or if the series cannot be summed for them.
    pub fn new(wave: PlaneWave, inclusion: Medium, centre_mm: [f64; 2], radius_mm: f64) -> Result<Self> {
        if inclusion.frequency_hz != wave.medium.frequency_hz {
            return Err(Error::Usage(format!(
                "the inclusion is at {} Hz and the wave at {} Hz; give both the same frequency",
                inclusion.frequency_hz, wave.medium.frequency_hz
            )));
        }
        let mut scatterer = Self { wave, inclusion, centre_mm, radius_mm, orders: Vec::new() };
        match scatterer.solve() {
            Some(orders) => scatterer.orders = orders,
            None => {
                return Err(Error::Usage(format!(
                    "the field of an inclusion of radius {radius_mm} mm and {inclusion:?} in {:?} cannot be computed; \
                     moduli, densities, frequency and radius must be positive and of a usual size",
                    wave.medium
                )));
            }
        }
        Ok(scatterer)
    }

    fn solve(&self) -> Option<Vec<[Complex64; 2]>> {
        let positive = |v: f64| v > 0.0 && v.is_finite();
        let medium = |m: &Medium| positive(m.storage_kpa) && positive(m.density) && positive(m.frequency_hz);
        if !(medium(&self.inclusion) && medium(&self.wave.medium) && positive(self.radius_mm)) {
            return None;
        }
        let [within, around] = [self.inclusion, self.wave.medium];
        let [z_in, z_out] = [within, around].map(|m| m.wavenumber() * self.radius_mm);
        if z_in.norm().max(z_out.norm()) > WIDEST {
            return None;
        }
        // The traction is μ* k times the slope in kr. Both sides are multiplied by the radius.
        let [s_in, s_out] = [(within, z_in), (around, z_out)].map(|(m, z)| m.modulus_kpa() * z);

        let most = (1.5 * z_out.norm()) as usize + 40;
        let j_out = bessel(z_out, most)?;
        let last = (0..most).find(|&n| n as f64 > z_out.norm() && j_out[n].norm() < NEGLIGIBLE)?;
        let j_in = bessel(z_in, last + 1)?;
        let h_out = hankel(z_out, last + 1)?;

        let unit = self.wave.at(self.centre_mm[0], self.centre_mm[1]);
        let orders = (0..last).map(|n| {
            let slope = |f: &[Complex64], z: Complex64| n as f64 / z * f[n] - f[n + 1];
            let (dj_in, dj_out, dh_out) = (slope(&j_in, z_in), slope(&j_out, z_out), slope(&h_out, z_out));
            let determinant = s_out * dh_out * j_in[n] - s_in * dj_in * h_out[n];
            // J H' - J' H = -2i/(πz) gives the numerator of A_n without cancellation.
            let a = Complex64::new(0.0, -2.0 * FRAC_1_PI) * s_out / z_out / determinant;
            let b = (s_in * dj_in * j_out[n] - s_out * dj_out * j_in[n]) / determinant;
            let share = unit * (-Complex64::I).powu(n as u32) * if n == 0 { 1.0 } else { 2.0 };
            [share * a, share * b]
        });
        let orders: Vec<_> = orders.collect();
        orders.iter().flatten().all(|c| c.is_finite()).then_some(orders)
    }

    /// The displacement at a point; x and y in mm. NaN if the coordinates are not finite.
    pub fn at(&self, x_mm: f64, y_mm: f64) -> Complex64 {
        if self.includes(x_mm, y_mm) { self.inside(x_mm, y_mm) } else { self.outside(x_mm, y_mm) }
    }

    /// The medium at a point; x and y in mm.
    pub fn medium(&self, x_mm: f64, y_mm: f64) -> &Medium {
        if self.includes(x_mm, y_mm) { &self.inclusion } else { &self.wave.medium }
    }

    fn includes(&self, x_mm: f64, y_mm: f64) -> bool {
        (x_mm - self.centre_mm[0]).hypot(y_mm - self.centre_mm[1]) < self.radius_mm
    }

    fn inside(&self, x_mm: f64, y_mm: f64) -> Complex64 {
        let (r, theta) = self.polar(x_mm, y_mm);
        let values = bessel(self.inclusion.wavenumber() * r, self.orders.len());
        self.series(values, 0, theta)
    }

    fn outside(&self, x_mm: f64, y_mm: f64) -> Complex64 {
        let (r, theta) = self.polar(x_mm, y_mm);
        let values = hankel(self.wave.medium.wavenumber() * r, self.orders.len());
        self.wave.at(x_mm, y_mm) + self.series(values, 1, theta)
    }

    fn polar(&self, x_mm: f64, y_mm: f64) -> (f64, f64) {
        let (x, y) = (x_mm - self.centre_mm[0], y_mm - self.centre_mm[1]);
        (x.hypot(y), y.atan2(x) - self.wave.direction)
    }

    fn series(&self, values: Option<Vec<Complex64>>, side: usize, theta: f64) -> Complex64 {
        let Some(values) = values else { return Complex64::new(f64::NAN, f64::NAN) };
        let terms = values.iter().zip(&self.orders).enumerate();
        terms.map(|(n, (f, order))| order[side] * f * (n as f64 * theta).cos()).sum()
    }
}

/// Bessel functions J_0 … J_{count-1} of z.
fn bessel(z: Complex64, count: usize) -> Option<Vec<Complex64>> {
    besselj_seq(0.0, z, count, Scaling::Unscaled).ok().map(|result| result.values)
}

/// Hankel functions of the second kind of z, of order 0 … count-1.
fn hankel(z: Complex64, count: usize) -> Option<Vec<Complex64>> {
    hankel2_seq(0.0, z, count, Scaling::Unscaled).ok().map(|result| result.values)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{helmholtz, medium};
    use super::*;
    use std::f64::consts::PI;

    fn scatterer(inclusion: Medium) -> Scatterer {
        let wave = PlaneWave {
            medium: medium(3.0, 0.1),
            direction: 0.6,
            amplitude: Complex64::from_polar(1.3, -0.4),
        };
        Scatterer::new(wave, inclusion, [4.0, -7.0], 15.0).unwrap()
    }

    #[test]
    fn fixed_values() {
        let s = scatterer(medium(7.0, 0.2));
        // Reference by numpy: the same series over both signs of n. The two conditions of each order are solved
        // by numpy.linalg.solve with scipy.special's jv, hankel2 and their derivatives.
        for (x, y, re, im) in [
            (4.0, -7.0, 0.5171816242062217, 0.4643329712438227),
            (12.0, -15.0, 0.8120906416430393, 0.1251135556369862),
            (18.5, -3.0, 0.1649361490627084, -0.7221277730872532),
            (-30.0, 22.0, -1.045392179164452, 1.1425319736198207),
            (70.0, 40.0, 0.0066608200528780, 0.0999538704168703),
        ] {
            let u = s.at(x, y);
            assert!((u - Complex64::new(re, im)).norm() < 1e-11, "at {x}, {y}: {u}");
        }
    }

    #[test]
    fn helmholtz_holds_on_both_sides() {
        for inclusion in [medium(7.0, 0.2), medium(1.2, 0.05), medium(3.0, 0.1)] {
            let s = scatterer(inclusion);
            for (x, y) in [(4.0, -7.0), (9.0, -1.0), (-6.0, -12.0), (25.0, 3.0), (-40.0, -20.0), (3.0, 60.0)]
            {
                let k = s.medium(x, y).wavenumber();
                let off = helmholtz(|x, y| s.at(x, y), k, x, y);
                assert!(off < 2e-7, "{inclusion:?} at {x}, {y}: {off:e}");
            }
        }
    }

    #[test]
    fn displacement_and_traction_are_continuous_at_the_rim() {
        for inclusion in [medium(7.0, 0.2), medium(1.2, 0.05)] {
            let s = scatterer(inclusion);
            for step in 0..16 {
                let angle = step as f64 * PI / 8.0;
                // Both series are also valid slightly beyond the rim, so central differences can be used.
                let at = |field: fn(&Scatterer, f64, f64) -> Complex64, r: f64| {
                    field(&s, 4.0 + r * angle.cos(), -7.0 + r * angle.sin())
                };
                let h = 0.01;
                let slope = |field| (at(field, 15.0 + h) - at(field, 15.0 - h)) / (2.0 * h);
                let (inside, outside) = (at(Scatterer::inside, 15.0), at(Scatterer::outside, 15.0));
                assert!((inside - outside).norm() < 1e-12 * outside.norm(), "{inside} {outside}");
                let inner = inclusion.modulus_kpa() * slope(Scatterer::inside);
                let outer = s.wave.medium.modulus_kpa() * slope(Scatterer::outside);
                assert!((inner - outer).norm() < 1e-5 * outer.norm(), "{inner} {outer}");
            }
        }
    }

    #[test]
    fn an_inclusion_like_its_surroundings_scatters_nothing() {
        let s = scatterer(medium(3.0, 0.1));
        for (x, y) in [(4.0, -7.0), (10.0, -3.0), (30.0, 30.0)] {
            assert!((s.at(x, y) - s.wave.at(x, y)).norm() < 1e-13);
        }
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let wave = scatterer(medium(7.0, 0.2)).wave;
        for (inclusion, radius) in [
            (medium(7.0, 0.2), 0.0),
            (medium(7.0, 0.2), f64::NAN),
            (medium(0.0, 0.2), 9.0),
            (medium(-1.0, 0.2), 9.0),
            (medium(7.0, f64::INFINITY), 9.0),
            (medium(7.0, 0.2), 1e9),
            (Medium { frequency_hz: 50.0, ..medium(7.0, 0.2) }, 9.0),
        ] {
            let refused = Scatterer::new(wave, inclusion, [0.0, 0.0], radius);
            assert!(matches!(refused, Err(Error::Usage(_))), "{inclusion:?}, {radius} mm");
        }
    }
}
