//! The mean squared error (`kernels/learning/mse.wgsl`) and its gradient (`kernels/learning/mse_grad.wgsl`).

use super::combine_losses;
use crate::kernel::core::reduce::{LANES, run};
use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

params! {
    struct MseParams { prediction: Place, truth: Place, weights: Place, n: u32, quads: u32, c: u32, run: u32 }
}

/// The row of the table of kernels.
pub static MSE: Kernel = Kernel {
    name: "mse",
    source: include_str!("../../../kernels/learning/mse.wgsl"),
    bindings: &[
        read("prediction", "vec4f"),
        read("truth", "vec4f"),
        read("weights", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: MseParams::LAYOUT,
    specs: || specs(&MSE),
    native: None,
};

/// Records Σ w (prediction − truth)² / Σ w over pixels and channels into the scalar `dst`, and Σ w into the scalar
/// `weight` in another buffer, for [`record_grad`].
///
/// `weights` are `[n, h, w, 1]` and at least 0; without them w is 1. Prediction and truth may be anything at pixels of
/// weight 0. If all weights are 0, the result is 0.
pub(crate) fn record(
    rec: &mut Recorder,
    prediction: Tensor,
    truth: Tensor,
    weights: Option<Tensor>,
    dst: Tensor,
    weight: Tensor,
) {
    let quads = prediction.shape.quads();
    let n = prediction.shape.pixels() * quads;
    let (run, runs) = (run(n), n.div_ceil(run(n)));
    let w = weights.unwrap_or(prediction);
    let params = MseParams {
        n: n as u32,
        quads: quads as u32,
        c: prediction.shape.c as u32,
        run: run as u32,
        prediction: prediction.place(),
        truth: truth.place(),
        weights: w.place(),
    };
    let partial = rec.scratch::<[f32; 4]>("partial errors", runs);
    let resources = [prediction.bound(), truth.bound(), w.bound(), partial.first::<[f32; 4]>(runs)];
    let cost = Cost::each(n, 4 * 3 + 3, 36);
    rec.linear(spec(&MSE, weights), &params, &resources, runs * LANES, cost);
    combine_losses::record_mean(rec, partial, runs, dst, weight);
}

/// The specialisation of a loss with or without weights.
pub(crate) fn spec(kernel: &'static Kernel, weights: Option<Tensor>) -> Spec {
    Spec::new(kernel, &[("WEIGHTED", weights.is_some().into())])
}

/// Specialisations without and with weights.
pub(crate) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
    (0..2).map(|weighted| Spec::new(kernel, &[("WEIGHTED", weighted)])).collect()
}

params! {
    struct MseGradParams { prediction: Place, truth: Place, weights: Place, dst: Place, count: u32, quads: u32, weight_first: u32, up_first: u32 }
}

/// The row of the table of kernels.
pub static MSE_GRAD: Kernel = Kernel {
    name: "mse_grad",
    source: include_str!("../../../kernels/learning/mse_grad.wgsl"),
    bindings: &[
        read("prediction", "vec4f"),
        read("truth", "vec4f"),
        read("weights", "vec4f"),
        read("weight", "vec4f"),
        read("up", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: MseGradParams::LAYOUT,
    specs: || specs(&MSE_GRAD),
    native: None,
};

/// Records the gradient of [`record`] in its prediction into `dst`: up 2 w (prediction − truth) / weight. `weight` is
/// the scalar Σ w from [`record`], and `up` is the scalar upstream gradient.
pub(crate) fn record_grad(
    rec: &mut Recorder,
    prediction: Tensor,
    truth: Tensor,
    weights: Option<Tensor>,
    weight: Tensor,
    up: Tensor,
    dst: Tensor,
) {
    let quads = prediction.shape.quads();
    let n = prediction.shape.pixels() * quads;
    let w = weights.unwrap_or(prediction);
    let params = MseGradParams {
        count: n as u32,
        quads: quads as u32,
        prediction: prediction.place(),
        truth: truth.place(),
        weights: w.place(),
        weight_first: weight.first,
        up_first: up.first,
        dst: dst.place(),
    };
    let resources = [prediction, truth, w, weight, up, dst].map(Tensor::bound);
    rec.linear(spec(&MSE_GRAD, weights), &params, &resources, n, Cost::each(n, 4 * 2 + 3, 52));
}
