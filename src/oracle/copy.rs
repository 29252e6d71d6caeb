use ndarray::Array1;

/// Returns a copy of `src`.
pub fn copy(src: &Array1<f64>) -> Array1<f64> {
    src.clone()
}
