use super::Norm;
use ndarray::Array4;

/// The gradient with respect to x: γ / deviation (g′ − S₀/m − x̂ S₁/m), with m pixels per group.
pub fn norm_grad(of: &Norm, grad: &Array4<f64>, sums: &Array4<f64>) -> Array4<f64> {
    let (groups, xhat, scale, passed) = (sums.dim().0, of.normalised(), of.scale(), of.passed(grad));
    let (n, h, w, _) = of.x.dim();
    let m = (n * h * w / groups) as f64;
    Array4::from_shape_fn(of.x.dim(), |(n, y, x, c)| {
        let [s0, s1] = [0, 1].map(|i| sums[[n % groups, 0, i, c]]);
        let i = [n, y, x, c];
        scale[i] * of.statistics[[n % groups, 0, 1, c]] * (passed[i] - s0 / m - xhat[i] * s1 / m)
    })
}

#[cfg(test)]
mod tests {
    use super::super::differences::check;
    use super::super::{norm, norm_statistics, norm_sums, sum_groups};
    use super::*;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    fn of(x: &Array4<f64>, groups: usize, affine: Option<(Array4<f64>, Array4<f64>)>) -> Norm {
        Norm { x: x.clone(), statistics: norm_statistics(x, groups), affine, slope: 0.2 }
    }

    fn agree(groups: usize, with_affine: bool) {
        let mut rng = fastrand::Rng::with_seed(7);
        let (shape, row) = (Shape::new(3, 5, 7, 5), Shape::new(1, 1, 1, 5));
        let [x, up] = [(); 2].map(|()| random(&mut rng, shape));
        let [gamma, beta] = [(); 2].map(|()| random(&mut rng, row));
        let affine = || with_affine.then(|| (gamma.clone(), beta.clone()));
        let loss = |of: Norm| (norm(&of) * &up).sum();

        let here = of(&x, groups, affine());
        let sums = norm_sums(&here, &up);
        check(&norm_grad(&here, &up, &sums), &x, |x| loss(of(x, groups, affine())));
        if with_affine {
            check(&sum_groups(&sums, 1), &gamma, |g| loss(of(&x, groups, Some((g.clone(), beta.clone())))));
            check(&sum_groups(&sums, 0), &beta, |b| loss(of(&x, groups, Some((gamma.clone(), b.clone())))));
        }
    }

    #[test]
    fn batch_norm() {
        agree(1, false);
        agree(1, true);
    }

    #[test]
    fn instance_norm() {
        agree(3, false);
        agree(3, true);
    }

    #[test]
    fn at_the_kink_the_slope_counts() {
        let one = Array4::ones((1, 1, 1, 1));
        assert_eq!(of(&one, 1, None).passed(&one)[[0, 0, 0, 0]], 0.2);
    }
}
