use ndarray::{Array2, Array4};

/// Returns Σ a / Σ b (0 if Σ b is 0) and Σ b. Rows are a, b and two unused values.
pub fn weighted_mean(partial: &Array2<f64>) -> [f64; 2] {
    let [a, b] = [0, 1].map(|i| partial.column(i).sum());
    [if b > 0.0 { a / b } else { 0.0 }, b]
}

/// Returns one number as a tensor.
pub fn scalar(value: f64) -> Array4<f64> {
    Array4::from_elem((1, 1, 1, 1), value)
}
