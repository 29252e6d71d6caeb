//! Oracles and trials of `mse`, `mse_grad`.

use ndarray::Array4;

/// Returns Σ w (prediction − truth)² / Σ w over pixels and channels, and Σ w. Weights are `[n][h][w][1]`; without them,
/// w is 1.
pub fn mse(prediction: &Array4<f64>, truth: &Array4<f64>, weights: Option<&Array4<f64>>) -> (f64, f64) {
    let w = spread(weights, prediction);
    let weight = w.sum();
    ((w * (prediction - truth).mapv(|d| d * d)).sum() / weight, weight)
}

/// Returns the weights, repeated to the shape of `like`.
pub fn spread(weights: Option<&Array4<f64>>, like: &Array4<f64>) -> Array4<f64> {
    let ones = Array4::ones(like.dim());
    weights.map_or(ones.clone(), |w| ones * w)
}

/// Returns the gradient in the prediction: up · 2 w (prediction − truth) / weight. `weight` is Σ w.
pub fn mse_grad(
    prediction: &Array4<f64>,
    truth: &Array4<f64>,
    weights: Option<&Array4<f64>>,
    weight: f64,
    up: f64,
) -> Array4<f64> {
    spread(weights, prediction) * (prediction - truth) * (2.0 * up / weight)
}

pub(super) mod trial {
    use crate::kernel::learning::mse;
    use crate::proof::trial::*;

    /// The sizes of the trials of losses.
    pub(crate) const SIZES: [TrialSize; 6] = [
        TrialSize::batch(1, Size::square(1), 1, 1),
        TrialSize::batch(5, Size::new(7, 1), 2, 2),
        TrialSize::batch(1, Size::new(47, 41), 3, 3),
        TrialSize::batch(2, Size::new(1, 55), 5, 5),
        TrialSize::batch(128, Size::new(5, 3), 4, 4),
        TrialSize::batch(32, Size::square(30), 1, 1),
    ];

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &mse::MSE, sizes: &SIZES, record: mse },
        Trial { kernel: &mse::MSE_GRAD, sizes: &SIZES, record: mse_grad },
    ];

    fn mse(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
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

    /// Weights for a trial, on the device and for the oracle, if `spec` has weights. Some are 0, but never all.
    pub(crate) fn weights_of(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
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

    fn mse_grad(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let shape = size.shape(size.channels[0]);
        let [prediction, truth] = [(); 2].map(|()| made_up::random(rng, shape));
        let (weights, w) = weights_of(rec, spec, size, rng);
        let p = made_up::upload(rec, "prediction", &prediction);
        let t = made_up::upload(rec, "truth", &outside(&truth, w.as_ref()));
        // The weight is a separate input here, with an arbitrary value.
        let (weight, up) = (7.0, -1.5);
        let [weight_, up_] = [("weight", weight), ("up", up)]
            .map(|(label, v)| made_up::upload(rec, label, &oracle::scalar(v)));
        let dst = made_up::room(rec, "gradient", shape);
        mse::record_grad(rec, p, t, weights, weight_, up_, dst);
        let expected = oracle::mse_grad(&prediction, &truth, w.as_ref(), weight, up);
        vec![made_up::expect(dst, &expected, 1e-6)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::mse;
    use super::*;
    use crate::proof::differences::check;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn with_and_without_weights() {
        let mut rng = fastrand::Rng::with_seed(3);
        let [prediction, truth] = [(); 2].map(|()| random(&mut rng, Shape::new(3, 5, 7, 3)));
        let weights = random(&mut rng, Shape::new(3, 5, 7, 1)).mapv(|w| f64::max(w, 0.0));
        for weights in [None, Some(&weights)] {
            let (_, weight) = mse(&prediction, &truth, weights);
            let analytic = mse_grad(&prediction, &truth, weights, weight, -1.7);
            check(&analytic, &prediction, |p| -1.7 * mse(p, &truth, weights).0);
        }
    }
}
