use ndarray::{Array2, Array3, array};

/// The matrix G of Winograd's F(2 × 2, 3 × 3).
fn transform() -> Array2<f64> {
    array![[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]]
}

/// Returns G g Gᵀ of weights `[9][ci][co]`: `[16][ci][co]`.
pub fn winograd_weights(src: &Array3<f64>) -> Array3<f64> {
    let (_, ci, co) = src.dim();
    let g = transform();
    Array3::from_shape_fn((16, ci, co), |(z, i, o)| {
        (0..9).map(|t| g[[z / 4, t / 3]] * src[[t, i, o]] * g[[z % 4, t % 3]]).sum()
    })
}
