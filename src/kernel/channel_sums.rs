//! Sums over all pixels, channel by channel: the gradient of a bias; `kernels/channel_sums.wgsl`.

use super::norm::SIZES;
use super::params::params;
use super::reduce::{self, chunk};
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/channel_sums.wgsl`.
    struct Uniform { n: u32, quads: u32, pixels: u32, chunk: u32, src_first: u32, src_pitch: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "channel_sums",
    source: include_str!("../../kernels/channel_sums.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &SIZES,
    trial: try_out,
};

/// Records the sum over all pixels of `src` into `dst`, `[1, 1, 1, c]`.
pub fn record(rec: &mut Recorder, src: Tensor, dst: Tensor) {
    let (pixels, quads) = (src.shape.pixels(), src.shape.quads());
    let chunks = pixels.div_ceil(chunk(pixels));
    let threads = chunks * quads;
    let params = Uniform {
        n: threads as u32,
        quads: quads as u32,
        pixels: pixels as u32,
        chunk: chunk(pixels) as u32,
        src_first: src.first,
        src_pitch: src.pitch,
    };
    let partial = rec.scratch::<[f32; 4]>("partial sums of channels", threads);
    let cost = Cost::each(pixels * quads, 4, 16);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.buf.into(), partial.into()], threads, cost);
    reduce::record(rec, partial, chunks, dst);
}

fn try_out(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let values = trial::random(rng, size.shape(size.channels[0]));
    let src = trial::upload(rec, "values", &values);
    let dst = trial::room(rec, "sum", Shape::new(1, 1, 1, size.channels[0]));
    record(rec, src, dst);
    vec![trial::expect(dst, &oracle::channel_sums(&values), 2e-6)]
}
