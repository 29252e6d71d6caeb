//! The second pass of sums that are split; `kernels/reduce.wgsl`. And how they are split.

use crate::plan::{Buf, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

params! {
    struct ReduceParams { dst: Place, n: u32, parts: u32, width: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static REDUCE: Kernel = Kernel {
    name: "reduce",
    source: include_str!("../../../kernels/core/reduce.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: ReduceParams::LAYOUT,
    specs: || vec![Spec::new(&REDUCE, &[])],
};

/// Threads of one workgroup (`WORKGROUP` in `kernels/lib/thread.wgsl`).
pub(crate) const LANES: usize = 64;

/// Pixels that one thread adds up, where `pixels` are summed channel by channel: about as many as there are
/// such threads then, for little rounding and work for all.
pub(crate) fn chunk(pixels: usize) -> usize {
    pixels.isqrt().clamp(1, 512)
}

/// Values that one workgroup adds up, where `values` are summed to one number: at least 16 a thread, and no
/// more runs than workgroups fit one axis.
pub(crate) fn run(values: usize) -> usize {
    values.isqrt().next_multiple_of(LANES).max(16 * LANES)
}

/// How many sums of `parts` values one workgroup takes: fewer where there are many parts, of
/// which its threads then have some eight each, up to 16 threads for one sum.
pub(crate) fn width(parts: usize) -> usize {
    LANES >> (parts / 8).clamp(1, 16).ilog2()
}

/// Records the sum of `parts` parts of `src`, which follow each other in it, each the quads of `dst` in order
/// with no gaps.
pub fn record(rec: &mut Recorder, src: Buf, parts: usize, dst: Tensor) {
    let quads = dst.shape.quads();
    let (n, width) = (dst.shape.pixels() * quads, width(parts));
    let params = ReduceParams {
        n: n as u32,
        parts: parts as u32,
        width: width as u32,
        quads: quads as u32,
        dst: dst.place(),
    };
    let threads = n.div_ceil(width) * LANES;
    let cost = Cost::each(n, 4 * parts, 16 * (parts + 1));
    rec.linear(
        Spec::new(&REDUCE, &[]),
        &params,
        &[src.first::<[f32; 4]>(parts * n), dst.bound()],
        threads,
        cost,
    );
}
