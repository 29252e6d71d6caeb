//! Synthetic input for trials, and conversion between f32 buffers and f64 arrays.

use crate::size::Size;
use ndarray::{Array, Array1, Array2, Dimension};
use num_complex::{Complex32, Complex64};

/// Returns `n` complex values; real and imaginary part are uniform in −1..1.
pub fn waves(rng: &mut fastrand::Rng, n: usize) -> Vec<Complex32> {
    (0..n).map(|_| Complex32::new(rng.f32() * 2.0 - 1.0, rng.f32() * 2.0 - 1.0)).collect()
}

/// A mask `[ny][nx]` of zeros and ones: an ellipse with a few pixels removed.
pub fn blot(rng: &mut fastrand::Rng, size: Size) -> Vec<f32> {
    let Size { nx, ny } = size;
    let off = |i: usize, n: usize| (i as f64 + 0.5) / n as f64 * 2.0 - 1.0;
    (0..ny * nx)
        .map(|i| off(i % nx, nx).hypot(off(i / nx, ny)) < 0.9 && rng.f32() > 0.01)
        .map(|inside| if inside { 1.0 } else { 0.0 })
        .collect()
}

/// Converts f32 values to f64.
pub fn wide(values: &[f32]) -> Array1<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// Converts complex f32 values to f64.
pub fn wide_complex(values: &[Complex32]) -> Array1<Complex64> {
    values.iter().map(|v| Complex64::new(v.re.into(), v.im.into())).collect()
}

/// Converts rows of four f32 values to f64, `[n][4]`.
pub fn wide4(values: &[[f32; 4]]) -> Array2<f64> {
    Array2::from_shape_fn((values.len(), 4), |(i, k)| values[i][k].into())
}

/// Flattens complex values to pairs, in the order of a buffer of vec2f.
pub fn flat<D: Dimension>(values: &Array<Complex64, D>) -> Vec<f64> {
    values.iter().flat_map(|v| [v.re, v.im]).collect()
}

/// Flattens real values, in the order of a buffer.
pub fn flat_real<D: Dimension>(values: &Array<f64, D>) -> Vec<f64> {
    values.iter().copied().collect()
}
