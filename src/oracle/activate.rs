use ndarray::{Array4, Zip};

/// `x` above 0 and `slope` · x elsewhere, value by value; the sigmoid where there is no slope.
pub fn activate(x: &Array4<f64>, slope: Option<f64>) -> Array4<f64> {
    match slope {
        Some(slope) => x.mapv(|x| if x > 0.0 { x } else { slope * x }),
        None => x.mapv(|x| 1.0 / (1.0 + (-x).exp())),
    }
}

/// The gradient of [`activate`] in `x`, from the gradient `grad` in its result.
pub fn activate_grad(x: &Array4<f64>, grad: &Array4<f64>, slope: Option<f64>) -> Array4<f64> {
    Zip::from(x).and(grad).map_collect(|&x, &grad| match slope {
        Some(slope) => grad * if x > 0.0 { 1.0 } else { slope },
        None => {
            let s = 1.0 / (1.0 + (-x).exp());
            grad * s * (1.0 - s)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::differences::assert_gradient;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn the_gradient_is_the_derivative() {
        let mut rng = fastrand::Rng::with_seed(5);
        // Away from the kink at 0, on either side of which the differences would lie.
        let x = random(&mut rng, Shape::new(2, 3, 5, 3)).mapv(|v| v + 0.01 * v.signum());
        let upstream = random(&mut rng, Shape::new(2, 3, 5, 3));
        for slope in [Some(0.0), Some(0.2), None] {
            assert_gradient(&x, &upstream, &activate_grad(&x, &upstream, slope), |x| activate(x, slope));
        }
    }
}
