use ndarray::{Array2, Array4, array};

/// The matrix Bᵀ of Winograd's F(2 × 2, 3 × 3).
fn transform() -> Array2<f64> {
    array![[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]]
}

/// Returns Bᵀ d B for every tile of 4 × 4 pixels of `src` `[n][h][w][c]`; tiles are 2 pixels apart:
/// `[tiles][16][1][c]`.
pub fn winograd_input(src: &Array4<f64>) -> Array4<f64> {
    let (n, h, w, c) = src.dim();
    let [rows, columns] = [h.div_ceil(2), w.div_ceil(2)];
    let b = transform();
    let mut dst = Array4::zeros((n * rows * columns, 16, 1, c));
    for ((tile, z, _, channel), v) in dst.indexed_iter_mut() {
        let (image, row, column) = (tile / columns / rows, tile / columns % rows, tile % columns);
        for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
            let at = [2 * row + y, 2 * column + x].map(|i: usize| i.checked_sub(1));
            if let [Some(i), Some(j)] = at
                && i < h
                && j < w
            {
                *v += b[[z / 4, y]] * src[[image, i, j, channel]] * b[[z % 4, x]];
            }
        }
    }
    dst
}
