//! The second pass of split sums, `kernels/core/reduce.wgsl`, and the rules by which sums are split.

use crate::kernel::quads::{Quad, zip};
use crate::plan::{Buf, Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
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
    native: Some(native),
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

/// Quads whose sums one thread keeps at a time on the processor.
const BLOCK: usize = 32;

/// Parts that are summed before their sum is added to the whole on the processor, which keeps rounding errors small.
const RUN: usize = 16;

fn native(call: &mut Call) {
    let p: ReduceParams = call.params();
    let (src, dst) = (call.read::<Quad>(0), call.write::<Quad>(1));
    let [n, parts, quads] = [p.n, p.parts, p.quads].map(|n| n as usize);
    let sums = |first, dst: &mut [Quad]| add_up(src, [n, parts], first, dst);
    if p.dst.pitch == p.quads {
        // Without gaps, all pixels are one row of quads.
        let dst = &mut dst[p.dst.first as usize..][..n];
        let read = size_of_val(src);
        call.team().split_reading(
            dst,
            BLOCK,
            read,
            #[inline(always)]
            |block, dst| sums(block * BLOCK, dst),
        );
    } else {
        p.dst.each(call.team(), dst, [n / quads, quads], |pixel, dst| sums(pixel * quads, dst));
    }
}

/// Writes to `dst` the sums of the quads from `first` of `parts` parts of `n` quads.
#[inline]
fn add_up(src: &[Quad], [n, parts]: [usize; 2], first: usize, dst: &mut [Quad]) {
    for (block, dst) in dst.chunks_mut(BLOCK).enumerate() {
        let first = first + block * BLOCK;
        dst.fill([0.0; 4]);
        for run in (0..parts).step_by(RUN) {
            let mut sums = [[0.0; 4]; BLOCK];
            for part in run..parts.min(run + RUN) {
                let src = &src[part * n + first..][..dst.len()];
                sums.iter_mut().zip(src).for_each(|(sum, src)| *sum = zip(*sum, *src, |a, b| a + b));
            }
            dst.iter_mut().zip(&sums).for_each(|(dst, sum)| *dst = zip(*dst, *sum, |a, b| a + b));
        }
    }
}
