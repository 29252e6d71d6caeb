use super::total_variation::{counts, slopes};
use ndarray::Array4;

/// The gradient of the total variation, times `up`. `weight` is the number of values averaged. Each term
/// contributes to the three pixels that it depends on.
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

#[cfg(test)]
mod tests {
    use super::super::differences::check;
    use super::super::total_variation;
    use super::*;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    /// Large enough that the root is smooth over the step of the central differences.
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
