//! Mean and deviation of the groups of a norm, and the running ones; `kernels/norm_statistics.wgsl`.

use super::norm::{EPSILON, Per, SIZES, narrow};
use super::params::params;
use super::reduce::{LANES, chunk, fresh, width};
use super::{Cost, Expect, Kernel, Params, Size, Spec, norm_moments, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/norm_statistics.wgsl`.
    struct Uniform {
        n: u32, quads: u32, c: u32, width: u32,
        run: u32, chunk: u32, chunks: u32,
        src_first: u32, src_pitch: u32,
        dst_first: u32, dst_pitch: u32,
        running_first: u32, running_pitch: u32,
        momentum: f32, epsilon: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "norm_statistics",
    source: include_str!("../../kernels/norm_statistics.wgsl"),
    bindings: &[uniform("p"), read("src"), write("running"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || (0..2).map(|running| Spec::new(&KERNEL, &[("RUNNING", running)])).collect(),
    sizes: &SIZES,
    trial: try_out,
};

/// The part of each batch in the running statistics, as in PyTorch.
pub const MOMENTUM: f32 = 0.1;

/// Records mean and 1/√(variance + ε) of `x`, the variance as biased as PyTorch's, into `dst`:
/// `[groups, 1, 2, c]`. `running`, `[1, 1, 2, c]` with mean and unbiased variance, takes in `momentum` of
/// those of this batch; it is for [`Per::Batch`] alone, and left out otherwise.
pub fn record(rec: &mut Recorder, x: Tensor, per: Per, running: Option<Tensor>, momentum: f32, dst: Tensor) {
    let moments = Tensor::scratch(rec, "moments", norm_moments::shape(x.shape, per));
    norm_moments::record(rec, x, per, moments);

    let Shape { n: groups, h: chunks, c, .. } = moments.shape;
    let quads = x.shape.quads();
    let (n, width) = (groups * quads, width(chunks));
    let run = x.shape.pixels() / groups;
    let running = running.filter(|_| per == Per::Batch);
    let spec = Spec::new(&KERNEL, &[("RUNNING", running.is_some().into())]);
    let running = running.unwrap_or_else(|| Tensor::scratch(rec, "no running statistics", Shape::SCALAR));
    let params = Uniform {
        n: n as u32,
        quads: quads as u32,
        c: c as u32,
        width: width as u32,
        run: run as u32,
        chunk: chunk(run) as u32,
        chunks: chunks as u32,
        src_first: moments.first,
        src_pitch: moments.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
        running_first: running.first,
        running_pitch: running.pitch,
        momentum,
        epsilon: EPSILON,
    };
    let resources = [moments, running, dst].map(|t| t.buf.into());
    let cost = Cost::each(n, 4 * 8 * chunks, 16 * (2 * chunks + 2));
    rec.linear(spec, &params, &resources, n.div_ceil(width) * LANES, cost);
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = narrow(trial::random(rng, shape) * 3.0 - 10.0);
    let x = trial::upload(rec, "x", &values);
    let before = trial::random(rng, Shape::new(1, 1, 2, shape.c));
    let running = (spec.constant("RUNNING") == 1).then(|| {
        let held = trial::upload(rec, "before", &before);
        let floats = 4 * held.pitch as usize * held.shape.pixels();
        Tensor { buf: fresh(rec, held.buf, floats), ..held }
    });
    let pers = if running.is_some() { &[Per::Batch][..] } else { &Per::ALL };
    let mut results = Vec::new();
    for &per in pers {
        let dst = trial::room(rec, "statistics", per.statistics(shape));
        record(rec, x, per, running, MOMENTUM, dst);
        results.push(trial::expect(dst, &oracle::norm_statistics(&values, per.groups(shape.n)), 1e-6));
    }
    if let Some(running) = running {
        let after = oracle::update_running(&before, &values, f64::from(MOMENTUM));
        results.push(trial::expect(running, &after, 1e-6));
    }
    results
}
