//! Mean squared error; `kernels/mse.wgsl`.

use super::params::params;
use super::reduce::{LANES, run};
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, weighted_mean, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};
use ndarray::Array4;

params! {
    /// `Params` of `kernels/mse.wgsl`.
    struct Uniform {
        n: u32, quads: u32, c: u32, run: u32,
        prediction_first: u32, prediction_pitch: u32,
        truth_first: u32, truth_pitch: u32,
        weights_first: u32, weights_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "mse",
    source: include_str!("../../kernels/mse.wgsl"),
    bindings: &[uniform("p"), read("prediction"), read("truth"), read("weights"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || specs(&KERNEL),
    sizes: &SIZES,
    trial: try_out,
};

/// Records Σ w (prediction − truth)² / Σ w over pixels and channels into the scalar `dst`, and Σ w into the
/// scalar `weight`, another buffer, which [`super::mse_grad`] reads. `weights` are `[n, h, w, 1]` and at
/// least 0; where they are 0, prediction and truth may be anything, and where all are, the result is 0.
/// Without them w is 1.
pub fn record(
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
    let params = Uniform {
        n: n as u32,
        quads: quads as u32,
        c: prediction.shape.c as u32,
        run: run as u32,
        prediction_first: prediction.first,
        prediction_pitch: prediction.pitch,
        truth_first: truth.first,
        truth_pitch: truth.pitch,
        weights_first: w.first,
        weights_pitch: w.pitch,
    };
    let partial = rec.scratch::<[f32; 4]>("partial errors", runs);
    let resources = [prediction.buf.into(), truth.buf.into(), w.buf.into(), partial.into()];
    let cost = Cost::each(n, 4 * 3 + 3, 36);
    rec.linear(spec(&KERNEL, weights), &params, &resources, runs * LANES, cost);
    weighted_mean::record(rec, partial, runs, dst, weight);
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let [prediction, truth] = [(); 2].map(|()| trial::random(rng, shape));
    let (weights, w) = made_up(rec, spec, size, rng);
    let p = trial::upload(rec, "prediction", &prediction);
    let t = trial::upload(rec, "truth", &outside(&truth, w.as_ref()));
    let [dst, weight] = ["loss", "weight"].map(|label| trial::room(rec, label, Shape::SCALAR));
    record(rec, p, t, weights, dst, weight);
    let (expected, sum) = oracle::mse(&prediction, &truth, w.as_ref());
    vec![
        trial::expect(dst, &oracle::scalar(expected), 1e-6),
        trial::expect(weight, &oracle::scalar(sum), 1e-6),
    ]
}

/// The specialisation of a loss with or without weights.
pub(super) fn spec(kernel: &'static Kernel, weights: Option<Tensor>) -> Spec {
    Spec::new(kernel, &[("WEIGHTED", weights.is_some().into())])
}

/// Specialisations without and with weights.
pub(super) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
    (0..2).map(|weighted| Spec::new(kernel, &[("WEIGHTED", weighted)])).collect()
}

/// Sizes to try losses on.
pub(super) const SIZES: [Size; 6] = [
    Size::batch(1, [1, 1], 1, 1),
    Size::batch(5, [1, 7], 2, 2),
    Size::batch(1, [41, 47], 3, 3),
    Size::batch(2, [55, 1], 5, 5),
    Size::batch(128, [3, 5], 4, 4),
    Size::batch(32, [30, 30], 1, 1),
];

/// Weights for a trial, some of them 0 but never all, if `spec` has any: on the device and for the oracle.
pub(super) fn made_up(
    rec: &mut Recorder,
    spec: &Spec,
    size: Size,
    rng: &mut fastrand::Rng,
) -> (Option<Tensor>, Option<Array4<f64>>) {
    let values = (spec.constant("WEIGHTED") == 1).then(|| {
        let mut values = trial::random(rng, size.shape(1)).mapv(|v| (v + 0.5).max(0.0));
        values[[0, 0, 0, 0]] = 0.75;
        values
    });
    (values.as_ref().map(|values| trial::upload(rec, "weights", values)), values)
}

/// `values` with NaN where the weight is 0.
pub(super) fn outside(values: &Array4<f64>, weights: Option<&Array4<f64>>) -> Array4<f64> {
    let mut values = values.clone();
    if let Some(weights) = weights {
        ndarray::Zip::from(&mut values).and_broadcast(weights).for_each(|v, &w| {
            *v = if w > 0.0 { *v } else { f64::NAN };
        });
    }
    values
}
