use super::upsample::taps;
use crate::kernel::nn::upsample::Upsampling;
use ndarray::Array4;

/// The gradient of [`super::upsample()`] with respect to its input. `grad` is the gradient with respect to its
/// result.
pub fn upsample_grad(grad: &Array4<f64>, mode: Upsampling) -> Array4<f64> {
    let (n, h, w, c) = grad.dim();
    let mut out = Array4::zeros((n, h / 2, w / 2, c));
    for ((n, row, column, c), g) in grad.indexed_iter() {
        for (y, a) in taps(row, h / 2, mode) {
            for (x, b) in taps(column, w / 2, mode) {
                out[(n, y, x, c)] += a * b * g;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::trial::random;
    use crate::oracle::{differences::assert_gradient, upsample};
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_upsampling() {
        let mut rng = fastrand::Rng::with_seed(2);
        for mode in Upsampling::ALL {
            for shape in [Shape::new(2, 3, 5, 3), Shape::new(1, 1, 1, 2)] {
                let x = random(&mut rng, shape);
                let upstream = random(&mut rng, mode.shape(shape));
                assert_gradient(&x, &upstream, &upsample_grad(&upstream, mode), |x| upsample(x, mode));
            }
        }
    }
}
