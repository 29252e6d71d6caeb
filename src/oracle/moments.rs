use ndarray::{Array1, Array2};
use num_complex::Complex64;

/// Returns (Re u, Im u, |u|², 1) inside the mask, else 0: `[n][4]`.
pub fn moments(field: &Array1<Complex64>, mask: &Array1<f64>) -> Array2<f64> {
    Array2::from_shape_fn((field.len(), 4), |(i, k)| {
        let u = field[i];
        if mask[i] > 0.0 { [u.re, u.im, u.norm_sqr(), 1.0][k] } else { 0.0 }
    })
}
