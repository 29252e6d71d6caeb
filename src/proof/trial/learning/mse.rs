//! Trials of `mse`, `mse_grad`.

use super::super::*;
use crate::kernel::learning::mse;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &mse::MSE, sizes: &SIZES, record: mse },
    Trial { kernel: &mse::MSE_GRAD, sizes: &SIZES, record: mse_grad },
];

fn mse(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let [prediction, truth] = [(); 2].map(|()| made_up::random(rng, shape));
    let (weights, w) = weights_of(rec, spec, size, rng);
    let p = made_up::upload(rec, "prediction", &prediction);
    let t = made_up::upload(rec, "truth", &outside(&truth, w.as_ref()));
    let [dst, weight] = ["loss", "weight"].map(|label| made_up::room(rec, label, Shape::SCALAR));
    mse::record(rec, p, t, weights, dst, weight);
    let (expected, sum) = oracle::mse(&prediction, &truth, w.as_ref());
    vec![
        made_up::expect(dst, &oracle::scalar(expected), 1e-6),
        made_up::expect(weight, &oracle::scalar(sum), 1e-6),
    ]
}

/// Sizes to try losses on.
pub(crate) const SIZES: [Size; 6] = [
    Size::batch(1, [1, 1], 1, 1),
    Size::batch(5, [1, 7], 2, 2),
    Size::batch(1, [41, 47], 3, 3),
    Size::batch(2, [55, 1], 5, 5),
    Size::batch(128, [3, 5], 4, 4),
    Size::batch(32, [30, 30], 1, 1),
];

/// Weights for a trial, some of them 0 but never all, if `spec` has any: on the device and for the oracle.
pub(crate) fn weights_of(
    rec: &mut Recorder,
    spec: &Spec,
    size: Size,
    rng: &mut fastrand::Rng,
) -> (Option<Tensor>, Option<Array4<f64>>) {
    let values = (constant(spec, "WEIGHTED") == 1).then(|| {
        let mut values = made_up::random(rng, size.shape(1)).mapv(|v| (v + 0.5).max(0.0));
        values[[0, 0, 0, 0]] = 0.75;
        values
    });
    (values.as_ref().map(|values| made_up::upload(rec, "weights", values)), values)
}

/// `values` with NaN where the weight is 0.
pub(crate) fn outside(values: &Array4<f64>, weights: Option<&Array4<f64>>) -> Array4<f64> {
    let mut values = values.clone();
    if let Some(weights) = weights {
        ndarray::Zip::from(&mut values).and_broadcast(weights).for_each(|v, &w| {
            *v = if w > 0.0 { *v } else { f64::NAN };
        });
    }
    values
}

fn mse_grad(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let [prediction, truth] = [(); 2].map(|()| made_up::random(rng, shape));
    let (weights, w) = weights_of(rec, spec, size, rng);
    let p = made_up::upload(rec, "prediction", &prediction);
    let t = made_up::upload(rec, "truth", &outside(&truth, w.as_ref()));
    // The weight is an input of its own here, whatever its value.
    let (weight, up) = (7.0, -1.5);
    let [weight_, up_] =
        [("weight", weight), ("up", up)].map(|(label, v)| made_up::upload(rec, label, &oracle::scalar(v)));
    let dst = made_up::room(rec, "gradient", shape);
    mse::record_grad(rec, p, t, weights, weight_, up_, dst);
    let expected = oracle::mse_grad(&prediction, &truth, w.as_ref(), weight, up);
    vec![made_up::expect(dst, &expected, 1e-6)]
}
