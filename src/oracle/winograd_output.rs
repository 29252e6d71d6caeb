use ndarray::{Array2, Array4, array};

/// The matrix Aᵀ of Winograd's F(2 × 2, 3 × 3).
fn transform() -> Array2<f64> {
    array![[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, -1.0]]
}

/// Returns Aᵀ m A of the products `src` `[tiles][16][1][c]` for images `[n][h][w]`: `[n][h][w][c]`.
pub fn winograd_output(src: &Array4<f64>, [n, h, w]: [usize; 3]) -> Array4<f64> {
    let [rows, columns] = [h.div_ceil(2), w.div_ceil(2)];
    let a = transform();
    Array4::from_shape_fn((n, h, w, src.dim().3), |(image, y, x, channel)| {
        let tile = (image * rows + y / 2) * columns + x / 2;
        (0..16).map(|z| a[[y % 2, z / 4]] * src[[tile, z, 0, channel]] * a[[x % 2, z % 4]]).sum()
    })
}
