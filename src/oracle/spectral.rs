use ndarray::Array1;
use num_complex::Complex64;

/// Multiplies the spectrum by each set of weights, `[planes][n]`.
pub fn spectral(spectrum: &Array1<Complex64>, weights: &Array1<f64>) -> Array1<Complex64> {
    Array1::from_shape_fn(weights.len(), |t| spectrum[t % spectrum.len()] * weights[t])
}
