use crate::kernel::nn::convolve::Geometry;
use ndarray::{Array3, Array4};

/// The source pixel that tap `t` of a convolution reads for pixel (y, x) of the result; `None` outside the
/// image.
pub(super) fn from(
    geometry: Geometry,
    [y, x]: [usize; 2],
    t: usize,
    [h, w]: [usize; 2],
) -> Option<[usize; 2]> {
    match geometry {
        Geometry::Three => {
            let [y, x] = [(y + t / 3).checked_sub(1)?, (x + t % 3).checked_sub(1)?];
            (y < h && x < w).then_some([y, x])
        }
        Geometry::One => Some([y, x]),
        Geometry::Up => (2 * (y % 2) + x % 2 == t).then_some([y / 2, x / 2]),
        Geometry::Down => Some([2 * y + t / 2, 2 * x + t % 2]),
        Geometry::Tiles => (y == t).then_some([y, x]),
    }
}

/// Convolves `src` `[n][h][w][ci]` with `weights` `[taps][ci][co]`, summed over taps and input channels, and
/// adds `bias`.
pub fn convolve(
    src: &Array4<f64>,
    weights: &Array3<f64>,
    bias: Option<&[f64]>,
    geometry: Geometry,
) -> Array4<f64> {
    let (n, h, w, ci) = src.dim();
    let (taps, _, co) = weights.dim();
    let [rows, columns] = geometry.result([h, w]);
    let mut dst = Array4::from_shape_fn((n, rows, columns, co), |(.., o)| bias.map_or(0.0, |b| b[o]));
    for ((image, y, x, o), sum) in dst.indexed_iter_mut() {
        for t in 0..taps {
            if let Some([sy, sx]) = from(geometry, [y, x], t, [h, w]) {
                *sum += (0..ci).map(|i| src[[image, sy, sx, i]] * weights[[t, i, o]]).sum::<f64>();
            }
        }
    }
    dst
}
