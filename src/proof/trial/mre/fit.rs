//! Trials of `fit`, `row_moments`, `residual`.

use super::super::*;
use crate::kernel::mre::fit;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &fit::FIT, sizes: &[Size::new(1, 17, 16), Size::new(3, 41, 47), Size::new(4, 256, 256)], record: fit },
    Trial { kernel: &fit::ROW_MOMENTS, sizes: &[Size::new(1, 3, 16), Size::new(3, 41, 47), Size::new(4, 256, 256)], record: row_moments },
    Trial { kernel: &fit::RESIDUAL, sizes: &[Size::new(1, 17, 16), Size::new(3, 41, 47), Size::new(4, 256, 256)], record: residual },
];

fn fit(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let window = (constant(spec, "WINDOW") as usize, constant(spec, "POWERS") as usize);
    let columns = Array3::from_shape_simple_fn((window.0, window.1, 2), || f64::from(rng.f32() - 0.5));
    let columns = columns.mapv(|w| f64::from(w as f32));
    let waves = oracle::waves(rng, size.planes * size.pixels());
    let src = rec.constant("waves", &waves);
    let dst = fit::record(rec, src, [size.nx, size.ny, size.planes], &columns);
    let cube = oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.ny, size.nx));
    let expected = oracle::fit(&oracle::row_moments(&cube.expect("shape"), window), &columns);
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
}

fn row_moments(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let window = (constant(spec, "WINDOW") as usize, constant(spec, "POWERS") as usize);
    let waves = oracle::waves(rng, size.planes * size.pixels());
    let src = rec.constant("waves", &waves);
    let dst = fit::record_row_moments(rec, src, [size.nx, size.ny, size.planes], window);
    let cube = oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.ny, size.nx));
    let expected = oracle::row_moments(&cube.expect("shape"), window);
    vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-6)]
}

fn residual(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let w = constant(spec, "WINDOW") as usize;
    let value = Array2::from_shape_simple_fn((w, w), || f64::from(rng.f32() - 0.5));
    let waves = oracle::waves(rng, size.planes * size.pixels());
    let src = rec.constant("waves", &waves);
    let dst = fit::record_residual(rec, src, [size.nx, size.ny, size.planes], &value);
    let cube = oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.ny, size.nx));
    let expected = oracle::residual(&cube.expect("shape"), &value);
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
}
