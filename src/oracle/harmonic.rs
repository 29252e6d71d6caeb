use ndarray::{Array1, Array2};
use num_complex::Complex64;

/// The first harmonic u = Σ_t x_t w_t of frames `[T][n]`. The weights of phases sum to 0, so the mean need not
/// be subtracted.
pub fn harmonic(frames: &Array2<f64>, weights: &[Complex64]) -> Array1<Complex64> {
    let weighted = |pixel: ndarray::ArrayView1<f64>| pixel.iter().zip(weights).map(|(x, w)| x * w).sum();
    frames.columns().into_iter().map(weighted).collect()
}
