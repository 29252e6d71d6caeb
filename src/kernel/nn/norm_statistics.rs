//! Statistics of a norm: mean and M2 of chunks of pixels (`kernels/nn/norm_moments.wgsl`), merged to the mean and
//! deviation of each group and to running statistics (`kernels/nn/norm_statistics.wgsl`), and the statistics for
//! inference from the running ones (`kernels/nn/norm_running.wgsl`).

use super::norm::{EPSILON, Per};
use crate::kernel::core::reduce::{LANES, chunk, width};
use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct NormStatisticsParams { src: Place, dst: Place, running: Place, n: u32, quads: u32, c: u32, width: u32, run: u32, chunk: u32, chunks: u32, momentum: f32, epsilon: f32 }
}

/// The row of the table of kernels.
pub static NORM_STATISTICS: Kernel = Kernel {
    name: "norm_statistics",
    source: include_str!("../../../kernels/nn/norm_statistics.wgsl"),
    bindings: &[read("src", "vec4f"), write("running", "vec4f"), write("dst", "vec4f")],
    params: NormStatisticsParams::LAYOUT,
    specs: || (0..2).map(|running| Spec::new(&NORM_STATISTICS, &[("RUNNING", running)])).collect(),
    native: None,
};

/// The share of each batch in the running statistics, as in PyTorch.
pub const MOMENTUM: f32 = 0.1;

/// Records mean and 1/√(variance + ε) of `x` into `dst`, `[groups, 1, 2, c]`. The variance is biased, as in PyTorch.
///
/// `running`, `[1, 1, 2, c]`, holds running mean and unbiased variance. It is updated with a share `momentum` of this
/// batch's values. Only [`Per::Batch`] updates it.
pub(crate) fn record(
    rec: &mut Recorder,
    x: Tensor,
    per: Per,
    running: Option<Tensor>,
    momentum: f32,
    dst: Tensor,
) {
    let moments = Tensor::scratch(rec, "moments", moments_shape(x.shape, per));
    record_moments(rec, x, per, moments);

    let Shape { n: groups, h: chunks, c, .. } = moments.shape;
    let quads = x.shape.quads();
    let (n, width) = (groups * quads, width(chunks));
    let run = x.shape.pixels() / groups;
    let running = running.filter(|_| per == Per::Batch);
    let spec = Spec::new(&NORM_STATISTICS, &[("RUNNING", running.is_some().into())]);
    let running = running.unwrap_or_else(|| Tensor::scratch(rec, "no running statistics", Shape::SCALAR));
    let params = NormStatisticsParams {
        n: n as u32,
        quads: quads as u32,
        c: c as u32,
        width: width as u32,
        run: run as u32,
        chunk: chunk(run) as u32,
        chunks: chunks as u32,
        src: moments.place(),
        dst: dst.place(),
        running: running.place(),
        momentum,
        epsilon: EPSILON,
    };
    let resources = [moments, running, dst].map(Tensor::bound);
    let cost = Cost::each(n, 4 * 8 * chunks, 16 * (2 * chunks + 2));
    rec.linear(spec, &params, &resources, n.div_ceil(width) * LANES, cost);
}

params! {
    struct NormMomentsParams { x: Place, dst: Place, count: u32, quads: u32, run: u32, chunk: u32, chunks: u32 }
}

/// The row of the table of kernels.
pub static NORM_MOMENTS: Kernel = Kernel {
    name: "norm_moments",
    source: include_str!("../../../kernels/nn/norm_moments.wgsl"),
    bindings: &[read("x", "vec4f"), write("dst", "vec4f")],
    params: NormMomentsParams::LAYOUT,
    specs: || vec![Spec::new(&NORM_MOMENTS, &[])],
    native: None,
};

/// The shape of the moments of `x`, `[groups, chunks, 2, c]`: mean and M2 = Σ (x − mean)² of each chunk.
pub fn moments_shape(x: Shape, per: Per) -> Shape {
    let groups = per.groups(x.n);
    let run = x.pixels() / groups;
    Shape::new(groups, run.div_ceil(chunk(run)), 2, x.c)
}

/// Records the moments of `x` into `dst`, of shape [`moments_shape`].
pub(crate) fn record_moments(rec: &mut Recorder, x: Tensor, per: Per, dst: Tensor) {
    let (pixels, quads) = (x.shape.pixels(), x.shape.quads());
    let Shape { n: groups, h: chunks, .. } = moments_shape(x.shape, per);
    let run = pixels / groups;
    let threads = groups * chunks * quads;
    let params = NormMomentsParams {
        count: threads as u32,
        quads: quads as u32,
        run: run as u32,
        chunk: chunk(run) as u32,
        chunks: chunks as u32,
        x: x.place(),
        dst: dst.place(),
    };
    let cost = Cost::each(pixels * quads, 4 * 4, 16);
    rec.linear(Spec::new(&NORM_MOMENTS, &[]), &params, &[x.bound(), dst.bound()], threads, cost);
}

params! {
    struct NormRunningParams { running: Place, dst: Place, quads: u32, c: u32, epsilon: f32 }
}

/// The row of the table of kernels.
pub static NORM_RUNNING: Kernel = Kernel {
    name: "norm_running",
    source: include_str!("../../../kernels/nn/norm_running.wgsl"),
    bindings: &[read("running", "vec4f"), write("dst", "vec4f")],
    params: NormRunningParams::LAYOUT,
    specs: || vec![Spec::new(&NORM_RUNNING, &[])],
    native: None,
};

/// Records mean and 1/√(variance + ε) into `dst` from mean and variance in `running`, both `[1, 1, 2, c]`.
pub(crate) fn record_running(rec: &mut Recorder, running: Tensor, dst: Tensor) {
    let quads = running.shape.quads();
    let params = NormRunningParams {
        quads: quads as u32,
        c: running.shape.c as u32,
        running: running.place(),
        dst: dst.place(),
        epsilon: EPSILON,
    };
    let resources = [running.bound(), dst.bound()];
    rec.linear(Spec::new(&NORM_RUNNING, &[]), &params, &resources, quads, Cost::each(quads, 4 * 2, 64));
}
