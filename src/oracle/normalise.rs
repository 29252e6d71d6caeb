use super::{moments, total};
use crate::kernel::mre::planes::Plane;
use ndarray::Array1;
use num_complex::Complex64;

/// Scales the field to unit power under the mask. Also returns the maps with the planes of the wave filled in;
/// other planes are NaN.
pub fn normalise(
    harmonic: &Array1<Complex64>,
    mask: &Array1<f64>,
    lost: bool,
) -> (Array1<Complex64>, Vec<f64>) {
    let n = harmonic.len();
    let sums = total(&moments(harmonic, mask));
    let count = sums[3].max(1.0);
    let mean = if lost { Complex64::new(sums[0], sums[1]) / count } else { Complex64::ZERO };
    let wave = Array1::from_shape_fn(n, |i| if mask[i] > 0.0 { harmonic[i] - mean } else { Complex64::ZERO });
    let power = wave.iter().map(|u| u.norm_sqr()).sum::<f64>() / count;
    let power = power.max(1e-6 * sums[2] / count);
    let mut maps = vec![f64::NAN; Plane::ALL.len() * n];
    for (i, u) in wave.iter().enumerate() {
        maps[Plane::Amplitude as usize * n + i] = u.norm();
        maps[Plane::Real as usize * n + i] = u.re;
        maps[Plane::Imaginary as usize * n + i] = u.im;
    }
    let field = if power > 0.0 { wave / power.sqrt() } else { Array1::zeros(n) };
    (field, maps)
}
