use ndarray::Array4;

/// Converts `[n][c][h][w]` to `[n][h][w][c]`.
pub fn pack(x: &Array4<f64>) -> Array4<f64> {
    x.view().permuted_axes([0, 2, 3, 1]).as_standard_layout().into_owned()
}
