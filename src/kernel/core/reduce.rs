//! The second pass of split sums, `kernels/core/reduce.wgsl`, and the rules by which sums are split.

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
    native: None,
};

/// Threads of one workgroup (`WORKGROUP` in `kernels/lib/thread.wgsl`).
pub(crate) const LANES: usize = 64;

/// The number of pixels that one thread adds up if `pixels` pixels are summed channel by channel. It is about
/// √`pixels`, which keeps rounding errors small and gives every thread work.
pub(crate) fn chunk(pixels: usize) -> usize {
    pixels.isqrt().clamp(1, 512)
}

/// The number of values that one workgroup adds up if `values` values are summed to one number: at least 16 per thread.
/// It grows with √`values`, so that the workgroups fit one axis of a dispatch.
pub(crate) fn run(values: usize) -> usize {
    values.isqrt().next_multiple_of(LANES).max(16 * LANES)
}

/// The number of sums of `parts` values that one workgroup computes. Sums of many parts are shared among up to 16
/// threads, of about eight parts each; a workgroup then computes fewer sums.
pub(crate) fn width(parts: usize) -> usize {
    LANES >> (parts / 8).clamp(1, 16).ilog2()
}

/// Records the sum of `parts` parts of `src` into `dst`. The parts lie one after another without gaps; each holds the
/// quads of `dst` in order.
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
