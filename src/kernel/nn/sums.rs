//! Sums over all pixels, channel by channel, which are the gradient of a bias (`kernels/nn/channel_sums.wgsl`), and
//! sums of one column of a small tensor over images and rows (`kernels/nn/sum_groups.wgsl`).

use crate::kernel::core::reduce::{self, chunk};
use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
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
    native: None,
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
    native: None,
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
