//! Trials of `total_variation`, `total_variation_grad`.

use super::super::*;
use super::mse::{SIZES, outside, weights_of};
use crate::kernel::learning::total_variation::EPSILON;
use crate::kernel::learning::total_variation;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &total_variation::TOTAL_VARIATION, sizes: &SIZES, record: total_variation },
    Trial { kernel: &total_variation::TOTAL_VARIATION_GRAD, sizes: &SIZES, record: total_variation_grad },
];

fn total_variation(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = made_up::random(rng, shape);
    let (weights, w) = weights_of(rec, spec, size, rng);
    let src = made_up::upload(rec, "image", &outside(&values, w.as_ref()));
    let [dst, weight] = ["variation", "weight"].map(|label| made_up::room(rec, label, Shape::SCALAR));
    total_variation::record(rec, src, weights, EPSILON, dst, weight);
    let (expected, count) = oracle::total_variation(&values, w.as_ref(), f64::from(EPSILON));
    vec![
        made_up::expect(dst, &oracle::scalar(expected), 1e-6),
        made_up::expect(weight, &oracle::scalar(count), 1e-6),
    ]
}

fn total_variation_grad(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = made_up::random(rng, shape);
    let (weights, w) = weights_of(rec, spec, size, rng);
    let src = made_up::upload(rec, "image", &outside(&values, w.as_ref()));
    // The weight is an input of its own here, whatever its value.
    let (weight, up) = (7.0, -1.5);
    let [weight_, up_] =
        [("weight", weight), ("up", up)].map(|(label, v)| made_up::upload(rec, label, &oracle::scalar(v)));
    let dst = made_up::room(rec, "gradient", shape);
    total_variation::record_grad(rec, src, weights, EPSILON, weight_, up_, dst);
    let expected = oracle::total_variation_grad(&values, w.as_ref(), f64::from(EPSILON), weight, up);
    vec![made_up::expect(dst, &expected, 1e-6)]
}
