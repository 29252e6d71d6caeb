//! Trials of `activate`.

use super::super::*;
use crate::kernel::nn::activate::{self, Activation};

/// The trials of this file.
pub static TRIALS: &[Trial] =
    &[Trial { kernel: &activate::ACTIVATE, sizes: made_up::SIZES, record: activate }];

fn activate(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    // Of both signs, and now and then 0, where the derivative is the slope.
    let x = made_up::random(rng, shape).mapv(|v| if v.abs() < 0.05 { 0.0 } else { 8.0 * v });
    let g = made_up::random(rng, shape);
    let (src, grad) = (made_up::upload(rec, "x", &x), made_up::upload(rec, "upstream", &g));
    let activations = match constant(spec, "ACTIVATION") {
        0 => vec![(Activation::Relu, Some(0.0)), (Activation::LeakyRelu(0.25), Some(0.25))],
        _ => vec![(Activation::Sigmoid, None)],
    };
    let backward = constant(spec, "GRAD") == 1;
    let mut results = Vec::new();
    for (activation, slope) in activations {
        let dst = made_up::room(rec, "result", shape);
        let expected = if backward {
            activate::record_grad(rec, src, grad, activation, dst);
            oracle::activate_grad(&x, &g, slope)
        } else {
            activate::record(rec, src, activation, dst);
            oracle::activate(&x, slope)
        };
        results.push(made_up::expect(dst, &expected, 1e-6));
    }
    results
}
