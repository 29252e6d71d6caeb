use ndarray::{Array1, Array2};
use num_complex::Complex64;

/// Returns (re, im, 1, 0) of a wave if the mask is above 0, else 0; `conjugated` conjugates the wave.
pub fn confine(wave: &Array1<Complex64>, mask: &Array1<f64>, conjugated: bool) -> Array2<f64> {
    Array2::from_shape_fn((wave.len(), 4), |(i, k)| {
        let u = if conjugated { wave[i].conj() } else { wave[i] };
        if mask[i] > 0.0 { [u.re, u.im, 1.0, 0.0][k] } else { 0.0 }
    })
}
