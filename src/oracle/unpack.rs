use ndarray::Array4;

/// Converts `[n][h][w][c]` to `[n][c][h][w]`.
pub fn unpack(x: &Array4<f64>) -> Array4<f64> {
    x.view().permuted_axes([0, 3, 1, 2]).as_standard_layout().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::trial::random;
    use crate::oracle::pack;
    use crate::tensor::Shape;

    #[test]
    fn is_the_inverse_of_packing() {
        let x = random(&mut fastrand::Rng::with_seed(5), Shape::new(2, 3, 5, 7));
        assert_eq!(unpack(&x)[(1, 6, 2, 4)], x[(1, 2, 4, 6)]);
        assert_eq!(pack(&unpack(&x)), x);
    }
}
