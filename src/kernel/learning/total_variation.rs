//! The isotropic total variation (`kernels/learning/total_variation.wgsl`) and its gradient
//! (`kernels/learning/total_variation_grad.wgsl`).

use super::combine_losses;
use super::mse::{spec, specs};
use crate::kernel::core::reduce::{LANES, run};
use crate::plan::{Cost, Kernel, Params, Place, Recorder, params, read, write};
use crate::tensor::Tensor;

params! {
    struct TotalVariationParams { src: Place, weights: Place, n: u32, quads: u32, c: u32, h: u32, w: u32, run: u32, epsilon: f32 }
}

/// The row of the table of kernels.
pub static TOTAL_VARIATION: Kernel = Kernel {
    name: "total_variation",
    source: include_str!("../../../kernels/learning/total_variation.wgsl"),
    bindings: &[read("src", "vec4f"), read("weights", "vec4f"), write("dst", "vec4f")],
    params: TotalVariationParams::LAYOUT,
    specs: || specs(&TOTAL_VARIATION),
    native: None,
};

/// The number ε that keeps the root differentiable where the image is flat.
pub const EPSILON: f32 = 1e-8;

/// Records the mean over pixels and channels of √(dx² + dy² + ε) into the scalar `dst`. The forward differences dx and
/// dy are 0 in the last column and in the last row. The number of values averaged goes into the scalar `weight` in
/// another buffer, for [`record_grad`].
///
/// With `weights`, `[n, h, w, 1]`, only pixels of a weight above 0 count, and differences between two such pixels. If
/// there are none, the result is 0.
pub(crate) fn record(
    rec: &mut Recorder,
    src: Tensor,
    weights: Option<Tensor>,
    epsilon: f32,
    dst: Tensor,
    weight: Tensor,
) {
    let quads = src.shape.quads();
    let n = src.shape.pixels() * quads;
    let (run, runs) = (run(n), n.div_ceil(run(n)));
    let w = weights.unwrap_or(src);
    let params = TotalVariationParams {
        n: n as u32,
        quads: quads as u32,
        c: src.shape.c as u32,
        h: src.shape.h as u32,
        w: src.shape.w as u32,
        run: run as u32,
        src: src.place(),
        weights: w.place(),
        epsilon,
    };
    let partial = rec.scratch::<[f32; 4]>("partial variations", runs);
    let resources = [src.bound(), w.bound(), partial.first::<[f32; 4]>(runs)];
    let cost = Cost::each(n, 4 * 8, 20);
    rec.linear(spec(&TOTAL_VARIATION, weights), &params, &resources, runs * LANES, cost);
    combine_losses::record_mean(rec, partial, runs, dst, weight);
}

params! {
    struct TotalVariationGradParams { src: Place, weights: Place, dst: Place, n: u32, quads: u32, h: u32, w: u32, weight_first: u32, up_first: u32, epsilon: f32 }
}

/// The row of the table of kernels.
pub static TOTAL_VARIATION_GRAD: Kernel = Kernel {
    name: "total_variation_grad",
    source: include_str!("../../../kernels/learning/total_variation_grad.wgsl"),
    bindings: &[
        read("src", "vec4f"),
        read("weights", "vec4f"),
        read("weight", "vec4f"),
        read("up", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: TotalVariationGradParams::LAYOUT,
    specs: || specs(&TOTAL_VARIATION_GRAD),
    native: None,
};

/// Records the gradient of [`record`] in its image into `dst`. `weight` is the scalar number of values from [`record`],
/// and `up` is the scalar upstream gradient.
pub(crate) fn record_grad(
    rec: &mut Recorder,
    src: Tensor,
    weights: Option<Tensor>,
    epsilon: f32,
    weight: Tensor,
    up: Tensor,
    dst: Tensor,
) {
    let quads = src.shape.quads();
    let n = src.shape.pixels() * quads;
    let w = weights.unwrap_or(src);
    let params = TotalVariationGradParams {
        n: n as u32,
        quads: quads as u32,
        h: src.shape.h as u32,
        w: src.shape.w as u32,
        src: src.place(),
        weights: w.place(),
        weight_first: weight.first,
        up_first: up.first,
        dst: dst.place(),
        epsilon,
    };
    let resources = [src, w, weight, up, dst].map(Tensor::bound);
    rec.linear(spec(&TOTAL_VARIATION_GRAD, weights), &params, &resources, n, Cost::each(n, 4 * 27, 36));
}
