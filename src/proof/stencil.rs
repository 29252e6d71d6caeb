//! Complete stencils, as a reference for the fits by rows and columns.

use ndarray::{Array2, Array3, ArrayView2};
use num_complex::Complex64;

/// Applies a stencil `[w][w]` at one pixel of a periodic image.
pub(super) fn applied(image: ArrayView2<Complex64>, taps: &Array2<f64>, y: usize, x: usize) -> Complex64 {
    let (ny, nx) = image.dim();
    let radius = taps.nrows() / 2;
    let ring = |i: usize, k: usize, n: usize| (i + n * radius + k - radius) % n;
    taps.indexed_iter().map(|((r, c), tap)| tap * image[[ring(y, r, ny), ring(x, c, nx)]]).sum()
}

/// Returns Σ over `planes` of (|U|², Re conj(U) L, Im conj(U) L, |L|²), `[n][4]`, with (U, L) from `fitted`.
pub(super) fn products(
    planes: usize,
    n: usize,
    fitted: impl Fn(usize, usize) -> [Complex64; 2],
) -> Array2<f64> {
    let mut sums = Array2::zeros((n, 4));
    for plane in 0..planes {
        for (i, mut sum) in sums.rows_mut().into_iter().enumerate() {
            let [u, l] = fitted(plane, i);
            let cross = u.conj() * l;
            for (s, term) in sum.iter_mut().zip([u.norm_sqr(), cross.re, cross.im, l.norm_sqr()]) {
                *s += term;
            }
        }
    }
    sums
}

/// Computes the result of [`super::oracle::fit`] with complete stencils `[w][w]` in place of rows and columns. Waves
/// are `[d][ny][nx]`.
pub fn stencil(waves: &Array3<Complex64>, value: &Array2<f64>, laplacian: &Array2<f64>) -> Array2<f64> {
    let (planes, ny, nx) = waves.dim();
    products(planes, ny * nx, |d, i| {
        let wave = waves.index_axis(ndarray::Axis(0), d);
        [value, laplacian].map(|taps| applied(wave, taps, i / nx, i % nx))
    })
}
