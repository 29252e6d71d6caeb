//! Pooling over windows of 2 × 2 pixels (`kernels/nn/pool.wgsl`) and its gradient (`kernels/nn/pool_grad.wgsl`).

use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

/// The reduction of a window of 2 × 2 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The greatest value; NaN is greater than everything.
    Max,
    /// The mean of the values.
    #[serde(rename = "avg")]
    Average,
}

impl std::fmt::Display for Pooling {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Max { "max" } else { "avg" })
    }
}

impl Pooling {
    /// Both variants.
    pub const ALL: [Self; 2] = [Self::Max, Self::Average];

    pub(crate) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
        Self::ALL.map(|mode| mode.spec(kernel)).to_vec()
    }

    pub(crate) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("MODE", self as u32)])
    }

    /// The shape of the result: half the rows and columns, rounded down. It is empty if `shape` has an axis of one
    /// pixel, which callers refuse.
    pub const fn shape(self, shape: Shape) -> Shape {
        Shape { h: shape.h / 2, w: shape.w / 2, ..shape }
    }
}

params! {
    struct PoolParams { src: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32, src_h: u32, src_w: u32 }
}

/// The row of the table of kernels.
pub static POOL: Kernel = Kernel {
    name: "pool",
    source: include_str!("../../../kernels/nn/pool.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: PoolParams::LAYOUT,
    specs: || Pooling::specs(&POOL),
    native: None,
};

/// Records the pooling of `src` by `mode` into `dst` of shape `mode.shape(src.shape)`.
pub(crate) fn record(rec: &mut Recorder, src: Tensor, mode: Pooling, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PoolParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src_h: src.shape.h as u32,
        src_w: src.shape.w as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let cost = Cost::each(count, 16, 5 * 16);
    rec.linear(mode.spec(&POOL), &params, &[src.bound(), dst.bound()], count, cost);
}

params! {
    struct PoolGradParams { input: Place, grad: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static POOL_GRAD: Kernel = Kernel {
    name: "pool_grad",
    source: include_str!("../../../kernels/nn/pool_grad.wgsl"),
    bindings: &[read("input", "vec4f"), read("grad", "vec4f"), write("dst", "vec4f")],
    params: PoolGradParams::LAYOUT,
    specs: || Pooling::specs(&POOL_GRAD),
    native: None,
};

/// Records the gradient of [`record`] in `input` into `dst`, of the shape of `input`. `grad` is the gradient of the
/// result, of shape `mode.shape(input.shape)`. The average does not read `input`.
pub(crate) fn record_grad(rec: &mut Recorder, input: Tensor, grad: Tensor, mode: Pooling, dst: Tensor) {
    // The average does not read the input. Not binding it lets its memory be reused earlier.
    let input = if mode == Pooling::Max { input } else { grad };
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PoolGradParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        input: input.place(),
        grad: grad.place(),
        dst: dst.place(),
    };
    let cost = match mode {
        Pooling::Max => Cost::each(count, 16, 16 + 4 + 16),
        Pooling::Average => Cost::each(count, 4, 4 + 16),
    };
    let resources = [input.bound(), grad.bound(), dst.bound()];
    rec.linear(mode.spec(&POOL_GRAD), &params, &resources, count, cost);
}
