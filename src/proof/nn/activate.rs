//! Oracles and trials of `activate`.

use ndarray::{Array4, Zip};

/// Returns x above 0 and `slope` · x elsewhere, for each value of `x`; the sigmoid if there is no slope.
pub fn activate(x: &Array4<f64>, slope: Option<f64>) -> Array4<f64> {
    match slope {
        Some(slope) => x.mapv(|x| if x > 0.0 { x } else { slope * x }),
        None => x.mapv(|x| 1.0 / (1.0 + (-x).exp())),
    }
}

/// The gradient of [`activate`] in `x`, from the upstream gradient `grad`.
pub fn activate_grad(x: &Array4<f64>, grad: &Array4<f64>, slope: Option<f64>) -> Array4<f64> {
    Zip::from(x).and(grad).map_collect(|&x, &grad| match slope {
        Some(slope) => grad * if x > 0.0 { 1.0 } else { slope },
        None => {
            let s = 1.0 / (1.0 + (-x).exp());
            grad * s * (1.0 - s)
        }
    })
}

pub(super) mod trial {
    use crate::kernel::nn::activate::{self, Activation};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] =
        &[Trial { kernel: &activate::ACTIVATE, sizes: made_up::SIZES, record: activate }];

    fn activate(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape = size.shape(size.channels[0]);
        // Values of both signs, and some zeros, where the derivative is the slope.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::differences::assert_gradient;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn the_gradient_is_the_derivative() {
        let mut rng = fastrand::Rng::with_seed(5);
        // The values stay away from the kink at 0, which the central differences must not cross.
        let x = random(&mut rng, Shape::new(2, 3, 5, 3)).mapv(|v| v + 0.01 * v.signum());
        let upstream = random(&mut rng, Shape::new(2, 3, 5, 3));
        for slope in [Some(0.0), Some(0.2), None] {
            assert_gradient(&x, &upstream, &activate_grad(&x, &upstream, slope), |x| activate(x, slope));
        }
    }
}
