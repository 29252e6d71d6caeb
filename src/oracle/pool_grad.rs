use super::pool::greater;
use crate::kernel::nn::pool::Pooling;
use ndarray::Array4;

/// The gradient of [`super::pool()`] with respect to `x`. `grad` is the gradient with respect to its result.
/// For the maximum it goes to the first greatest pixel of a window; for the average, equally to all four.
pub fn pool_grad(x: &Array4<f64>, grad: &Array4<f64>, mode: Pooling) -> Array4<f64> {
    let mut out = Array4::zeros(x.dim());
    for ((n, row, column, c), g) in grad.indexed_iter() {
        let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, x)| (n, 2 * row + y, 2 * column + x, c));
        match mode {
            Pooling::Max => {
                let later = |a, b| if greater(x[b], x[a]) { b } else { a };
                out[window.into_iter().reduce(later).expect("four pixels")] += g;
            }
            Pooling::Average => window.into_iter().for_each(|at| out[at] += g / 4.0),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::trial::random;
    use crate::oracle::{differences::assert_gradient, pool};
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_pooling() {
        let mut rng = fastrand::Rng::with_seed(1);
        for mode in Pooling::ALL {
            let x = random(&mut rng, Shape::new(2, 5, 7, 3));
            let upstream = random(&mut rng, Shape::new(2, 2, 3, 3));
            assert_gradient(&x, &upstream, &pool_grad(&x, &upstream, mode), |x| pool(x, mode));
        }
    }

    #[test]
    fn of_equal_maxima_the_first_has_it() {
        let x = Array4::from_shape_vec((1, 2, 2, 1), vec![0.0, 1.0, 1.0, 1.0]).unwrap();
        let gradient = pool_grad(&x, &Array4::ones((1, 1, 1, 1)), Pooling::Max);
        assert_eq!(gradient.into_raw_vec_and_offset().0, [0.0, 1.0, 0.0, 0.0]);
    }
}
