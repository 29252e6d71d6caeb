//! The modulus of a region: one number, a polynomial, a random field, or layers.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// The highest total degree of a polynomial.
pub(super) const DEGREE: u32 = 8;
/// The number of cosines of a random field.
const COSINES: usize = 256;
/// 2 ln 9: a logistic step rises from 10 to 90 % over this distance.
const RISE: f64 = 4.394_449_154_672_439;

/// The storage modulus in kPa over a region. x and y are in mm from the image's centre, x to the right, y down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Modulus {
    /// A uniform modulus.
    Constant(f64),
    /// The sum of c x^i y^j over terms (i, j, c), with i + j up to 8.
    Polynomial(Vec<(u32, u32, f64)>),
    /// `mean_kpa` exp(`spread` g(x, y)). g is a Gaussian random field of mean 0, variance 1 and correlation exp(-d^2
    /// / (2 `length_mm`^2)) over a distance d. `seed` selects the field.
    Random {
        /// The median of the modulus in kPa.
        mean_kpa: f64,
        /// The SD of the modulus' logarithm.
        spread: f64,
        /// The correlation length in mm.
        length_mm: f64,
        /// The seed of the random numbers.
        seed: u32,
    },
    /// Layers side by side, which pass smoothly into each other.
    Layers {
        /// The modulus of each layer in kPa.
        layers_kpa: Vec<f64>,
        /// The ends of all layers but the last, in mm from the image's centre along the layers' normal.
        edges_mm: Vec<f64>,
        /// The direction of the normal in degrees, clockwise as seen in the image. At 0 it is x.
        angle_deg: f64,
        /// The distance in mm over which 10 to 90 % of a step in modulus are passed.
        blend_mm: f64,
    },
}

/// The modulus as written in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "give a number, { polynomial = [[i, j, c], ...] } with whole numbers i and j from 0, { mean_kpa, \
                 spread, length_mm, seed } with a whole number from 0 as seed, or { layers_kpa, edges_mm, angle_deg, \
                 blend_mm }"
)]
enum Written {
    Constant(f64),
    Polynomial {
        polynomial: Vec<(u32, u32, f64)>,
    },
    Random {
        /// The median of the modulus in kPa.
        mean_kpa: f64,
        /// The SD of the modulus' logarithm.
        spread: f64,
        /// The correlation length in mm.
        length_mm: f64,
        /// The seed of the random numbers.
        seed: u32,
    },
    /// Layers side by side, which pass smoothly into each other.
    Layers {
        /// The modulus of each layer in kPa.
        layers_kpa: Vec<f64>,
        /// The ends of all layers but the last, in mm from the image's centre along the layers' normal.
        edges_mm: Vec<f64>,
        /// The direction of the normal in degrees, clockwise as seen in the image. At 0 it is x.
        angle_deg: f64,
        /// The distance in mm over which 10 to 90 % of a step in modulus are passed.
        blend_mm: f64,
    },
}

impl From<Written> for Modulus {
    fn from(written: Written) -> Modulus {
        match written {
            Written::Constant(kpa) => Modulus::Constant(kpa),
            Written::Polynomial { polynomial } => Modulus::Polynomial(polynomial),
            Written::Random { mean_kpa, spread, length_mm, seed } => {
                Modulus::Random { mean_kpa, spread, length_mm, seed }
            }
            Written::Layers { layers_kpa, edges_mm, angle_deg, blend_mm } => {
                Modulus::Layers { layers_kpa, edges_mm, angle_deg, blend_mm }
            }
        }
    }
}

impl From<Modulus> for Written {
    fn from(modulus: Modulus) -> Written {
        match modulus {
            Modulus::Constant(kpa) => Written::Constant(kpa),
            Modulus::Polynomial(polynomial) => Written::Polynomial { polynomial },
            Modulus::Random { mean_kpa, spread, length_mm, seed } => {
                Written::Random { mean_kpa, spread, length_mm, seed }
            }
            Modulus::Layers { layers_kpa, edges_mm, angle_deg, blend_mm } => {
                Written::Layers { layers_kpa, edges_mm, angle_deg, blend_mm }
            }
        }
    }
}

impl Modulus {
    /// Reports whether the modulus is given as one number.
    pub fn is_constant(&self) -> bool {
        matches!(self, Modulus::Constant(_))
    }

    /// Prepares the modulus for evaluation at many points. A random field is the sum of 256 cosines with random wave
    /// vectors and phases (random Fourier features: Rahimi and Recht, NIPS 2007).
    pub fn field(&self) -> ModulusField {
        ModulusField(match self {
            Modulus::Constant(kpa) => Kind::Constant(*kpa),
            Modulus::Polynomial(terms) => Kind::Polynomial(rows(terms)),
            Modulus::Random { mean_kpa, spread, length_mm, seed } => Kind::Random {
                mean: *mean_kpa,
                // The mean square of a cosine is one half.
                scale: spread * (2.0 / COSINES as f64).sqrt(),
                length: *length_mm,
                waves: waves(*length_mm, *seed),
            },
            Modulus::Layers { layers_kpa, edges_mm, angle_deg, blend_mm } => {
                let (sin, cos) = angle_deg.to_radians().sin_cos();
                let steps = layers_kpa.windows(2).zip(edges_mm).map(|(kpa, at)| [*at, kpa[1] - kpa[0]]);
                Kind::Layers {
                    first: layers_kpa.first().copied().unwrap_or(0.0),
                    steps: steps.collect(),
                    normal: [cos, sin],
                    blend: *blend_mm,
                }
            }
        })
    }
}

/// A [`Modulus`] prepared by [`Modulus::field`].
#[derive(Debug, Clone)]
pub struct ModulusField(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Constant(f64),
    /// The coefficients of x^i for each power of y.
    Polynomial(Vec<Vec<f64>>),
    /// The wave vectors in radians per mm, and the phases.
    Random {
        mean: f64,
        scale: f64,
        length: f64,
        waves: Vec<[f64; 3]>,
    },
    /// The first layer's modulus, and the place and the height of each step.
    Layers {
        first: f64,
        steps: Vec<[f64; 2]>,
        normal: [f64; 2],
        blend: f64,
    },
}

impl ModulusField {
    /// The modulus in kPa at a point in mm.
    pub fn at(&self, [x, y]: [f64; 2]) -> f64 {
        match &self.0 {
            Kind::Constant(kpa) => *kpa,
            Kind::Polynomial(rows) => {
                let sum = |coefficients: &[f64]| coefficients.iter().rev().fold(0.0, |s, c| s * x + c);
                rows.iter().rev().fold(0.0, |s, row| s * y + sum(row))
            }
            Kind::Random { mean, scale, waves, length: _ } => {
                let sum: f64 = waves.iter().map(|[p, q, phase]| (p * x + q * y + phase).cos()).sum();
                mean * (scale * sum).exp()
            }
            Kind::Layers { first, steps, normal, blend } => {
                let along = x * normal[0] + y * normal[1];
                let risen = |at: f64| 1.0 / (1.0 + (-RISE * (along - at) / blend).exp());
                first + steps.iter().map(|[at, step]| step * risen(*at)).sum::<f64>()
            }
        }
    }

    /// The edge length in mm of a mesh that resolves the modulus around a point. It is infinite where the modulus is
    /// constant or a polynomial.
    pub(super) fn edge_mm(&self, [x, y]: [f64; 2]) -> f64 {
        match &self.0 {
            Kind::Constant(_) | Kind::Polynomial(_) => f64::INFINITY,
            Kind::Random { length, .. } => *length,
            Kind::Layers { steps, normal, blend, .. } => {
                let along = x * normal[0] + y * normal[1];
                let near = steps.iter().map(|[at, _]| (along - at).abs()).fold(f64::INFINITY, f64::min);
                // Beyond the step, the edges may grow.
                blend / 2.0 + 0.3 * (near - blend).max(0.0)
            }
        }
    }
}

/// The coefficients of a polynomial by the power of y, then of x. Powers that [`super::Phantom::check`] refuses are
/// left out, because they could need a lot of memory.
fn rows(terms: &[(u32, u32, f64)]) -> Vec<Vec<f64>> {
    let mut rows = vec![];
    for &(i, j, c) in terms.iter().filter(|(i, j, _)| i.saturating_add(*j) <= DEGREE) {
        let (i, j) = (i as usize, j as usize);
        rows.resize(rows.len().max(j + 1), vec![]);
        let row: &mut Vec<f64> = &mut rows[j];
        row.resize(row.len().max(i + 1), 0.0);
        row[i] += c;
    }
    rows
}

/// Draws wave vectors with normally distributed components of standard deviation 1 / length: the spectrum of a
/// Gaussian correlation.
fn waves(length: f64, seed: u32) -> Vec<[f64; 3]> {
    let mut rng = Rng::with_seed(u64::from(seed));
    (0..COSINES)
        .map(|_| {
            // The Box-Muller pair; 1 - f64() is never 0.
            let (radius, angle) = ((-2.0 * (1.0 - rng.f64()).ln()).sqrt() / length, TAU * rng.f64());
            [radius * angle.cos(), radius * angle.sin(), TAU * rng.f64()]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: f64 = 20.0;

    /// The values of g at some points, for many fields.
    fn fields(points: &[[f64; 2]]) -> Vec<Vec<f64>> {
        let g = |seed| {
            let field = Modulus::Random { mean_kpa: 3.0, spread: 0.4, length_mm: LENGTH, seed }.field();
            points.iter().map(|p| (field.at(*p) / 3.0).ln() / 0.4).collect()
        };
        (0..4000).map(g).collect()
    }

    #[test]
    fn a_random_field_has_the_mean_variance_and_correlation_that_it_says() {
        let at = |d: f64| [10.0 + 0.6 * d, -30.0 + 0.8 * d];
        let distances = [0.0, 0.5 * LENGTH, LENGTH, 2.0 * LENGTH, 4.0 * LENGTH];
        let mut points = distances.map(at).to_vec();
        points.push([10.0 - LENGTH, -30.0]);
        let fields = fields(&points);
        let n = fields.len() as f64;
        let mean = |f: &dyn Fn(&[f64]) -> f64| fields.iter().map(|g| f(g)).sum::<f64>() / n;
        // The tolerances are five standard errors of 4000 draws.
        for i in 0..points.len() {
            assert!(mean(&|g| g[i]).abs() < 0.08, "{i}");
            assert!((mean(&|g| g[i] * g[i]) - 1.0).abs() < 0.12, "{i}");
        }
        for (i, d) in distances.into_iter().enumerate() {
            let expected = (-d * d / (2.0 * LENGTH * LENGTH)).exp();
            let found = mean(&|g| g[0] * g[i]);
            assert!((found - expected).abs() < 0.12, "{d}: {found} is not {expected}");
        }
        assert!((mean(&|g| g[0] * g[5]) - (-0.5f64).exp()).abs() < 0.12);
        // The fourth moment of a normal variable is 3. For 256 cosines it is 3 - 1.5 / 256.
        assert!((mean(&|g| g[2].powi(4)) - 3.0).abs() < 0.8);
    }

    #[test]
    fn a_random_field_is_its_seed_s_and_is_smooth() {
        let of = |seed| Modulus::Random { mean_kpa: 2.0, spread: 0.3, length_mm: LENGTH, seed }.field();
        let (a, b, c) = (of(5), of(5), of(6));
        for i in 0..200 {
            let p = [f64::from(i) - 100.0, 37.0 - 0.5 * f64::from(i)];
            assert_eq!(a.at(p), b.at(p));
            assert!((a.at(p) - c.at(p)).abs() > 1e-9);
            assert!((a.at(p) / a.at([p[0] + 0.1, p[1]])).ln().abs() < 0.3 * 5.0 * 0.1 / LENGTH);
        }
    }

    #[test]
    fn a_polynomial_is_the_sum_of_its_terms() {
        let mut rng = Rng::with_seed(3);
        for _ in 0..200 {
            let mut terms = vec![];
            for i in 0..=DEGREE {
                for j in 0..=DEGREE - i {
                    if rng.f64() < 0.3 {
                        terms.push((i, j, rng.f64() - 0.5));
                    }
                }
            }
            rng.shuffle(&mut terms);
            let [x, y] = [2.0 * rng.f64() - 1.0, 2.0 * rng.f64() - 1.0];
            let sum: f64 = terms.iter().map(|(i, j, c)| c * x.powi(*i as i32) * y.powi(*j as i32)).sum();
            assert!((Modulus::Polynomial(terms).field().at([x, y]) - sum).abs() < 1e-13);
        }
        assert_eq!(Modulus::Polynomial(vec![]).field().at([3.0, 4.0]), 0.0);
        let huge = Modulus::Polynomial(vec![(u32::MAX, u32::MAX, 1.0), (1, 2, 0.5)]);
        assert_eq!(huge.field().at([3.0, 4.0]), 24.0);
    }

    #[test]
    fn layers_have_their_moduli_between_their_edges() {
        let modulus = Modulus::Layers {
            layers_kpa: vec![2.0, 6.0, 3.0],
            edges_mm: vec![-20.0, 25.0],
            angle_deg: 90.0,
            blend_mm: 4.0,
        };
        let field = modulus.field();
        // The normal at 90 degrees is down.
        for (y, kpa) in [(-60.0, 2.0), (0.0, 6.0), (80.0, 3.0)] {
            assert!((field.at([33.0, y]) - kpa).abs() < 1e-6, "{y}");
        }
        for (y, kpa) in [(-22.0, 2.4), (-20.0, 4.0), (-18.0, 5.6), (25.0, 4.5), (27.0, 3.3)] {
            assert!((field.at([-7.0, y]) - kpa).abs() < 1e-6, "{y}: {}", field.at([-7.0, y]));
        }
        assert_eq!([field.edge_mm([0.0, -20.0]), field.edge_mm([9.0, -23.0])], [2.0, 2.0]);
        assert!((field.edge_mm([0.0, 5.0]) - (2.0 + 0.3 * 16.0)).abs() < 1e-9);
        assert!(!modulus.is_constant());
    }

    #[test]
    fn only_a_number_is_constant() {
        assert!(Modulus::Constant(3.0).is_constant());
        assert!(!Modulus::Polynomial(vec![(0, 0, 3.0)]).is_constant());
        assert_eq!(Modulus::Constant(3.0).field().at([50.0, -70.0]), 3.0);
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Modulus::Constant(3.0).field());
    }
}
