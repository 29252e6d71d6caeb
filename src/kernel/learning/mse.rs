//! The mean squared error (`kernels/learning/mse.wgsl`) and its gradient (`kernels/learning/mse_grad.wgsl`).

use super::combine_losses;
use crate::kernel::core::reduce::{LANES, run};
use crate::kernel::quads::{Quad, zip};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;
use std::ops::Range;

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
    native: Some(native),
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

fn native(call: &mut Call) {
    let p: MseParams = call.params();
    let (prediction, truth) = (call.read::<Quad>(0), call.read::<Quad>(1));
    let weights = weights_of(call, 2, p.weights);
    let [n, quads, run] = [p.n, p.quads, p.run].map(|n| n as usize);
    call.team().split_reading(
        call.write::<Quad>(3),
        1,
        size_of_val(prediction),
        #[inline(always)]
        |first, dst| {
            for (i, dst) in (first..).zip(dst) {
                let (mut squares, mut weight) = ([0.0; 4], 0.0);
                each_pixel(i * run..n.min((i + 1) * run), quads, |pixel, own| {
                    let w = weights(pixel);
                    if w > 0.0 {
                        let [a, b] =
                            [p.prediction.of(prediction, pixel, quads), p.truth.of(truth, pixel, quads)];
                        for (a, b) in a[own.clone()].iter().zip(&b[own.clone()]) {
                            let d = zip(*a, *b, |a, b| a - b);
                            (0..4).for_each(|c| squares[c] += f64::from(w * (d[c] * d[c])));
                        }
                        weight += if own.start == 0 { f64::from(w * p.c as f32) } else { 0.0 };
                    }
                });
                *dst = [squares.iter().sum::<f64>() as f32, weight as f32, 0.0, 0.0];
            }
        },
    );
}

/// The weight of each pixel, from this binding if the specialisation has weights, else 1.
#[inline(always)]
pub(super) fn weights_of<'a>(
    call: &Call<'a>,
    binding: usize,
    place: Place,
) -> impl Fn(usize) -> f32 + use<'a> {
    let weights = (call.constant("WEIGHTED") == 1).then(|| call.read::<Quad>(binding));
    move |pixel| weights.map_or(1.0, |weights| place.of(weights, pixel, 1)[0][0])
}

/// Calls `work` with the pixels that quads `range` of all pixels belong to, and which of its `quads` quads these are.
#[inline(always)]
pub(super) fn each_pixel(range: Range<usize>, quads: usize, mut work: impl FnMut(usize, Range<usize>)) {
    let (mut pixel, mut first, mut left) = (range.start / quads, range.start % quads, range.len());
    while left > 0 {
        let count = left.min(quads - first);
        work(pixel, first..first + count);
        (pixel, first, left) = (pixel + 1, 0, left - count);
    }
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
    native: Some(native_grad),
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

fn native_grad(call: &mut Call) {
    let p: MseGradParams = call.params();
    let (prediction, truth) = (call.read::<Quad>(0), call.read::<Quad>(1));
    let weights = weights_of(call, 2, p.weights);
    let weight = call.read::<Quad>(3)[p.weight_first as usize][0];
    let up = call.read::<Quad>(4)[p.up_first as usize][0];
    let quads = p.quads as usize;
    p.dst.each(
        call.team(),
        call.write(5),
        [p.count as usize / quads, quads],
        #[inline(always)]
        |pixel, dst| {
            let w = weights(pixel);
            if w > 0.0 {
                let k = 2.0 * up * w / weight;
                let terms =
                    p.prediction.of(prediction, pixel, quads).iter().zip(p.truth.of(truth, pixel, quads));
                dst.iter_mut().zip(terms).for_each(|(dst, (a, b))| *dst = zip(*a, *b, |a, b| k * (a - b)));
            } else {
                dst.fill([0.0; 4]);
            }
        },
    );
}
