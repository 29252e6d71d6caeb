//! Oracles and trials of `norm_statistics`, `norm_moments`, `norm_running`.

use ndarray::{Array4, Axis, s};

/// Returns mean and 1/√(variance + ε) of each of `groups` groups of pixels: `[groups][1][2][c]`. The variance is
/// biased.
pub fn norm_statistics(x: &Array4<f64>, groups: usize) -> Array4<f64> {
    norm_running(&mean_and_variance(x, groups, 0.0))
}

/// Updates running mean and variance, `[1][1][2][c]`, with a batch `x`. The variance is unbiased.
pub fn update_running(running: &Array4<f64>, x: &Array4<f64>, momentum: f64) -> Array4<f64> {
    running * (1.0 - momentum) + mean_and_variance(x, 1, 1.0) * momentum
}

fn mean_and_variance(x: &Array4<f64>, groups: usize, lost: f64) -> Array4<f64> {
    let (n, h, w, _) = x.dim();
    let run = n * h * w / groups;
    let mut values = norm_moments(x, groups, run);
    let mut variance = values.slice_mut(ndarray::s![.., .., 1, ..]);
    variance /= f64::max(run as f64 - lost, 1.0);
    values
}

/// Returns mean and Σ (x − mean)² of each chunk of `chunk` pixels, for each of `groups` groups:
/// `[groups][chunks][2][c]`.
pub fn norm_moments(x: &Array4<f64>, groups: usize, chunk: usize) -> Array4<f64> {
    let (n, h, w, c) = x.dim();
    let run = n * h * w / groups;
    let pixels = x.to_shape((groups, run, c)).expect("the same elements");
    let mut moments = Array4::zeros((groups, run.div_ceil(chunk), 2, c));
    for ((g, k, row, c), value) in moments.indexed_iter_mut() {
        let values = pixels.slice(s![g, .., c]);
        let values = values.axis_chunks_iter(Axis(0), chunk).nth(k).expect("one chunk per row");
        let mean = values.sum() / values.len() as f64;
        *value = if row == 0 { mean } else { values.iter().map(|v| (v - mean).powi(2)).sum() };
    }
    moments
}

/// Converts mean and variance to mean and 1/√(variance + ε); both are `[..][1][2][c]`.
pub fn norm_running(running: &Array4<f64>) -> Array4<f64> {
    const EPSILON: f64 = 1e-5;
    let mut statistics = running.clone();
    statistics.slice_mut(ndarray::s![.., .., 1, ..]).mapv_inplace(|v| 1.0 / (v + EPSILON).sqrt());
    statistics
}

pub(super) mod trial {
    use super::super::norm::trial::{SIZES, narrow};
    use crate::kernel::core::reduce::chunk;
    use crate::kernel::nn::norm::Per;
    use crate::kernel::nn::norm_statistics::{self, *};
    use crate::proof::core::reduce::trial::copy_of;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &norm_statistics::NORM_STATISTICS, sizes: &SIZES, record: norm_statistics },
        Trial { kernel: &norm_statistics::NORM_MOMENTS, sizes: &SIZES, record: norm_moments },
        Trial { kernel: &norm_statistics::NORM_RUNNING, sizes: &SIZES, record: norm_running },
    ];

    fn norm_statistics(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
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

    fn norm_moments(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape_x = size.shape(size.channels[0]);
        // The mean is many standard deviations, which must not cause cancellation.
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

    fn norm_running(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape = Shape::new(1, 1, 2, size.channels[0]);
        let mut values = made_up::random(rng, shape);
        values.slice_mut(s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 1e-6);
        let values = narrow(values);
        let running = made_up::upload(rec, "running", &values);
        let dst = made_up::room(rec, "statistics", shape);
        norm_statistics::record_running(rec, running, dst);
        vec![made_up::expect(dst, &oracle::norm_running(&values), 1e-6)]
    }
}
