use ndarray::{Array3, Array4};
use num_complex::Complex64;

/// Returns Σ_c (c/r)^2a w[x + c] of periodic waves `[d][ny][nx]`: `[powers][d][ny][nx]`.
pub fn row_moments(waves: &Array3<Complex64>, (window, powers): (usize, usize)) -> Array4<Complex64> {
    let (planes, ny, nx) = waves.dim();
    let radius = window / 2;
    Array4::from_shape_fn((powers, planes, ny, nx), |(a, d, y, x)| {
        let term = |k: usize| {
            let offset = (k as f64 - radius as f64) / radius as f64;
            waves[[d, y, (x + nx * radius + k - radius) % nx]] * offset.powi(2 * a as i32)
        };
        (0..window).map(term).sum()
    })
}
