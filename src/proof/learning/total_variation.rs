//! Oracles and trials of `total_variation`, `total_variation_grad`.

use ndarray::Array4;

/// Returns the mean over pixels and channels of √(dx² + dy² + ε), and the number of values averaged.
///
/// Weights are `[n][h][w][1]`. A pixel counts if its weight is above 0. A difference counts if both of its pixels
/// count.
pub fn total_variation(image: &Array4<f64>, weights: Option<&Array4<f64>>, epsilon: f64) -> (f64, f64) {
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, _) in image.indexed_iter().filter(|(i, _)| counts(weights, *i)) {
        let (dx, dy) = slopes(image, weights, i);
        sum += (dx * dx + dy * dy + epsilon).sqrt();
        count += 1.0;
    }
    (sum / count, count)
}

/// Position of a value: image, row, column, channel.
pub type Place = (usize, usize, usize, usize);

/// Reports whether the pixel at a position counts.
pub fn counts(weights: Option<&Array4<f64>>, (n, y, x, _): Place) -> bool {
    weights.is_none_or(|w| w[[n, y, x, 0]] > 0.0)
}

/// Forward differences to the right and downwards; 0 if the neighbour does not exist or does not count.
pub fn slopes(image: &Array4<f64>, weights: Option<&Array4<f64>>, at: Place) -> (f64, f64) {
    let (n, y, x, c) = at;
    let (_, h, w, _) = image.dim();
    let towards = |there: Place| {
        let exists = there.1 < h && there.2 < w;
        if exists && counts(weights, there) { image[there] - image[at] } else { 0.0 }
    };
    (towards((n, y, x + 1, c)), towards((n, y + 1, x, c)))
}

/// The gradient of the total variation, times `up`. `weight` is the number of values averaged. Each term contributes to
/// the three pixels that it depends on.
pub fn total_variation_grad(
    image: &Array4<f64>,
    weights: Option<&Array4<f64>>,
    epsilon: f64,
    weight: f64,
    up: f64,
) -> Array4<f64> {
    let mut gradient = Array4::zeros(image.dim());
    for ((n, y, x, c), _) in image.indexed_iter().filter(|(i, _)| counts(weights, *i)) {
        let (dx, dy) = slopes(image, weights, (n, y, x, c));
        let root = (dx * dx + dy * dy + epsilon).sqrt();
        for (there, d) in [([n, y, x + 1, c], dx), ([n, y + 1, x, c], dy)] {
            gradient[[n, y, x, c]] -= up / weight * d / root;
            if let Some(value) = gradient.get_mut(there) {
                *value += up / weight * d / root;
            }
        }
    }
    gradient
}

pub(super) mod trial {
    use super::super::mse::trial::{SIZES, outside, weights_of};
    use crate::kernel::learning::total_variation;
    use crate::kernel::learning::total_variation::EPSILON;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &total_variation::TOTAL_VARIATION, sizes: &SIZES, record: total_variation },
        Trial { kernel: &total_variation::TOTAL_VARIATION_GRAD, sizes: &SIZES, record: total_variation_grad },
    ];

    fn total_variation(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
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

    fn total_variation_grad(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
        let shape = size.shape(size.channels[0]);
        let values = made_up::random(rng, shape);
        let (weights, w) = weights_of(rec, spec, size, rng);
        let src = made_up::upload(rec, "image", &outside(&values, w.as_ref()));
        // The weight is a separate input here, with an arbitrary value.
        let (weight, up) = (7.0, -1.5);
        let [weight_, up_] = [("weight", weight), ("up", up)]
            .map(|(label, v)| made_up::upload(rec, label, &oracle::scalar(v)));
        let dst = made_up::room(rec, "gradient", shape);
        total_variation::record_grad(rec, src, weights, EPSILON, weight_, up_, dst);
        let expected = oracle::total_variation_grad(&values, w.as_ref(), f64::from(EPSILON), weight, up);
        vec![made_up::expect(dst, &expected, 1e-6)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::total_variation;
    use super::*;
    use crate::proof::differences::check;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    /// This ε is large enough that the root is smooth over the step of the central differences.
    const EPSILON: f64 = 1e-3;

    #[test]
    fn with_and_without_weights() {
        let mut rng = fastrand::Rng::with_seed(5);
        let image = random(&mut rng, Shape::new(3, 5, 7, 3));
        let weights = random(&mut rng, Shape::new(3, 5, 7, 1)).mapv(|w| f64::max(w + 0.5, 0.0));
        for weights in [None, Some(&weights)] {
            let (_, weight) = total_variation(&image, weights, EPSILON);
            let analytic = total_variation_grad(&image, weights, EPSILON, weight, -1.7);
            check(&analytic, &image, |image| -1.7 * total_variation(image, weights, EPSILON).0);
        }
    }
}
