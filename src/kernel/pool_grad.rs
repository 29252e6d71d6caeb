//! The gradient of pooling; `kernels/pool_grad.wgsl`.

use super::params::params;
use super::pool::{self, Pooling};
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/pool_grad.wgsl`.
    struct Uniform {
        count: u32, h: u32, w: u32, quads: u32, input_first: u32, input_pitch: u32,
        grad_first: u32, grad_pitch: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "pool_grad",
    source: include_str!("../../kernels/pool_grad.wgsl"),
    bindings: &[uniform("p"), read("input"), read("grad"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || Pooling::specs(&KERNEL),
    sizes: trial::SIZES,
    trial,
};

/// Records the gradient with respect to `input`, into `dst` of its shape, from the gradient `grad` with
/// respect to the pooled, of shape `mode.shape(input.shape)`. The average does not read `input`.
pub fn record(rec: &mut Recorder, input: Tensor, grad: Tensor, mode: Pooling, dst: Tensor) {
    // Where nothing is read of the input, its memory need not live until here.
    let input = if mode == Pooling::Max { input } else { grad };
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        input_first: input.first,
        input_pitch: input.pitch,
        grad_first: grad.first,
        grad_pitch: grad.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let cost = match mode {
        Pooling::Max => Cost::each(count, 16, 16 + 4 + 16),
        Pooling::Average => Cost::each(count, 4, 4 + 16),
    };
    let resources = [input.buf.into(), grad.buf.into(), dst.buf.into()];
    rec.linear(mode.spec(&KERNEL), &params, &resources, count, cost);
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Pooling::of(spec);
    let shape = size.shape(size.channels[0]);
    let (x, g) = (pool::values(rng, shape), trial::random(rng, mode.shape(shape)));
    let input = trial::upload(rec, "input", &x);
    let grad = trial::upload(rec, "upstream", &g);
    let dst = trial::room(rec, "gradient", shape);
    record(rec, input, grad, mode, dst);
    vec![trial::expect(dst, &oracle::pool_grad(&x, &g, mode), 0.0)]
}
