use super::mse::spread;
use ndarray::Array4;

/// Returns the gradient with respect to the prediction: up · 2 w (prediction − truth) / weight. `weight` is Σ
/// w.
pub fn mse_grad(
    prediction: &Array4<f64>,
    truth: &Array4<f64>,
    weights: Option<&Array4<f64>>,
    weight: f64,
    up: f64,
) -> Array4<f64> {
    spread(weights, prediction) * (prediction - truth) * (2.0 * up / weight)
}

#[cfg(test)]
mod tests {
    use super::super::differences::check;
    use super::super::mse;
    use super::*;
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
