use super::convolve::from;
use crate::kernel::nn::convolve::Geometry;
use ndarray::{Array3, Array4};

/// The gradient of [`super::convolve`] with respect to its weights, `[taps][ci][co]`. It is the sum over pixels
/// of `src` `[n][h][w][ci]` times `grad`, the gradient with respect to the result.
pub fn convolve_weights(src: &Array4<f64>, grad: &Array4<f64>, geometry: Geometry) -> Array3<f64> {
    let (_, h, w, ci) = src.dim();
    let (n, rows, columns, co) = grad.dim();
    let mut dst = Array3::zeros((geometry.taps(), ci, co));
    for image in 0..n {
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            for t in 0..geometry.taps() {
                if let Some([sy, sx]) = from(geometry, [y, x], t, [h, w]) {
                    for i in 0..ci {
                        let value = src[[image, sy, sx, i]];
                        (0..co).for_each(|o| dst[[t, i, o]] += value * grad[[image, y, x, o]]);
                    }
                }
            }
        }
    }
    dst
}
