//! Time-harmonic elasticity on the triangles of a plane mesh.
//!
//! A [`WeakForm`] lists the products of shape functions that make up the equations of one kind of body. The
//! displacement has a known profile along the third axis z.
//!
//! The displacement is a sum of components. Each component is an unknown function of the plane, times a direction,
//! times a profile along z. A profile is given by its values and slopes at a few samples of z. The strains follow
//! from the direction, and so does the work of one component's stresses on another component's strains. The equations
//! of plane strain, of a Fourier harmonic along z, of a plate resolved through its thickness and of an axisymmetric
//! body differ only in their components.
//!
//! The stress is σ = 2με + p. The pressure p = λ div u is projected to functions that are linear in the plane and
//! have given profiles along z. Without the projection, equal-order elements lock as Poisson's ratio approaches one
//! half.

/// The derivative of order zero: the shape function itself. In an axisymmetric body it is divided by the radius.
/// Strains are made of this and the two slopes below.
pub const VALUE: usize = 0;
/// The slope along the plane's first axis, x.
pub const X: usize = 1;
/// The slope along the plane's second axis, y.
pub const Y: usize = 2;

/// The direction of a component's displacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The plane's first axis; the radius of an axisymmetric body.
    X,
    /// The plane's second axis; the axis of an axisymmetric body.
    Y,
    /// The axis z, out of the plane.
    Z,
}

/// One component of the displacement.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Its direction.
    pub direction: Direction,
    /// The values of its profile at the samples of z.
    pub values: Vec<f64>,
    /// The slopes of its profile at the samples of z, per mm.
    pub slopes: Vec<f64>,
}

/// One integral of the equations, between row component `row` and column component `column`: `factor` times the
/// integral of derivative `left` of one shape function times derivative `right` of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    pub row: usize,
    pub column: usize,
    pub left: usize,
    pub right: usize,
    pub factor: f64,
}

/// The equations of one kind of body.
#[derive(Clone, Debug)]
pub struct WeakForm {
    pub(super) components: usize,
    pub(super) given: usize,
    /// The terms with μ, the terms with the projected λ, and the inertia terms. Columns from `components` on are
    /// given fields.
    pub(super) shear: Vec<Term>,
    pub(super) pressure: Vec<Term>,
    pub(super) mass: Vec<Term>,
}

impl WeakForm {
    /// Builds the equations. The first `unknown` components are solved for; the others are given fields.
    ///
    /// `weights` are the integration weights of the samples along z. `pressures` are the profiles of the pressure,
    /// and must be orthonormal: the weighted sum of the product of two profiles is 0 or 1. A `radial` body is
    /// axisymmetric: x is the radius, y the axis.
    fn new(
        components: &[Component],
        unknown: usize,
        weights: &[f64],
        pressures: &[Vec<f64>],
        radial: bool,
    ) -> WeakForm {
        let mut form = WeakForm {
            components: unknown,
            given: components.len() - unknown,
            shear: vec![],
            pressure: vec![],
            mass: vec![],
        };
        let strains: Vec<_> = components.iter().map(|c| strains(c, radial)).collect();
        let product =
            |a: &[f64], b: &[f64]| -> f64 { (0..weights.len()).map(|k| weights[k] * a[k] * b[k]).sum() };
        // For each pressure and component: the weight of each derivative in the divergence, projected to the
        // pressure's profile.
        let divergence: Vec<Vec<[f64; 3]>> = pressures
            .iter()
            .map(|pressure| {
                let of = |parts: &Vec<(usize, usize, Vec<f64>)>| {
                    let mut sums = [0.0; 3];
                    for (_, derivative, values) in parts.iter().filter(|part| part.0 < NORMAL) {
                        sums[*derivative] += product(pressure, values);
                    }
                    sums
                };
                strains.iter().map(of).collect()
            })
            .collect();
        for row in 0..unknown {
            for column in 0..components.len() {
                let term = |left, right, factor| Term { row, column, left, right, factor };
                let mut shear = [[0.0; 3]; 3];
                for (strain, left, a) in &strains[row] {
                    for (_, right, b) in strains[column].iter().filter(|part| part.0 == *strain) {
                        let twice = if *strain < NORMAL { 2.0 } else { 1.0 };
                        shear[*left][*right] += twice * product(a, b);
                    }
                }
                for left in 0..3 {
                    for right in 0..3 {
                        let pressure: f64 =
                            divergence.iter().map(|of| of[row][left] * of[column][right]).sum();
                        if shear[left][right] != 0.0 {
                            form.shear.push(term(left, right, shear[left][right]));
                        }
                        if pressure != 0.0 {
                            form.pressure.push(term(left, right, pressure));
                        }
                    }
                }
                let [a, b] = [row, column].map(|i| &components[i]);
                let mass = if a.direction == b.direction { product(&a.values, &b.values) } else { 0.0 };
                if mass != 0.0 {
                    form.mass.push(term(VALUE, VALUE, mass));
                }
            }
        }
        form
    }

    /// Antiplane shear: u_z alone, and nothing varies along z. Where μ is constant, u_z obeys the scalar Helmholtz
    /// equation.
    pub fn antiplane() -> WeakForm {
        WeakForm::new(&[flat(Direction::Z)], 1, &[1.0], &[], false)
    }

    /// Plane strain: u_x and u_y, and nothing varies along z.
    pub fn plane_strain() -> WeakForm {
        WeakForm::new(&[flat(Direction::X), flat(Direction::Y)], 2, &[1.0], &[vec![1.0]], false)
    }

    /// A body of revolution that moves along the radius x and the axis y.
    pub fn axisymmetric() -> WeakForm {
        WeakForm::new(&[flat(Direction::X), flat(Direction::Y)], 2, &[1.0], &[vec![1.0]], true)
    }

    /// Harmonic `n` of a body of height `height` mm whose material does not vary along z. Both ends have a prescribed
    /// u_z and no shear traction.
    ///
    /// u = (u_x cos qz, u_y cos qz, u_z sin qz) with q = nπ/h. The given field d enters as the lift
    /// d(x, y) (1 − z/h), which satisfies the displacements prescribed at the ends.
    pub fn harmonic(n: usize, height: f64) -> WeakForm {
        // The cosine and the sine are orthogonal, so one sample stands for each; their norms cancel. Harmonic 0 has
        // no sine: its u_z decouples and is 0.
        let (cosine, sine) = (vec![1.0, 0.0], vec![0.0, 1.0]);
        let q = n as f64 * std::f64::consts::PI / height;
        let across = |direction| Component { direction, values: cosine.clone(), slopes: vec![0.0, -q] };
        // The lift's sine series has the coefficients 2/(nπ). Its slope is constant and loads harmonic 0 alone.
        let lift = match n {
            0 => {
                Component { direction: Direction::Z, values: vec![0.0; 2], slopes: vec![-1.0 / height, 0.0] }
            }
            _ => {
                let share = 2.0 / (n as f64 * std::f64::consts::PI);
                Component { direction: Direction::Z, values: vec![0.0, share], slopes: vec![0.0; 2] }
            }
        };
        let along = Component { direction: Direction::Z, values: sine, slopes: vec![q, 0.0] };
        let components = [across(Direction::X), across(Direction::Y), along, lift];
        WeakForm::new(&components, 3, &[1.0; 2], std::slice::from_ref(&cosine), false)
    }

    /// Bending of a plate of `thickness` mm with free faces, resolved through the thickness.
    ///
    /// ζ runs from −1 to 1. u_z is a sum of the even Legendre polynomials of ζ up to degree 2 `order`; u_x and u_y
    /// are sums of the odd ones below that degree. The components are u_z of degree 0, then u_x, u_y and u_z of
    /// degrees 1, 1, 2, then 3, 3, 4, and so on.
    pub fn slab(thickness: f64, order: usize) -> WeakForm {
        let (points, weights) = gauss(2 * order + 2);
        let profile = |direction, degree: usize| Component {
            direction,
            values: points.iter().map(|z| legendre(degree, *z).0).collect(),
            slopes: points.iter().map(|z| legendre(degree, *z).1 * 2.0 / thickness).collect(),
        };
        let components: Vec<Component> =
            slab_profiles(order).into_iter().map(|(direction, degree)| profile(direction, degree)).collect();
        let weights: Vec<f64> = weights.iter().map(|w| w * thickness / 2.0).collect();
        let pressures: Vec<Vec<f64>> = (0..order)
            .map(|m| {
                let norm = ((4 * m + 3) as f64 / thickness).sqrt();
                points.iter().map(|z| norm * legendre(2 * m + 1, *z).0).collect()
            })
            .collect();
        WeakForm::new(&components, components.len(), &weights, &pressures, false)
    }

    /// The number of unknown components at each node.
    pub fn components(&self) -> usize {
        self.components
    }
}

/// The components of [`WeakForm::slab`]: the direction and the degree of the Legendre polynomial.
pub fn slab_profiles(order: usize) -> Vec<(Direction, usize)> {
    let mut profiles = vec![(Direction::Z, 0)];
    for m in 0..order {
        profiles.extend([(Direction::X, 2 * m + 1), (Direction::Y, 2 * m + 1), (Direction::Z, 2 * m + 2)]);
    }
    profiles
}

/// The Legendre polynomial of `degree` at `x`, and its slope.
pub fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut now) = ((0.0, 0.0), (1.0, 0.0));
    for n in 0..degree {
        let n = n as f64;
        let value = ((2.0 * n + 1.0) * x * now.0 - n * before.0) / (n + 1.0);
        let slope = before.1 + (2.0 * n + 1.0) * now.0;
        (before, now) = (now, (value, slope));
    }
    now
}

/// The points and weights of the Gauss-Legendre rule on −1 to 1.
pub(super) fn gauss(count: usize) -> (Vec<f64>, Vec<f64>) {
    (0..count)
        .map(|i| {
            let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (count as f64 + 0.5)).cos();
            for _ in 0..50 {
                let (value, slope) = legendre(count, x);
                x -= value / slope;
            }
            let slope = legendre(count, x).1;
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .unzip()
}

/// The number of normal strains. They come first: xx, yy, zz and the hoop strain; then xy, xz, yz.
const NORMAL: usize = 4;

/// The strains of a component. Each entry has the index of the strain, the derivative of the shape function, and the
/// factor at each sample of z.
fn strains(component: &Component, radial: bool) -> Vec<(usize, usize, Vec<f64>)> {
    let [values, slopes] = [&component.values, &component.slopes].map(Vec::clone);
    let parts = match component.direction {
        Direction::X if radial => {
            vec![(0, X, values.clone()), (3, VALUE, values.clone()), (4, Y, values), (5, VALUE, slopes)]
        }
        Direction::X => vec![(0, X, values.clone()), (4, Y, values), (5, VALUE, slopes)],
        Direction::Y => vec![(1, Y, values.clone()), (4, X, values), (6, VALUE, slopes)],
        Direction::Z => vec![(2, VALUE, slopes), (5, X, values.clone()), (6, Y, values)],
    };
    parts.into_iter().filter(|(.., values)| values.iter().any(|v| *v != 0.0)).collect()
}

/// A component that does not vary along z.
fn flat(direction: Direction) -> Component {
    Component { direction, values: vec![1.0], slopes: vec![0.0] }
}
