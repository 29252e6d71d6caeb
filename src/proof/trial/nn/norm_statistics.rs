//! Trials of `norm_statistics`, `norm_moments`, `norm_running`.

use super::super::*;
use crate::kernel::core::reduce::chunk;
use crate::kernel::nn::norm::Per;
use super::norm::{SIZES, narrow};
use crate::proof::trial::core::reduce::copy_of;
use crate::kernel::nn::norm_statistics::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &norm_statistics::NORM_STATISTICS, sizes: &SIZES, record: norm_statistics },
    Trial { kernel: &norm_statistics::NORM_MOMENTS, sizes: &SIZES, record: norm_moments },
    Trial { kernel: &norm_statistics::NORM_RUNNING, sizes: &SIZES, record: norm_running },
];

fn norm_statistics(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = narrow(made_up::random(rng, shape) * 3.0 - 10.0);
    let x = made_up::upload(rec, "x", &values);
    let before = made_up::random(rng, Shape::new(1, 1, 2, shape.c));
    let running = (constant(spec, "RUNNING") == 1).then(|| {
        let held = made_up::upload(rec, "before", &before);
        let floats = 4 * held.pitch as usize * held.shape.pixels();
        Tensor { buf: copy_of(rec, held.buf, floats), ..held }
    });
    let pers = if running.is_some() { &[Per::Batch][..] } else { &Per::ALL };
    let mut results = Vec::new();
    for &per in pers {
        let dst = made_up::room(rec, "statistics", per.statistics(shape));
        norm_statistics::record(rec, x, per, running, MOMENTUM, dst);
        results.push(made_up::expect(dst, &oracle::norm_statistics(&values, per.groups(shape.n)), 1e-6));
    }
    if let Some(running) = running {
        let after = oracle::update_running(&before, &values, f64::from(MOMENTUM));
        results.push(made_up::expect(running, &after, 1e-6));
    }
    results
}

fn norm_moments(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape_x = size.shape(size.channels[0]);
    // A mean of many deviations, which must not cancel.
    let values = narrow(made_up::random(rng, shape_x) + 100.0);
    let x = made_up::upload(rec, "x", &values);
    let mut results = Vec::new();
    for per in Per::ALL {
        let of = moments_shape(shape_x, per);
        let dst = made_up::room(rec, "moments", of);
        norm_statistics::record_moments(rec, x, per, dst);
        let length = chunk(shape_x.pixels() / of.n);
        results.push(made_up::expect(dst, &oracle::norm_moments(&values, of.n, length), 1e-6));
    }
    results
}

fn norm_running(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = Shape::new(1, 1, 2, size.channels[0]);
    let mut values = made_up::random(rng, shape);
    values.slice_mut(s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 1e-6);
    let values = narrow(values);
    let running = made_up::upload(rec, "running", &values);
    let dst = made_up::room(rec, "statistics", shape);
    norm_statistics::record_running(rec, running, dst);
    vec![made_up::expect(dst, &oracle::norm_running(&values), 1e-6)]
}
