//! Gradient of the mean squared error; `kernels/mse_grad.wgsl`.

use super::mse::{SIZES, made_up, outside, spec, specs};
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/mse_grad.wgsl`.
    struct Uniform {
        n: u32, quads: u32,
        prediction_first: u32, prediction_pitch: u32,
        truth_first: u32, truth_pitch: u32,
        weights_first: u32, weights_pitch: u32,
        weight_first: u32, up_first: u32,
        dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "mse_grad",
    source: include_str!("../../kernels/mse_grad.wgsl"),
    bindings: &[
        uniform("p"),
        read("prediction"),
        read("truth"),
        read("weights"),
        read("weight"),
        read("up"),
        write("dst"),
    ],
    params: Uniform::LAYOUT,
    specs: || specs(&KERNEL),
    sizes: &SIZES,
    trial: try_out,
};

/// Records the gradient of [`super::mse`]'s prediction into `dst`: up 2 w (prediction − truth) / weight.
/// `weight` is the scalar Σ w that [`super::mse::record`] left, `up` the scalar gradient of the loss.
pub fn record(
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
    let params = Uniform {
        n: n as u32,
        quads: quads as u32,
        prediction_first: prediction.first,
        prediction_pitch: prediction.pitch,
        truth_first: truth.first,
        truth_pitch: truth.pitch,
        weights_first: w.first,
        weights_pitch: w.pitch,
        weight_first: weight.first,
        up_first: up.first,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let resources = [prediction, truth, w, weight, up, dst].map(|t| t.buf.into());
    rec.linear(spec(&KERNEL, weights), &params, &resources, n, Cost::each(n, 4 * 2 + 3, 52));
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let [prediction, truth] = [(); 2].map(|()| trial::random(rng, shape));
    let (weights, w) = made_up(rec, spec, size, rng);
    let p = trial::upload(rec, "prediction", &prediction);
    let t = trial::upload(rec, "truth", &outside(&truth, w.as_ref()));
    // The weight is an input of its own here, whatever its value.
    let (weight, up) = (7.0, -1.5);
    let [weight_, up_] =
        [("weight", weight), ("up", up)].map(|(label, v)| trial::upload(rec, label, &oracle::scalar(v)));
    let dst = trial::room(rec, "gradient", shape);
    record(rec, p, t, weights, weight_, up_, dst);
    let expected = oracle::mse_grad(&prediction, &truth, w.as_ref(), weight, up);
    vec![trial::expect(dst, &expected, 1e-6)]
}
