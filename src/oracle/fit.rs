use super::stencil::products;
use ndarray::{Array2, Array3, Array4};
use num_complex::Complex64;

/// Σ over directions of (|U|², Re conj(U) L, Im conj(U) L, |L|²), `[n][4]`. U and L are the moments
/// `[powers][d][ny][nx]`, summed along columns with the weights `columns` `[window][powers][2]`.
pub fn fit(moments: &Array4<Complex64>, columns: &Array3<f64>) -> Array2<f64> {
    let (_, planes, ny, nx) = moments.dim();
    let radius = columns.dim().0 / 2;
    products(planes, ny * nx, |d, i| {
        let (y, x) = (i / nx, i % nx);
        [0, 1].map(|which| {
            let weighed = columns
                .indexed_iter()
                .filter(|((.., c), _)| *c == which)
                .map(|((r, a, _), w)| moments[[a, d, (y + ny * radius + r - radius) % ny, x]] * *w);
            weighed.sum::<Complex64>()
        })
    })
}
