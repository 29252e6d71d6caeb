//! Oracles and trials of `adam`, `gradient_norm`.

use crate::kernel::learning::adam::{AdamSettings, StepValues};
use ndarray::Array1;

/// Computes one step of Adam or AdamW as in PyTorch. Takes and returns the parameters and both moments.
pub fn adam(
    [mut theta, first, second]: [Array1<f64>; 3],
    gradients: &Array1<f64>,
    step: &StepValues,
    settings: &AdamSettings,
) -> [Array1<f64>; 3] {
    let [beta1, beta2] = settings.betas.map(f64::from);
    let (rate, decay) = (f64::from(step.learning_rate), f64::from(settings.weight_decay));
    let max_norm = f64::from(settings.max_norm);
    let clip = if max_norm > 0.0 { f64::min(1.0, max_norm / (gradient_norm(gradients) + 1e-6)) } else { 1.0 };
    let mut g = gradients * clip;
    if settings.decoupled {
        theta *= 1.0 - rate * decay;
    } else {
        g += &(&theta * decay);
    }
    let first = first * beta1 + &g * (1.0 - beta1);
    let second = second * beta2 + &g * &g * (1.0 - beta2);
    let t = f64::from(step.step);
    let mean = &first / (1.0 - beta1.powf(t));
    let square = &second / (1.0 - beta2.powf(t));
    theta -= &(mean * rate / (square.sqrt() + f64::from(settings.epsilon)));
    [theta, first, second]
}

/// Returns √Σ g².
pub fn gradient_norm(gradients: &Array1<f64>) -> f64 {
    gradients.dot(gradients).sqrt()
}

pub(super) mod trial {
    use crate::kernel::learning::adam::{self, *};
    use crate::proof::core::reduce::trial::copy_of;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        // The images of a size are the number of the step here.
        Trial {
            kernel: &adam::ADAM,
            sizes: &[
                TrialSize::batch(1, Size::square(1), 1, 1),
                TrialSize::batch(5, Size::new(7, 1), 2, 2),
                TrialSize::batch(128, Size::new(47, 41), 3, 3),
                TrialSize::batch(10_000, Size::new(1, 55), 5, 5),
                TrialSize::batch(41, Size::square(64), 4, 4),
            ],
            record: adam,
        },
        Trial {
            kernel: &adam::GRADIENT_NORM,
            sizes: &[
                TrialSize::batch(1, Size::square(1), 1, 1),
                TrialSize::batch(5, Size::new(7, 1), 2, 2),
                TrialSize::batch(1, Size::new(47, 41), 3, 3),
                TrialSize::batch(2, Size::new(47, 55), 5, 5),
                TrialSize::batch(128, Size::square(30), 4, 4),
            ],
            record: gradient_norm,
        },
    ];

    fn adam(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let len = 4 * size.pixels();
        let mut random = |scale: f32| (0..len).map(|_| scale * (rng.f32() * 2.0 - 1.0)).collect::<Vec<_>>();
        let [parameters, gradients, first] = [1.0, 3.0, 0.1].map(&mut random);
        let second: Vec<f32> = random(0.1).iter().map(|v| v.abs()).collect();
        let norm = oracle::gradient_norm(&oracle::wide(&gradients)) as f32;
        let decoupled = constant(spec, "DECOUPLED") == 1;
        let mut results = Vec::new();
        // The largest norm is far below the gradient's norm, above it, and absent.
        for max_norm in [0.01 * norm, 2.0 * norm, f32::INFINITY] {
            let settings = AdamSettings { weight_decay: 0.1, decoupled, max_norm, ..AdamSettings::default() };
            let step = StepValues::new(0, size.planes as u32, 0.03, settings.betas);
            let before = [&parameters, &first, &second];
            let [p, m, v] = before.map(|values| {
                let constant = rec.constant("before", values);
                copy_of(rec, constant, len)
            });
            let state = AdamBuffers {
                parameters: p,
                gradients: rec.constant("gradients", &gradients),
                moments: [m, v],
                len,
            };
            let device_step = rec.constant("step", &[step]);
            let clip = made_up::upload(rec, "norm", &oracle::scalar(norm.into()));
            adam::record(rec, device_step, state, clip, settings);
            let gradients = oracle::wide(&gradients);
            let after = oracle::adam(before.map(|v| oracle::wide(v)), &gradients, &step, &settings);
            let places = [p, m, v].into_iter().zip(after);
            results.extend(places.map(|(buf, values)| Expect::in_buffer(buf, values.to_vec(), 1e-6)));
        }
        results
    }

    fn gradient_norm(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let len = size.shape(size.channels[0]).floats();
        let values: Vec<f32> = (0..len).map(|_| rng.f32() * 2.0 - 1.0).collect();
        // The values behind the last one must not be read.
        let gradients = rec.constant("gradients", &[&values[..], &[f32::NAN; 4096]].concat());
        let dst = made_up::room(rec, "norm", Shape::SCALAR);
        adam::record_norm(rec, gradients, len, dst);
        let expected = oracle::gradient_norm(&oracle::wide(&values));
        vec![made_up::expect(dst, &oracle::scalar(expected), 1e-6)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step has the size of the learning rate and the opposite sign of the gradient, at any size of the
    /// gradient.
    #[test]
    fn the_first_step_is_the_learning_rate() {
        let zero = Array1::zeros(3);
        let settings = AdamSettings::default();
        let step = StepValues::new(0, 1, 0.5, settings.betas);
        let gradients = Array1::from(vec![1e-3, -2.0, 1e4]);
        let [theta, ..] = adam([zero.clone(), zero.clone(), zero], &gradients, &step, &settings);
        for (value, expected) in theta.iter().zip([-0.5, 0.5, -0.5]) {
            assert!((value - expected).abs() < 1e-5, "{theta}");
        }
    }
}
