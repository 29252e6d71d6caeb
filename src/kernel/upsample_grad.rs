//! The gradient of upsampling; `kernels/upsample_grad.wgsl`.

use super::params::params;
use super::upsample::Upsampling;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/upsample_grad.wgsl`.
    struct Uniform {
        count: u32, h: u32, w: u32, quads: u32, grad_first: u32, grad_pitch: u32,
        dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "upsample_grad",
    source: include_str!("../../kernels/upsample_grad.wgsl"),
    bindings: &[uniform("p"), read("grad"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || Upsampling::specs(&KERNEL),
    sizes: trial::SIZES,
    trial,
};

/// Records the gradient with respect to the input, into `dst` of its shape, from the gradient `grad` with
/// respect to the upsampled, of shape `mode.shape(dst.shape)`.
pub fn record(rec: &mut Recorder, grad: Tensor, mode: Upsampling, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        grad_first: grad.first,
        grad_pitch: grad.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let flops = if mode == Upsampling::Nearest { 12 } else { 100 };
    let cost = Cost::each(count, flops, 4 * 16 + 16);
    rec.linear(mode.spec(&KERNEL), &params, &[grad.buf.into(), dst.buf.into()], count, cost);
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Upsampling::of(spec);
    let shape = size.shape(size.channels[0]);
    let g = trial::random(rng, mode.shape(shape));
    let grad = trial::upload(rec, "upstream", &g);
    let dst = trial::room(rec, "gradient", shape);
    record(rec, grad, mode, dst);
    vec![trial::expect(dst, &oracle::upsample_grad(&g, mode), 1e-6)]
}
