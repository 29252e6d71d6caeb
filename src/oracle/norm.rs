use ndarray::Array4;

/// A normalisation of `x`, followed by a Leaky ReLU. Statistics are `[groups][1][2][c]`, mean and reciprocal
/// deviation, with one group or one per image. γ and β are `[1][1][1][c]`.
#[derive(Clone)]
pub struct Norm {
    pub x: Array4<f64>,
    pub statistics: Array4<f64>,
    pub affine: Option<(Array4<f64>, Array4<f64>)>,
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
