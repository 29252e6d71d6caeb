use super::pad::mirror;
use ndarray::Array4;

/// The gradient of [`super::pad()`] with respect to its input of `h` × `w`. `grad` is the gradient with respect
/// to its result.
pub fn pad_grad(grad: &Array4<f64>, [h, w]: [usize; 2]) -> Array4<f64> {
    let (n, _, _, c) = grad.dim();
    let mut out = Array4::zeros((n, h, w, c));
    for ((n, row, column, c), g) in grad.indexed_iter() {
        out[(n, mirror(row, h), mirror(column, w), c)] += g;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::trial::random;
    use crate::oracle::{differences::assert_gradient, pad};
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_padding() {
        let mut rng = fastrand::Rng::with_seed(3);
        for to in [[4, 6], [4, 5], [3, 6], [3, 5]] {
            let x = random(&mut rng, Shape::new(2, 3, 5, 3));
            let upstream = random(&mut rng, Shape::new(2, to[0], to[1], 3));
            assert_gradient(&x, &upstream, &pad_grad(&upstream, [3, 5]), |x| pad(x, to));
        }
    }
}
