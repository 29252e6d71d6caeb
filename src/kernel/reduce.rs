//! The second pass of sums that are split; `kernels/reduce.wgsl`. And how they are split.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};
use ndarray::{Array4, s};

params! {
    /// `Params` of `kernels/reduce.wgsl`.
    struct Uniform { n: u32, parts: u32, width: u32, quads: u32, dst_first: u32, dst_pitch: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "reduce",
    source: include_str!("../../kernels/reduce.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    // Images are parts here.
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [1, 7], 2, 2),
        Size::batch(41, [3, 47], 3, 3),
        Size::batch(128, [5, 1], 5, 5),
        Size::batch(1021, [2, 3], 8, 8),
        Size::batch(32, [9, 32], 32, 32),
    ],
    trial: try_out,
};

/// Threads of one workgroup (`WORKGROUP` in `kernels/lib/thread.wgsl`).
pub(super) const LANES: usize = 64;

/// Pixels that one thread adds up, where `pixels` are summed channel by channel: about as many as there are
/// such threads then, for little rounding and work for all.
pub(super) fn chunk(pixels: usize) -> usize {
    pixels.isqrt().clamp(1, 512)
}

/// Values that one workgroup adds up, where `values` are summed to one number: at least 16 a thread, and no
/// more runs than workgroups fit one axis.
pub(super) fn run(values: usize) -> usize {
    values.isqrt().next_multiple_of(LANES).max(16 * LANES)
}

/// How many sums of `parts` values one workgroup takes: fewer where there are many parts, of
/// which its threads then have some eight each, up to 16 threads for one sum.
pub(super) fn width(parts: usize) -> usize {
    LANES >> (parts / 8).clamp(1, 16).ilog2()
}

/// Records the sum of `parts` parts of `src`, which follow each other in it, each the quads of `dst` in order
/// with no gaps.
pub fn record(rec: &mut Recorder, src: Buf, parts: usize, dst: Tensor) {
    let quads = dst.shape.quads();
    let (n, width) = (dst.shape.pixels() * quads, width(parts));
    let params = Uniform {
        n: n as u32,
        parts: parts as u32,
        width: width as u32,
        quads: quads as u32,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let threads = n.div_ceil(width) * LANES;
    let cost = Cost::each(n, 4 * parts, 16 * (parts + 1));
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.into(), dst.buf.into()], threads, cost);
}

/// A copy of the `n` f32 of a trial's constant, made anew by each run, so that a kernel that updates it in
/// place gives the same bits each time.
pub(super) fn fresh(rec: &mut Recorder, constant: Buf, n: usize) -> Buf {
    let copy = rec.output::<f32>("fresh copy", n);
    record(rec, constant, 1, Tensor::whole(copy, Shape::new(1, 1, 1, n)));
    copy
}

fn try_out(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let (parts, shape) = (size.planes, Shape { n: 1, ..size.shape(size.channels[0]) });
    let values = trial::random(rng, size.shape(shape.c));
    let mut padded = Array4::zeros((parts, shape.h, shape.w, 4 * shape.quads()));
    padded.slice_mut(s![.., .., .., ..shape.c]).assign(&values);
    let src: Vec<f32> = padded.iter().map(|&v| v as f32).collect();
    let src = rec.constant("parts", &src);
    let dst = trial::room(rec, "sum", shape);
    record(rec, src, parts, dst);
    vec![trial::expect(dst, &oracle::reduce(&values), 2e-6)]
}
