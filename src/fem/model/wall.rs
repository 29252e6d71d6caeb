//! Tractions on the side of a body that does not vary along z.

use crate::fem::form::gauss;
use crate::fem::mesh::Mesh;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The number of Gauss points on an edge. With a bump around the side, the integrand is of degree 6 on a straight
/// edge, and five points are exact to degree 9.
const POINTS: usize = 5;

/// The direction of a traction on the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WallDirection {
    /// Along z.
    Along,
    /// Along the outward normal.
    Normal,
}

/// A traction on the side of a body: a function around the outline, times a [`bump`] along z.
pub struct WallLoad<'a> {
    /// The traction in kPa at an arc position of the outline.
    pub traction: Box<dyn Fn(f64) -> Complex64 + 'a>,
    /// Its direction.
    pub direction: WallDirection,
    /// The start and the end of the bump along z, mm.
    pub span: [f64; 2],
}

/// A smooth bump: (1 − ξ²)² for |ξ| below 1, and 0 elsewhere.
pub fn bump(xi: f64) -> f64 {
    if xi.abs() < 1.0 { (1.0 - xi * xi).powi(2) } else { 0.0 }
}

/// The integral of [`bump`] times cos κξ: 16 j₂(κ)/κ², with the spherical Bessel function j₂.
fn bump_transform(kappa: f64) -> f64 {
    if kappa < 1.0 {
        // The closed form loses its digits near 0. The series of the cosine converges fast.
        let (mut sum, mut power) = (0.0, 1.0);
        for k in 0..8 {
            let n = 2.0 * f64::from(k);
            sum += power * 2.0 * (1.0 / (n + 1.0) - 2.0 / (n + 3.0) + 1.0 / (n + 5.0));
            power *= -kappa * kappa / ((n + 1.0) * (n + 2.0));
        }
        return sum;
    }
    let (sin, cos) = kappa.sin_cos();
    16.0 * ((3.0 - kappa * kappa) * sin - 3.0 * kappa * cos) / kappa.powi(5)
}

impl WallLoad<'_> {
    /// The traction's integrals with the shape functions around the outline, as pairs of an entry and its load.
    /// Entries count three components at each node. All harmonics share them.
    pub(super) fn around(&self, mesh: &Mesh) -> Vec<(usize, Complex64)> {
        let (points, weights) = gauss(POINTS);
        let mut loads = vec![];
        for edge in &mesh.boundary {
            for (point, weight) in points.iter().zip(&weights) {
                let t = (1.0 + point) / 2.0;
                let traction = (self.traction)(edge.arc[0] + t * (edge.arc[1] - edge.arc[0]));
                if traction == Complex64::default() {
                    continue;
                }
                let (_, normal) = edge.at(&mesh.nodes, t);
                let force = match self.direction {
                    WallDirection::Along => [0.0, 0.0, normal[0].hypot(normal[1])],
                    WallDirection::Normal => [normal[0], normal[1], 0.0],
                };
                for (node, share) in edge.nodes.iter().zip(crate::fem::mesh::Edge::shape(t)) {
                    for (c, force) in force.iter().enumerate().filter(|(_, force)| **force != 0.0) {
                        loads.push((3 * *node as usize + c, traction * (weight / 2.0 * share * force)));
                    }
                }
            }
        }
        loads
    }

    /// The bump's coefficient in harmonic `n` along z: of the sine for a traction along z, of the cosine otherwise.
    pub(super) fn coefficient(&self, n: usize, height: f64) -> f64 {
        let q = n as f64 * PI / height;
        let [half, middle] = [(self.span[1] - self.span[0]) / 2.0, (self.span[0] + self.span[1]) / 2.0];
        let (sin, cos) = (q * middle).sin_cos();
        let norm = if n == 0 { height } else { height / 2.0 };
        let phase = match self.direction {
            WallDirection::Along => sin,
            WallDirection::Normal => cos,
        };
        half * bump_transform(q * half) * phase / norm
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fem::mesh::Outline;

    #[test]
    fn a_bump_s_harmonics_sum_to_the_bump() {
        let height = 80.0;
        for (direction, span) in [(WallDirection::Along, [30.0, 62.0]), (WallDirection::Normal, [0.0, 50.0])]
        {
            let load = WallLoad { traction: Box::new(|_| Complex64::ONE), direction, span };
            for z in [4.0, 27.0, 41.0, 46.0, 70.0] {
                let term = |n: usize| {
                    let (sin, cos) = (n as f64 * PI * z / height).sin_cos();
                    load.coefficient(n, height) * if direction == WallDirection::Along { sin } else { cos }
                };
                let sum: f64 = (0..400).map(term).sum();
                let exact = bump((2.0 * z - span[0] - span[1]) / (span[1] - span[0]));
                assert!((sum - exact).abs() < 1e-5, "{direction:?}, {z} mm: {sum}, {exact}");
            }
        }
        let [below, above] = [1.0 - 1e-9, 1.0 + 1e-9].map(bump_transform);
        assert!((below - above).abs() < 1e-9 && (bump_transform(0.0) - 16.0 / 15.0).abs() < 1e-15);
    }

    /// A constant traction pulls with its length along z. Along the normal it has no resultant, and its virial is twice
    /// the area.
    #[test]
    fn loads_sum_to_their_resultants() {
        let body = crate::fem::mesh::liver(3, 180.0).unwrap();
        for outline in [body, Outline::circle([7.0, -4.0], 50.0).unwrap()] {
            let mesh = Mesh::new(&outline, &[], &|_| 6.0).unwrap();
            let of = |direction| {
                let load = WallLoad {
                    traction: Box::new(|_| Complex64::new(2.0, 1.0)),
                    direction,
                    span: [1.0, 9.0],
                };
                let mut sums = [Complex64::default(); 3];
                let mut virial = Complex64::default();
                for (entry, load) in load.around(&mesh) {
                    sums[entry % 3] += load;
                    if entry % 3 < 2 {
                        virial += load * mesh.nodes[entry / 3][entry % 3];
                    }
                }
                (sums, virial)
            };
            let scale = outline.length();
            let (sums, _) = of(WallDirection::Along);
            assert!((sums[2] / scale - Complex64::new(2.0, 1.0)).norm() < 1e-4, "{sums:?}");
            assert!(sums[0].norm() + sums[1].norm() == 0.0);
            let (sums, virial) = of(WallDirection::Normal);
            assert!(sums.iter().all(|s| s.norm() < 1e-10 * scale), "{sums:?}");
            assert!((virial / (2.0 * outline.area()) - Complex64::new(2.0, 1.0)).norm() < 1e-4, "{virial}");
        }
    }
}
