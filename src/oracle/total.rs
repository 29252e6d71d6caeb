use ndarray::{Array1, Array2, Axis};

/// Sums the rows of `[n][4]`.
pub fn total(values: &Array2<f64>) -> Array1<f64> {
    values.sum_axis(Axis(0))
}
