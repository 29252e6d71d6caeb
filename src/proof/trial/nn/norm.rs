//! Trials of `norm`, `norm_sums`, `norm_grad`.

use super::super::*;
use crate::kernel::nn::norm::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &norm::NORM, sizes: &SIZES, record: norm },
    Trial { kernel: &norm::NORM_SUMS, sizes: &SIZES, record: norm_sums },
    Trial { kernel: &norm::NORM_GRAD, sizes: &SIZES, record: norm_grad },
];

fn norm(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mut results = Vec::new();
    for per in Per::ALL {
        let (norm, values) = norm_input(rec, spec, size, per, rng);
        let dst = made_up::room(rec, "y", norm.x.shape);
        norm::record(rec, norm, dst);
        results.push(made_up::expect(dst, &oracle::norm(&values), 1e-6));
    }
    results
}

/// Sizes to try the kernels of a norm on.
pub(crate) const SIZES: [Size; 6] = [
    Size::batch(1, [1, 1], 1, 1),
    Size::batch(5, [1, 7], 2, 2),
    Size::batch(1, [41, 47], 3, 3),
    Size::batch(2, [55, 13], 5, 5),
    Size::batch(128, [3, 3], 4, 4),
    Size::batch(8, [30, 30], 32, 32),
];

/// A norm for a trial, on the device and for its oracle. Statistics, γ and β are made up as well.
pub(crate) fn norm_input(
    rec: &mut Recorder,
    spec: &Spec,
    size: Size,
    per: Per,
    rng: &mut fastrand::Rng,
) -> (Norm, oracle::Norm) {
    let shape = size.shape(size.channels[0]);
    let slope = 0.2f32;
    let mut statistics = made_up::random(rng, per.statistics(shape));
    // A deviation is positive; a mean far from 0 is the business of norm_moments.
    statistics.slice_mut(s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 0.5);
    let affine = (constant(spec, "AFFINE") == 1).then(|| {
        let row = Shape::new(1, 1, 1, shape.c);
        let gamma = made_up::random(rng, row).mapv(|v| v + v.signum() * 0.5);
        (narrow(gamma), made_up::random(rng, row))
    });
    let x = made_up::random(rng, shape);
    let mut values = oracle::Norm { x, statistics: narrow(statistics), affine, slope: f64::from(slope) };
    // Off the kink, on either side of which f32 and f64 may find themselves.
    let z = oracle::norm(&oracle::Norm { slope: 1.0, ..values.clone() });
    values.x.zip_mut_with(&z, |x, z| *x += if z.abs() < 1e-4 { 0.125 } else { 0.0 });
    values.x = narrow(values.x);

    let norm = Norm {
        x: made_up::upload(rec, "x", &values.x),
        statistics: made_up::upload(rec, "statistics", &values.statistics),
        affine: values
            .affine
            .as_ref()
            .map(|(gamma, beta)| (made_up::upload(rec, "gamma", gamma), made_up::upload(rec, "beta", beta))),
        slope,
    };
    (norm, values)
}

/// The values an f32 can have.
pub(crate) fn narrow(values: Array4<f64>) -> Array4<f64> {
    values.mapv(|v| f64::from(v as f32))
}

fn norm_sums(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mut results = Vec::new();
    for per in Per::ALL {
        let (norm, values) = norm_input(rec, spec, size, per, rng);
        let grad = made_up::random(rng, norm.x.shape);
        let up = made_up::upload(rec, "gradient", &grad);
        let dst = made_up::room(rec, "sums", norm.statistics.shape);
        norm::record_sums(rec, norm, up, dst);
        results.push(made_up::expect(dst, &oracle::norm_sums(&values, &grad), 2e-6));
    }
    results
}

fn norm_grad(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mut results = Vec::new();
    for per in Per::ALL {
        let (norm, values) = norm_input(rec, spec, size, per, rng);
        let grad = made_up::random(rng, norm.x.shape);
        // As large as sums over a group may be, so that both terms show.
        let sums = narrow(made_up::random(rng, norm.statistics.shape) * norm.run() as f64);
        let (up, device_sums) = (made_up::upload(rec, "gradient", &grad), made_up::upload(rec, "sums", &sums));
        let dst = made_up::room(rec, "gradient of x", norm.x.shape);
        norm::record_grad(rec, norm, up, device_sums, dst);
        results.push(made_up::expect(dst, &oracle::norm_grad(&values, &grad, &sums), 1e-6));
    }
    results
}
