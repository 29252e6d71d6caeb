use ndarray::Array4;

/// Converts mean and variance to mean and 1/√(variance + ε); both are `[..][1][2][c]`.
pub fn norm_running(running: &Array4<f64>) -> Array4<f64> {
    const EPSILON: f64 = 1e-5;
    let mut statistics = running.clone();
    statistics.slice_mut(ndarray::s![.., .., 1, ..]).mapv_inplace(|v| 1.0 / (v + EPSILON).sqrt());
    statistics
}
