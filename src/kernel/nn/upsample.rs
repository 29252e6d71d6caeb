//! Upsampling to twice the size (`kernels/nn/upsample.wgsl`) and its gradient (`kernels/nn/upsample_grad.wgsl`).

use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

/// The method of upsampling to twice the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Upsampling {
    /// Copies each pixel four times.
    Nearest,
    /// Interpolates linearly between pixel centres along both axes, and is constant beyond the outermost centres
    /// (PyTorch's `align_corners=False`).
    Bilinear,
}

impl std::fmt::Display for Upsampling {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Nearest { "nearest" } else { "bilinear" })
    }
}

impl Upsampling {
    /// Both variants.
    pub const ALL: [Self; 2] = [Self::Nearest, Self::Bilinear];

    pub(crate) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
        Self::ALL.map(|mode| mode.spec(kernel)).to_vec()
    }

    pub(crate) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("MODE", self as u32)])
    }

    /// The shape of the result: twice the rows and columns.
    pub const fn shape(self, shape: Shape) -> Shape {
        Shape { h: 2 * shape.h, w: 2 * shape.w, ..shape }
    }
}

params! {
    struct UpsampleParams { src: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static UPSAMPLE: Kernel = Kernel {
    name: "upsample",
    source: include_str!("../../../kernels/nn/upsample.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: UpsampleParams::LAYOUT,
    specs: || Upsampling::specs(&UPSAMPLE),
    native: None,
};

/// Records `src` at twice its size into `dst` of shape `mode.shape(src.shape)`.
pub(crate) fn record(rec: &mut Recorder, src: Tensor, mode: Upsampling, dst: Tensor) {
    let Shape { h, w, .. } = src.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = UpsampleParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let flops = if mode == Upsampling::Nearest { 0 } else { 36 };
    let cost = Cost::each(count, flops, 4 + 16);
    rec.linear(mode.spec(&UPSAMPLE), &params, &[src.bound(), dst.bound()], count, cost);
}

params! {
    struct UpsampleGradParams { grad: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static UPSAMPLE_GRAD: Kernel = Kernel {
    name: "upsample_grad",
    source: include_str!("../../../kernels/nn/upsample_grad.wgsl"),
    bindings: &[read("grad", "vec4f"), write("dst", "vec4f")],
    params: UpsampleGradParams::LAYOUT,
    specs: || Upsampling::specs(&UPSAMPLE_GRAD),
    native: None,
};

/// Records the gradient of [`record`] in its input into `dst`, of the shape of the input. `grad` is the gradient of the
/// result, of shape `mode.shape(dst.shape)`.
pub(crate) fn record_grad(rec: &mut Recorder, grad: Tensor, mode: Upsampling, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = UpsampleGradParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        grad: grad.place(),
        dst: dst.place(),
    };
    let flops = if mode == Upsampling::Nearest { 12 } else { 100 };
    let cost = Cost::each(count, flops, 4 * 16 + 16);
    rec.linear(mode.spec(&UPSAMPLE_GRAD), &params, &[grad.bound(), dst.bound()], count, cost);
}
