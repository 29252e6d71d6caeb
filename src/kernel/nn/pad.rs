//! Padding by reflection (`kernels/nn/pad.wgsl`) and its gradient (`kernels/nn/pad_grad.wgsl`).

use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct PadParams { src: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32, src_h: u32, src_w: u32 }
}

/// The row of the table of kernels.
pub static PAD: Kernel = Kernel {
    name: "pad",
    source: include_str!("../../../kernels/nn/pad.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: PadParams::LAYOUT,
    specs: || vec![Spec::new(&PAD, &[])],
    native: None,
};

/// Records `src` into `dst`, which has at least as many rows and columns. The rows and columns added at the bottom and
/// the right mirror `src` about its last row and column. An axis must grow by less than its length; callers refuse
/// larger padding.
pub(crate) fn record(rec: &mut Recorder, src: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PadParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src_h: src.shape.h as u32,
        src_w: src.shape.w as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let cost = Cost { flops: 0.0, bytes: (16 * (src.shape.pixels() * dst.shape.quads() + count)) as f64 };
    rec.linear(Spec::new(&PAD, &[]), &params, &[src.bound(), dst.bound()], count, cost);
}

params! {
    struct PadGradParams { grad: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32, grad_h: u32, grad_w: u32 }
}

/// The row of the table of kernels.
pub static PAD_GRAD: Kernel = Kernel {
    name: "pad_grad",
    source: include_str!("../../../kernels/nn/pad_grad.wgsl"),
    bindings: &[read("grad", "vec4f"), write("dst", "vec4f")],
    params: PadGradParams::LAYOUT,
    specs: || vec![Spec::new(&PAD_GRAD, &[])],
    native: None,
};

/// Records the gradient of [`record`] in its input into `dst`, of the shape of the input. `grad` is the gradient of the
/// padded result. The conditions of [`record`] hold.
pub(crate) fn record_grad(rec: &mut Recorder, grad: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PadGradParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        grad_h: grad.shape.h as u32,
        grad_w: grad.shape.w as u32,
        grad: grad.place(),
        dst: dst.place(),
    };
    let quads = grad.shape.pixels() * grad.shape.quads();
    let cost = Cost { flops: (4 * (quads - count)) as f64, bytes: (16 * (quads + count)) as f64 };
    rec.linear(Spec::new(&PAD_GRAD, &[]), &params, &[grad.bound(), dst.bound()], count, cost);
}
