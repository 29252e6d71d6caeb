//! The quadratic triangle: shape functions, the map from the reference triangle, quadrature.
//!
//! The reference triangle has its corners at (0, 0), (1, 0), (0, 1). Its nodes are the corners 0, 1, 2 and the
//! midside nodes 3 (between 0 and 1), 4 (between 1 and 2), 5 (between 2 and 0).

use super::plane::Point;

/// The six shape functions at `[x, y]` of the reference triangle. Each is one at its node and zero at the others.
pub fn shape([x, y]: [f64; 2]) -> [f64; 6] {
    let z = 1.0 - x - y;
    [z * (2.0 * z - 1.0), x * (2.0 * x - 1.0), y * (2.0 * y - 1.0), 4.0 * z * x, 4.0 * x * y, 4.0 * y * z]
}

/// The derivatives of the shape functions with respect to x and y of the reference triangle, `[node][x, y]`.
pub fn shape_gradients([x, y]: [f64; 2]) -> [[f64; 2]; 6] {
    let z = 1.0 - x - y;
    [
        [1.0 - 4.0 * z, 1.0 - 4.0 * z],
        [4.0 * x - 1.0, 0.0],
        [0.0, 4.0 * y - 1.0],
        [4.0 * (z - x), -4.0 * x],
        [4.0 * y, 4.0 * x],
        [-4.0 * y, 4.0 * (z - y)],
    ]
}

/// The bubble function: one at the centroid, zero on the sides. It is added to the six shape functions, which stay as
/// they are. The seventh unknown is therefore the field at the centroid minus the quadratic field there.
pub fn bubble([x, y]: [f64; 2]) -> f64 {
    27.0 * x * y * (1.0 - x - y)
}

/// The derivatives of the bubble function.
pub fn bubble_gradient([x, y]: [f64; 2]) -> [f64; 2] {
    [27.0 * y * (1.0 - 2.0 * x - y), 27.0 * x * (1.0 - x - 2.0 * y)]
}

/// Maps `at` from the reference triangle to the triangle with these six nodes. Returns the point and the Jacobian
/// `[i][j]`: the derivative of coordinate i with respect to reference coordinate j.
pub fn map(nodes: &[[f64; 2]; 6], at: [f64; 2]) -> ([f64; 2], [[f64; 2]; 2]) {
    let (values, gradients) = (shape(at), shape_gradients(at));
    let mut place = [0.0; 2];
    let mut jacobian = [[0.0; 2]; 2];
    for n in 0..6 {
        for i in 0..2 {
            place[i] += values[n] * nodes[n][i];
            jacobian[i][0] += gradients[n][0] * nodes[n][i];
            jacobian[i][1] += gradients[n][1] * nodes[n][i];
        }
    }
    (place, jacobian)
}

/// The determinant of a Jacobian.
pub fn determinant([[a, b], [c, d]]: [[f64; 2]; 2]) -> f64 {
    a * d - b * c
}

/// A lower bound of the map's determinant over the whole triangle: the smallest of its coefficients as a quadratic
/// Bernstein polynomial.
pub(super) fn least_determinant(nodes: &[Point; 6]) -> f64 {
    let at = |x, y| determinant(map(nodes, [x, y]).1);
    let corners = [at(0.0, 0.0), at(1.0, 0.0), at(0.0, 1.0)];
    let middles = [at(0.5, 0.0), at(0.5, 0.5), at(0.0, 0.5)];
    (0..3)
        .map(|i| corners[i].min(2.0 * middles[i] - (corners[i] + corners[(i + 1) % 3]) / 2.0))
        .fold(f64::INFINITY, f64::min)
}

/// Quadrature rules on the reference triangle, whose area is one half.
///
/// The rules are symmetric, with positive weights and all points inside (D. A. Dunavant, High degree efficient
/// symmetrical Gaussian quadrature rules for the triangle, Int. J. Numer. Meth. Engng 21, 1985).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Three points, exact for polynomials of degree 2.
    Degree2,
    /// Six points, degree 4.
    Degree4,
    /// Seven points, degree 5.
    Degree5,
    /// Twelve points, degree 6.
    Degree6,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 4] = [Rule::Degree2, Rule::Degree4, Rule::Degree5, Rule::Degree6];

    /// The polynomial degree up to which the rule is exact.
    pub fn degree(self) -> usize {
        match self {
            Rule::Degree2 => 2,
            Rule::Degree4 => 4,
            Rule::Degree5 => 5,
            Rule::Degree6 => 6,
        }
    }

    /// The points and weights. The weights sum to one half.
    pub fn points(self) -> Vec<([f64; 2], f64)> {
        let mut points = vec![];
        // The three points with two equal barycentric coordinates.
        let mut alike = |a: f64, weight: f64| {
            let b = 1.0 - 2.0 * a;
            points.extend([[a, a], [b, a], [a, b]].map(|p| (p, weight / 2.0)));
        };
        match self {
            Rule::Degree2 => alike(1.0 / 6.0, 1.0 / 3.0),
            Rule::Degree4 => {
                alike(0.445_948_490_915_964_9, 0.223_381_589_678_011_46);
                alike(0.091_576_213_509_770_74, 0.109_951_743_655_321_87);
            }
            Rule::Degree5 => {
                let root = 15f64.sqrt();
                alike((6.0 + root) / 21.0, (155.0 + root) / 1200.0);
                alike((6.0 - root) / 21.0, (155.0 - root) / 1200.0);
                points.push(([1.0 / 3.0; 2], 9.0 / 80.0));
            }
            Rule::Degree6 => {
                alike(0.249_286_745_170_910_42, 0.116_786_275_726_379_37);
                alike(0.063_089_014_491_502_23, 0.050_844_906_370_206_82);
                let (a, b) = (0.310_352_451_033_784_4, 0.053_145_049_844_816_95);
                let c = 1.0 - a - b;
                let all = [[a, b], [b, a], [a, c], [c, a], [b, c], [c, b]];
                points.extend(all.map(|p| (p, 0.082_851_075_618_373_57 / 2.0)));
            }
        }
        points
    }
}
