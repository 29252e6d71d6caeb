use ndarray::Array1;

/// The same again.
pub fn copy(src: &Array1<f64>) -> Array1<f64> {
    src.clone()
}
