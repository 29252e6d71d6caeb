use ndarray::{Array4, s};

/// Returns the channels `from` to `from + c - 1` of `x` `[n][h][w][c]`.
pub fn extract(x: &Array4<f64>, from: usize, c: usize) -> Array4<f64> {
    x.slice(s![.., .., .., from..from + c]).as_standard_layout().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::trial::random;
    use crate::oracle::{concatenate, differences::assert_gradient};
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_concatenation() {
        let mut rng = fastrand::Rng::with_seed(4);
        let [a, b, upstream] = [3, 2, 5].map(|c| random(&mut rng, Shape::new(2, 3, 5, c)));
        assert_gradient(&a, &upstream, &extract(&upstream, 0, 3), |a| concatenate(a, &b));
        assert_gradient(&b, &upstream, &extract(&upstream, 3, 2), |b| concatenate(&a, b));
    }
}
