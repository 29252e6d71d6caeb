use ndarray::Array1;

/// Returns √Σ g².
pub fn gradient_norm(gradients: &Array1<f64>) -> f64 {
    gradients.dot(gradients).sqrt()
}
