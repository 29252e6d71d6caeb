use ndarray::Array4;

/// `[n][c][h][w]` as `[n][h][w][c]`.
pub fn pack(x: &Array4<f64>) -> Array4<f64> {
    x.view().permuted_axes([0, 2, 3, 1]).as_standard_layout().into_owned()
}
