//! Statistics of a norm: mean and M2 of chunks of pixels (`kernels/nn/norm_moments.wgsl`), merged to the mean and
//! deviation of each group and to running statistics (`kernels/nn/norm_statistics.wgsl`), and the statistics for
//! inference from the running ones (`kernels/nn/norm_running.wgsl`).

use super::norm::{EPSILON, Per};
use crate::kernel::core::reduce::{LANES, chunk, width};
use crate::kernel::quads::{channels, lanes, load, store};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
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
    native: Some(norm_statistics),
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
    native: Some(norm_moments),
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
    native: Some(norm_running),
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

fn norm_moments(call: &mut Call) {
    let p: NormMomentsParams = call.params();
    let x: &[f32] = call.read(0);
    let [quads, run, chunk, chunks] = [p.quads, p.run, p.chunk, p.chunks].map(|n| n as usize);
    let (count, pair) = (p.count as usize / quads, 2 * p.dst.step());
    let dst = &mut call.write::<f32>(1)[p.dst.at(0)..p.dst.at(2 * count - 1) + 4 * quads];
    let bytes = 16 * count / chunks * run * quads;
    call.team().split_reading(
        dst,
        pair,
        bytes,
        #[inline(always)]
        |first, part| {
            for (k, dst) in (first..).zip(part.chunks_mut(pair)) {
                let begin = k % chunks * chunk;
                let count = chunk.min(run - begin);
                let x = &x[p.x.at(k / chunks * run + begin)..];
                lanes!(quads, |from, L| {
                    let shift: [f32; L] = load(x, from);
                    let [mut sum, mut squares] = [[0.0; L]; 2];
                    for i in 1..count {
                        let value: [f32; L] = load(x, i * p.x.step() + from);
                        let d = channels::<L>(|c| value[c] - shift[c]);
                        sum = channels(|c| sum[c] + d[c]);
                        squares = channels(|c| squares[c] + d[c] * d[c]);
                    }
                    let mean = channels::<L>(|c| sum[c] / count as f32);
                    store::<L>(dst, from, channels(|c| shift[c] + mean[c]));
                    store::<L>(
                        dst,
                        p.dst.step() + from,
                        channels(|c| (squares[c] - sum[c] * mean[c]).max(0.0)),
                    );
                });
            }
        },
    );
}

fn norm_statistics(call: &mut Call) {
    let p: NormStatisticsParams = call.params();
    let src: &[f32] = call.read(0);
    let [quads, c, run, chunk, chunks] = [p.quads, p.c, p.run, p.chunk, p.chunks].map(|n| n as usize);
    let (groups, pair, m) = (p.n as usize / quads, 2 * p.dst.step(), p.run as f32);
    let running: &mut [f32] = call.write(1);
    // There is one group if there are running statistics.
    let running = if call.constant("RUNNING") == 1 { &mut running[p.running.at(0)..] } else { &mut [] };
    let all = running.len();
    let dst = &mut call.write::<f32>(2)[p.dst.at(0)..p.dst.at(2 * groups - 1) + 4 * quads];
    call.team().split_all(
        [(dst, pair), (running, all)],
        #[inline(always)]
        |first, [part, running]| {
            for (group, dst) in (first..).zip(part.chunks_mut(pair)) {
                let pixel = |k| p.src.at(2 * (group * chunks) + k);
                let count = |k| chunk.min(run - k * chunk) as f32;
                lanes!(quads, |from, L| {
                    let shift: [f32; L] = load(src, pixel(0) + from);
                    // One sum per channel takes all chunks in turn. In f64 it is as exact as the shader's many.
                    let mut sum = [0f64; L];
                    for k in 0..chunks {
                        let mean: [f32; L] = load(src, pixel(2 * k) + from);
                        let term = channels::<L>(|c| count(k) * (mean[c] - shift[c]));
                        sum.iter_mut().zip(term).for_each(|(sum, term)| *sum += f64::from(term));
                    }
                    let mean = channels::<L>(|c| shift[c] + sum[c] as f32 / m);
                    let mut squares = [0f64; L];
                    for k in 0..chunks {
                        let [own, m2] = [2 * k, 2 * k + 1].map(|i| load::<L>(src, pixel(i) + from));
                        let off = channels::<L>(|c| own[c] - mean[c]);
                        let term = channels::<L>(|c| m2[c] + count(k) * off[c] * off[c]);
                        squares.iter_mut().zip(term).for_each(|(sum, term)| *sum += f64::from(term));
                    }
                    let squares = squares.map(|sum| sum as f32);
                    store(dst, from, mean);
                    let rstd = channels::<L>(|i| rstd(squares[i] / m, p.epsilon, from + i < c));
                    store(dst, p.dst.step() + from, rstd);
                    if !running.is_empty() {
                        let variance = channels::<L>(|c| squares[c] / (m - 1.0).max(1.0));
                        for (at, new) in [(from, mean), (p.running.step() + from, variance)] {
                            let old: [f32; L] = load(running, at);
                            let mix = |c| (1.0 - p.momentum) * old[c] + p.momentum * new[c];
                            store::<L>(running, at, channels(mix));
                        }
                    }
                });
            }
        },
    );
}

/// 1/√(variance + ε), and 0 in padding channels.
fn rstd(variance: f32, epsilon: f32, inside: bool) -> f32 {
    if inside { 1.0 / (variance + epsilon).sqrt() } else { 0.0 }
}

fn norm_running(call: &mut Call) {
    let p: NormRunningParams = call.params();
    let (running, dst): (&[f32], &mut [f32]) = (call.read(0), call.write(1));
    let channels = 4 * p.quads as usize;
    let [mean, variance] = [0, 1].map(|i| &running[p.running.at(i)..][..channels]);
    dst[p.dst.at(0)..][..channels].copy_from_slice(mean);
    let to = &mut dst[p.dst.at(1)..][..channels];
    for ((c, to), variance) in to.iter_mut().enumerate().zip(variance) {
        *to = rstd(*variance, p.epsilon, c < p.c as usize);
    }
}
