//! The gradient of padding; `kernels/pad_grad.wgsl`.

use super::pad::evened;
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/pad_grad.wgsl`.
    struct Uniform {
        count: u32, h: u32, w: u32, quads: u32, grad_h: u32, grad_w: u32,
        grad_first: u32, grad_pitch: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "pad_grad",
    source: include_str!("../../kernels/pad_grad.wgsl"),
    bindings: &[uniform("p"), read("grad"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records the gradient with respect to the input, into `dst` of its shape, from the gradient `grad` with
/// respect to the padded, under the conditions of [`super::pad::record`].
pub fn record(rec: &mut Recorder, grad: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        grad_h: grad.shape.h as u32,
        grad_w: grad.shape.w as u32,
        grad_first: grad.first,
        grad_pitch: grad.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let quads = grad.shape.pixels() * grad.shape.quads();
    let cost = Cost { flops: (4 * (quads - count)) as f64, bytes: (16 * (quads + count)) as f64 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[grad.buf.into(), dst.buf.into()], count, cost);
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let g = trial::random(rng, evened(shape));
    let grad = trial::upload(rec, "upstream", &g);
    let dst = trial::room(rec, "gradient", shape);
    record(rec, grad, dst);
    vec![trial::expect(dst, &oracle::pad_grad(&g, [shape.h, shape.w]), 1e-7)]
}
