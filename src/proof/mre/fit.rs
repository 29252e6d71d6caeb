//! Oracles and trials of `fit`, `row_moments`, `residual`.

use crate::proof::stencil::{applied, products};
use ndarray::{Array1, Array2, Array3, Array4};
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

/// Returns Σ over waves `[d][ny][nx]` of |w − fitted w|².
pub fn residual(waves: &Array3<Complex64>, value: &Array2<f64>) -> Array1<f64> {
    let (_, ny, nx) = waves.dim();
    let left =
        |wave: ndarray::ArrayView2<Complex64>, y, x| (wave[[y, x]] - applied(wave, value, y, x)).norm_sqr();
    Array1::from_shape_fn(ny * nx, |i| waves.outer_iter().map(|wave| left(wave, i / nx, i % nx)).sum())
}

pub(super) mod trial {
    use crate::kernel::mre::fit;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &fit::FIT,
            sizes: &[
                TrialSize::new(1, Size::new(16, 17)),
                TrialSize::new(3, Size::new(47, 41)),
                TrialSize::new(4, Size::square(256)),
            ],
            record: fit,
        },
        Trial {
            kernel: &fit::ROW_MOMENTS,
            sizes: &[
                TrialSize::new(1, Size::new(16, 3)),
                TrialSize::new(3, Size::new(47, 41)),
                TrialSize::new(4, Size::square(256)),
            ],
            record: row_moments,
        },
        Trial {
            kernel: &fit::RESIDUAL,
            sizes: &[
                TrialSize::new(1, Size::new(16, 17)),
                TrialSize::new(3, Size::new(47, 41)),
                TrialSize::new(4, Size::square(256)),
            ],
            record: residual,
        },
    ];

    fn fit(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let window = (constant(spec, "WINDOW") as usize, constant(spec, "POWERS") as usize);
        let columns = Array3::from_shape_simple_fn((window.0, window.1, 2), || f64::from(rng.f32() - 0.5));
        let columns = columns.mapv(|w| f64::from(w as f32));
        let waves = oracle::waves(rng, size.planes * size.pixels());
        let src = rec.constant("waves", &waves);
        let dst = fit::record(rec, src, (size.image, size.planes), &columns);
        let cube =
            oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.image.ny, size.image.nx));
        let expected = oracle::fit(&oracle::row_moments(&cube.expect("shape"), window), &columns);
        vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
    }

    fn row_moments(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let window = (constant(spec, "WINDOW") as usize, constant(spec, "POWERS") as usize);
        let waves = oracle::waves(rng, size.planes * size.pixels());
        let src = rec.constant("waves", &waves);
        let dst = fit::record_row_moments(rec, src, (size.image, size.planes), window);
        let cube =
            oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.image.ny, size.image.nx));
        let expected = oracle::row_moments(&cube.expect("shape"), window);
        vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-6)]
    }

    fn residual(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let w = constant(spec, "WINDOW") as usize;
        let value = Array2::from_shape_simple_fn((w, w), || f64::from(rng.f32() - 0.5));
        let waves = oracle::waves(rng, size.planes * size.pixels());
        let src = rec.constant("waves", &waves);
        let dst = fit::record_residual(rec, src, (size.image, size.planes), &value);
        let cube =
            oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.image.ny, size.image.nx));
        let expected = oracle::residual(&cube.expect("shape"), &value);
        vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
    }
}
