//! Oracles and trials of `norm`, `norm_sums`, `norm_grad`.

use ndarray::Array4;

/// A norm of `x`, followed by Leaky ReLU.
#[derive(Clone)]
pub struct Norm {
    /// The input, `[n][h][w][c]`.
    pub x: Array4<f64>,
    /// Mean and reciprocal deviation, `[groups][1][2][c]`, with one group or one per image.
    pub statistics: Array4<f64>,
    /// γ and β, `[1][1][1][c]` each, if any.
    pub affine: Option<(Array4<f64>, Array4<f64>)>,
    /// The slope of the Leaky ReLU below 0.
    pub slope: f64,
}

impl Norm {
    /// Returns x̂ = (x − mean) / deviation.
    pub fn normalised(&self) -> Array4<f64> {
        let groups = self.statistics.dim().0;
        Array4::from_shape_fn(self.x.dim(), |(n, y, x, c)| {
            let of = |i| self.statistics[[n % groups, 0, i, c]];
            (self.x[[n, y, x, c]] - of(0)) * of(1)
        })
    }

    /// Returns γ in the shape of `x`.
    pub fn scale(&self) -> Array4<f64> {
        let ones = Array4::ones(self.x.dim());
        self.affine.as_ref().map_or(ones.clone(), |(gamma, _)| ones * gamma)
    }

    /// Returns γ x̂ + β, the input of the Leaky ReLU.
    pub fn scaled(&self) -> Array4<f64> {
        let z = self.normalised() * self.scale();
        match &self.affine {
            Some((_, beta)) => z + beta,
            None => z,
        }
    }

    /// Returns g′ = grad · leaky′(γ x̂ + β); leaky′(0) is the slope.
    pub fn passed(&self, grad: &Array4<f64>) -> Array4<f64> {
        grad * self.scaled().mapv(|z| if z > 0.0 { 1.0 } else { self.slope })
    }
}

/// Returns leaky(γ x̂ + β).
pub fn norm(of: &Norm) -> Array4<f64> {
    of.scaled().mapv(|z| if z > 0.0 { z } else { of.slope * z })
}

/// Returns S₀ = Σ g′ and S₁ = Σ g′ x̂ of each group: `[groups][1][2][c]`.
pub fn norm_sums(of: &Norm, grad: &Array4<f64>) -> Array4<f64> {
    let mut sums = Array4::zeros(of.statistics.dim());
    let (groups, xhat) = (sums.dim().0, of.normalised());
    for ((n, y, x, c), passed) in of.passed(grad).indexed_iter() {
        sums[[n % groups, 0, 0, c]] += passed;
        sums[[n % groups, 0, 1, c]] += passed * xhat[[n, y, x, c]];
    }
    sums
}

/// The gradient in x: γ / deviation (g′ − S₀/m − x̂ S₁/m), with m pixels per group.
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

pub(in crate::proof) mod trial {
    use crate::kernel::nn::norm::{self, *};
    use crate::proof::trial::*;

    /// The sizes of the trials of a norm.
    pub(crate) const SIZES: [TrialSize; 6] = [
        TrialSize::batch(1, Size::square(1), 1, 1),
        TrialSize::batch(5, Size::new(7, 1), 2, 2),
        TrialSize::batch(1, Size::new(47, 41), 3, 3),
        TrialSize::batch(2, Size::new(13, 55), 5, 5),
        TrialSize::batch(128, Size::square(3), 4, 4),
        TrialSize::batch(8, Size::square(30), 32, 32),
    ];

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &norm::NORM, sizes: &SIZES, record: norm },
        Trial { kernel: &norm::NORM_SUMS, sizes: &SIZES, record: norm_sums },
        Trial { kernel: &norm::NORM_GRAD, sizes: &SIZES, record: norm_grad },
    ];

    fn norm(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let mut results = Vec::new();
        for per in Per::ALL {
            let (norm, values) = norm_input(rec, spec, size, per, rng);
            let dst = made_up::room(rec, "y", norm.x.shape);
            norm::record(rec, norm, dst);
            results.push(made_up::expect(dst, &oracle::norm(&values), 1e-6));
        }
        results
    }

    /// A norm for a trial, on the device and for its oracle. Statistics, γ and β are random too.
    pub(crate) fn norm_input(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        per: Per,
        rng: &mut fastrand::Rng,
    ) -> (Norm, oracle::Norm) {
        let shape = size.shape(size.channels[0]);
        let slope = 0.2f32;
        let mut statistics = made_up::random(rng, per.statistics(shape));
        // A deviation is positive. The trial of norm_moments has means far from 0.
        statistics.slice_mut(s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 0.5);
        let affine = (constant(spec, "AFFINE") == 1).then(|| {
            let row = Shape::new(1, 1, 1, shape.c);
            let gamma = made_up::random(rng, row).mapv(|v| v + v.signum() * 0.5);
            (narrow(gamma), made_up::random(rng, row))
        });
        let x = made_up::random(rng, shape);
        let mut values = oracle::Norm { x, statistics: narrow(statistics), affine, slope: f64::from(slope) };
        // The values stay away from the kink at 0, where f32 and f64 may be on different sides.
        let z = oracle::norm(&oracle::Norm { slope: 1.0, ..values.clone() });
        values.x.zip_mut_with(&z, |x, z| *x += if z.abs() < 1e-4 { 0.125 } else { 0.0 });
        values.x = narrow(values.x);

        let norm = Norm {
            x: made_up::upload(rec, "x", &values.x),
            statistics: made_up::upload(rec, "statistics", &values.statistics),
            affine: values.affine.as_ref().map(|(gamma, beta)| {
                (made_up::upload(rec, "gamma", gamma), made_up::upload(rec, "beta", beta))
            }),
            slope,
        };
        (norm, values)
    }

    /// Rounds the values to f32.
    pub(crate) fn narrow(values: Array4<f64>) -> Array4<f64> {
        values.mapv(|v| f64::from(v as f32))
    }

    fn norm_sums(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let mut results = Vec::new();
        for per in Per::ALL {
            let (norm, values) = norm_input(rec, spec, size, per, rng);
            let grad = made_up::random(rng, norm.x.shape);
            let up = made_up::upload(rec, "gradient", &grad);
            let dst = made_up::room(rec, "sums", norm.statistics.shape);
            norm::record_sums(rec, norm, up, dst);
            results.push(made_up::expect(dst, &oracle::norm_sums(&values, &grad), 2e-6));
        }
        results
    }

    fn norm_grad(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let mut results = Vec::new();
        for per in Per::ALL {
            let (norm, values) = norm_input(rec, spec, size, per, rng);
            let grad = made_up::random(rng, norm.x.shape);
            // The sums are as large as sums over a group can be, so that both terms matter.
            let sums = narrow(made_up::random(rng, norm.statistics.shape) * norm.run() as f64);
            let (up, device_sums) =
                (made_up::upload(rec, "gradient", &grad), made_up::upload(rec, "sums", &sums));
            let dst = made_up::room(rec, "gradient of x", norm.x.shape);
            norm::record_grad(rec, norm, up, device_sums, dst);
            results.push(made_up::expect(dst, &oracle::norm_grad(&values, &grad, &sums), 1e-6));
        }
        results
    }
}

#[cfg(test)]
mod tests {
    use super::super::{norm, norm_statistics, norm_sums, sum_groups};
    use super::*;
    use crate::proof::differences::check;
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
