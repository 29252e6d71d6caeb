use ndarray::{Array1, Array2, Array3};
use num_complex::Complex64;

/// A stencil `[w][w]` applied at one pixel of an image wrapped round.
pub(super) fn applied(
    image: ndarray::ArrayView2<Complex64>,
    taps: &Array2<f64>,
    y: usize,
    x: usize,
) -> Complex64 {
    let (ny, nx) = image.dim();
    let radius = taps.nrows() / 2;
    let ring = |i: usize, k: usize, n: usize| (i + n * radius + k - radius) % n;
    taps.indexed_iter().map(|((r, c), tap)| tap * image[[ring(y, r, ny), ring(x, c, nx)]]).sum()
}

/// Σ over waves `[d][ny][nx]` of (|U|², Re conj(U) L, Im conj(U) L, |L|²), `[n][4]`; U and L by the
/// value and Laplacian stencils `[w][w]`.
pub fn stencil(waves: &Array3<Complex64>, value: &Array2<f64>, laplacian: &Array2<f64>) -> Array2<f64> {
    let (_, ny, nx) = waves.dim();
    let mut sums = Array2::zeros((ny * nx, 4));
    for wave in waves.outer_iter() {
        for i in 0..ny * nx {
            let u = applied(wave, value, i / nx, i % nx);
            let l = applied(wave, laplacian, i / nx, i % nx);
            let cross = u.conj() * l;
            let row = Array1::from(vec![u.norm_sqr(), cross.re, cross.im, l.norm_sqr()]);
            let mut sum = sums.row_mut(i);
            sum += &row;
        }
    }
    sums
}
