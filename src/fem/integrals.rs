//! Integrals of products of shape functions over the triangles of a mesh.
//!
//! They are computed once for a mesh and its material. Every [`WeakForm`](super::form::WeakForm) is a sum of
//! them, and so is every harmonic along z. Lengths are in mm and moduli in kPa, so a density times a squared angular
//! frequency is in kPa/mm².

use super::form::{VALUE, X, Y};
use super::mesh::Mesh;
use super::mesh::element::{Rule, bubble, bubble_gradient, determinant, map, shape, shape_gradients};

/// The nodes of an element: six nodes of the mesh, and the bubble.
pub(super) const NODES: usize = 7;
/// One number for each pair of nodes.
pub(super) type Table = [[f64; NODES]; NODES];

/// The material of a body. Positions are in mm.
pub struct Material<'a> {
    /// The storage modulus μ in kPa, as a function of region and position.
    pub modulus: &'a (dyn Fn(u32, [f64; 2]) -> f64 + Sync),
    /// The loss factor η of μ* = μ(1 + iη), by region.
    pub damping: &'a [f64],
    /// Density in kg/m³.
    pub density: f64,
    /// Poisson's ratio, below one half.
    pub poisson: f64,
}

/// The pairs of derivatives whose integrals are stored. The other pairs are their transposes.
pub(super) const PAIRS: [[usize; 2]; 6] = [[VALUE, VALUE], [X, X], [Y, Y], [VALUE, X], [VALUE, Y], [X, Y]];

/// The integrals over one triangle. In an axisymmetric body the integrand is multiplied by the radius.
pub(super) struct Integrals {
    /// Integrals of μ times two derivatives, for each pair of [`PAIRS`].
    pub shear: [Table; 6],
    /// Integrals of λ times two derivatives, for each pair of [`PAIRS`]. Each derivative is projected to linear
    /// functions.
    pub pressure: [Table; 6],
    /// Integrals of the density in kg/m³ times two shape functions.
    pub mass: Table,
    /// The loss factor.
    pub damping: f64,
}

/// Computes the integrals for all triangles of `mesh`. `radial` is for a body of revolution, whose first coordinate
/// is the radius.
pub(super) fn integrals(mesh: &Mesh, material: &Material, radial: bool) -> Vec<Integrals> {
    let points: Vec<_> =
        Rule::Degree6.points().into_iter().map(|(at, w)| (at, w, Reference::at(at))).collect();
    let lambda = 2.0 * material.poisson / (1.0 - 2.0 * material.poisson);
    let of = |t: usize| one(mesh, t, material, radial, lambda, &points);
    (0..mesh.triangles.len()).map(of).collect()
}

/// Shape functions and their slopes at a point of the reference triangle.
struct Reference {
    values: [f64; NODES],
    slopes: [[f64; 2]; NODES],
}

impl Reference {
    fn at(at: [f64; 2]) -> Reference {
        let (six, slopes) = (shape(at), shape_gradients(at));
        Reference {
            values: std::array::from_fn(|i| if i < 6 { six[i] } else { bubble(at) }),
            slopes: std::array::from_fn(|i| if i < 6 { slopes[i] } else { bubble_gradient(at) }),
        }
    }
}

fn one(
    mesh: &Mesh,
    t: usize,
    material: &Material,
    radial: bool,
    lambda: f64,
    points: &[([f64; 2], f64, Reference)],
) -> Integrals {
    let region = mesh.regions[t];
    let places = mesh.places(t);
    let [a, b, c, ..] = places;
    let centre = [0, 1].map(|k| (a[k] + b[k] + c[k]) / 3.0);
    let size = (b[0] - a[0]).hypot(b[1] - a[1]);
    let mut shear = [[[0.0; NODES]; NODES]; 6];
    let mut mass = [[0.0; NODES]; NODES];
    // Integrals of a linear function times a derivative of a shape function, and of two linear functions over μ. They
    // use μ because λ is a multiple of μ that may be 0.
    let mut divergence = [[[0.0; NODES]; 3]; 3];
    let mut gram = [[0.0; 3]; 3];
    for (at, weight, reference) in points {
        let (place, jacobian) = map(&places, *at);
        let det = determinant(jacobian);
        let [[xx, xy], [yx, yy]] = jacobian;
        let weight = weight * det * if radial { place[0] } else { 1.0 };
        let over = if radial { 1.0 / place[0] } else { 1.0 };
        let modulus = (material.modulus)(region, place);
        let values = reference.values;
        let d: [[f64; NODES]; 3] = [
            values.map(|v| v * over),
            reference.slopes.map(|[r, s]| (yy * r - yx * s) / det),
            reference.slopes.map(|[r, s]| (xx * s - xy * r) / det),
        ];
        for (table, [p, q]) in shear.iter_mut().zip(PAIRS) {
            add(table, weight * modulus, &d[p], &d[q]);
        }
        add(&mut mass, weight * material.density, &values, &values);
        let linear = [1.0, (place[0] - centre[0]) / size, (place[1] - centre[1]) / size];
        for k in 0..3 {
            for l in 0..3 {
                gram[k][l] += weight / modulus * linear[k] * linear[l];
            }
            for p in 0..3 {
                for i in 0..NODES {
                    divergence[k][p][i] += weight * linear[k] * d[p][i];
                }
            }
        }
    }
    let inverse = inverse(gram);
    let pressure = PAIRS.map(|[p, q]| {
        let mut table = [[0.0; NODES]; NODES];
        for k in 0..3 {
            let mut right = [0.0; NODES];
            for l in 0..3 {
                for i in 0..NODES {
                    right[i] += inverse[k][l] * divergence[l][q][i];
                }
            }
            add(&mut table, lambda, &divergence[k][p], &right);
        }
        table
    });
    Integrals { shear, pressure, mass, damping: material.damping[region as usize] }
}

/// Adds `factor` times the outer product of `left` and `right`.
fn add(table: &mut Table, factor: f64, left: &[f64; NODES], right: &[f64; NODES]) {
    for (row, l) in table.iter_mut().zip(left) {
        for (value, r) in row.iter_mut().zip(right) {
            *value += factor * l * r;
        }
    }
}

/// The inverse of a symmetric 3 × 3 matrix.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |i: usize, j: usize| {
        let [a, b] = [(i + 1) % 3, (i + 2) % 3];
        let [c, d] = [(j + 1) % 3, (j + 2) % 3];
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let det: f64 = (0..3).map(|j| m[0][j] * minor(0, j)).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| minor(j, i) / det))
}
