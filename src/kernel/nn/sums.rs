//! Sums over all pixels, channel by channel, which are the gradient of a bias (`kernels/nn/channel_sums.wgsl`), and
//! sums of one column of a small tensor over images and rows (`kernels/nn/sum_groups.wgsl`).

use crate::kernel::core::reduce::{self, chunk};
use crate::kernel::quads::{channels, lanes, load, store};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct ChannelSumsParams { src: Place, count: u32, quads: u32, pixels: u32, chunk: u32 }
}

/// The row of the table of kernels.
pub static CHANNEL_SUMS: Kernel = Kernel {
    name: "channel_sums",
    source: include_str!("../../../kernels/nn/channel_sums.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: ChannelSumsParams::LAYOUT,
    specs: || vec![Spec::new(&CHANNEL_SUMS, &[])],
    native: Some(channel_sums),
};

/// Records the sum over all pixels of `src` into `dst`, `[1, 1, 1, c]`.
pub(crate) fn record_channels(rec: &mut Recorder, src: Tensor, dst: Tensor) {
    let (pixels, quads) = (src.shape.pixels(), src.shape.quads());
    let chunks = pixels.div_ceil(chunk(pixels));
    let threads = chunks * quads;
    let params = ChannelSumsParams {
        count: threads as u32,
        quads: quads as u32,
        pixels: pixels as u32,
        chunk: chunk(pixels) as u32,
        src: src.place(),
    };
    let partial = rec.scratch::<[f32; 4]>("partial sums of channels", threads);
    let cost = Cost::each(pixels * quads, 4, 16);
    rec.linear(
        Spec::new(&CHANNEL_SUMS, &[]),
        &params,
        &[src.bound(), partial.first::<[f32; 4]>(threads)],
        threads,
        cost,
    );
    reduce::record(rec, partial, chunks, dst);
}

params! {
    struct SumGroupsParams { src: Place, quads: u32, rows: u32, w: u32, column: u32, dst_first: u32 }
}

/// The row of the table of kernels.
pub static SUM_GROUPS: Kernel = Kernel {
    name: "sum_groups",
    source: include_str!("../../../kernels/nn/sum_groups.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: SumGroupsParams::LAYOUT,
    specs: || vec![Spec::new(&SUM_GROUPS, &[])],
    native: Some(sum_groups),
};

/// Records the sum of `column` of `src` over images and rows into `dst`, `[1, 1, 1, c]`. For the sums of
/// [`norm::record_sums`](super::norm::record_sums), column 0 gives the gradient of β and column 1 that of γ.
pub(crate) fn record_groups(rec: &mut Recorder, src: Tensor, column: usize, dst: Tensor) {
    let Shape { n, h, w, .. } = src.shape;
    let quads = src.shape.quads();
    let params = SumGroupsParams {
        quads: quads as u32,
        rows: (n * h) as u32,
        w: w as u32,
        column: column as u32,
        src: src.place(),
        dst_first: dst.first,
    };
    let cost = Cost::each(quads, 4 * n * h, 16 * (n * h + 1));
    rec.linear(Spec::new(&SUM_GROUPS, &[]), &params, &[src.bound(), dst.bound()], quads, cost);
}

/// The sum of `count` pixels, `step` floats apart, of `L` channels.
#[inline(always)]
fn sum<const L: usize>(src: &[f32], step: usize, count: usize) -> [f32; L] {
    let mut sum = [0.0; L];
    for i in 0..count {
        let value: [f32; L] = load(src, i * step);
        sum = channels(|c| sum[c] + value[c]);
    }
    sum
}

fn channel_sums(call: &mut Call) {
    let p: ChannelSumsParams = call.params();
    let src: &[f32] = call.read(0);
    let [quads, pixels, chunk] = [p.quads, p.pixels, p.chunk].map(|n| n as usize);
    let dst = &mut call.write::<f32>(1)[..4 * p.count as usize];
    call.team().split_reading(
        dst,
        4 * quads,
        16 * pixels * quads,
        #[inline(always)]
        |first, part| {
            for (k, dst) in (first..).zip(part.chunks_mut(4 * quads)) {
                let (begin, count) = (k * chunk, chunk.min(pixels - k * chunk));
                let src = &src[p.src.at(begin)..];
                lanes!(quads, |from, L| {
                    store::<L>(dst, from, sum(&src[from..], p.src.step(), count));
                });
            }
        },
    );
}

fn sum_groups(call: &mut Call) {
    let p: SumGroupsParams = call.params();
    let src = &call.read::<f32>(0)[p.src.at(p.column as usize)..];
    let dst = &mut call.write::<f32>(1)[4 * p.dst_first as usize..];
    let step = p.w as usize * p.src.step();
    call.team().alone(
        #[inline(always)]
        || {
            lanes!(p.quads as usize, |from, L| {
                store::<L>(dst, from, sum(&src[from..], step, p.rows as usize));
            });
        },
    );
}
