use super::stencil::applied;
use ndarray::{Array1, Array2, Array3};
use num_complex::Complex64;

/// Returns Σ over waves `[d][ny][nx]` of |w − fitted w|².
pub fn residual(waves: &Array3<Complex64>, value: &Array2<f64>) -> Array1<f64> {
    let (_, ny, nx) = waves.dim();
    let left =
        |wave: ndarray::ArrayView2<Complex64>, y, x| (wave[[y, x]] - applied(wave, value, y, x)).norm_sqr();
    Array1::from_shape_fn(ny * nx, |i| waves.outer_iter().map(|wave| left(wave, i / nx, i % nx)).sum())
}
