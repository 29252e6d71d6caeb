use ndarray::Array1;

/// Returns `n` zeros.
pub fn clear(n: usize) -> Array1<f64> {
    Array1::zeros(n)
}
