//! The finite elements against solutions known exactly, and against each other: the ladder of docs/phantoms.md.
//!
//! `cargo test --test waves -- --nocapture` prints the figures.

use crate::common::compare::largest;
use complex_bessel::{besselj, bessely};
use num_complex::Complex64;
use palpate::lowlevel::fem::form::{WeakForm, slab_profiles};
use palpate::lowlevel::fem::integrals::Material;
use palpate::lowlevel::fem::mesh::{Locator, Mesh, MeshPlace, Outline, liver};
use palpate::lowlevel::fem::model::{
    DrivenPart, Extruded, FarFace, Revolved, Setting, Slab, WallDirection, WallLoad, Waves,
    bending_wavenumber, bump, wavelength,
};
use palpate::lowlevel::fem::system::{System, pattern};
use std::f64::consts::{PI, TAU};

tests![
    uniform_strains_are_exact,
    plane_shear_waves_converge,
    plane_pressure_waves_converge,
    extruded_and_revolved_cylinders_agree,
    discs_and_concentric_layers_converge,
    forces_and_displacements_are_reciprocal,
    slabs_agree_with_three_dimensions,
    tractions_around_a_cylinder_are_exact,
    patches_of_a_wall_are_reciprocal,
];

const FREQUENCY: f64 = 60.0;
const DENSITY: f64 = 1000.0;
const POISSON: f64 = 0.499;

fn material<'a>(modulus: &'a (dyn Fn(u32, [f64; 2]) -> f64 + Sync), damping: &'a [f64]) -> Material<'a> {
    Material { modulus, damping, density: DENSITY, poisson: POISSON }
}

/// Shear wavenumber in 1/mm of μ(1 + iη), Im < 0.
fn wavenumber(modulus: f64, damping: f64) -> Complex64 {
    let modulus = modulus * Complex64::new(1.0, damping);
    TAU * FREQUENCY / 1000.0 * (DENSITY / 1000.0 / modulus).sqrt()
}

/// Solves `form` on `mesh` with the whole boundary held at `exact`, and returns the relative error at the nodes, in the
/// root mean square, and the number of unknowns.
fn held_all_around(
    mesh: &Mesh,
    form: &WeakForm,
    material: &Material,
    frequency: f64,
    radial: bool,
    exact: &dyn Fn([f64; 2]) -> Vec<Complex64>,
) -> (f64, usize) {
    let n = form.components();
    let mut free = vec![true; n * mesh.nodes.len()];
    let mut held = vec![Complex64::default(); free.len()];
    for node in mesh.boundary.iter().flat_map(|e| e.nodes).map(|i| i as usize) {
        for (c, value) in exact(mesh.nodes[node]).into_iter().enumerate() {
            free[n * node + c] = false;
            held[n * node + c] = value;
        }
    }
    let symbolic = pattern(mesh, n, &free).unwrap();
    let mut system = System::new(mesh, &symbolic, material, frequency, radial);
    let solution = system.solve(form, &held, &[], &[]).unwrap();
    let (mut miss, mut size) = (0.0, 0.0);
    for (i, p) in mesh.nodes.iter().enumerate() {
        for (c, value) in exact(*p).into_iter().enumerate() {
            miss += (solution.nodes[n * i + c] - value).norm_sqr();
            size += value.norm_sqr();
        }
    }
    ((miss / size).sqrt(), system.unknowns())
}

/// A polygon with a triangle in it, all askew.
fn askew(size: f64) -> Mesh {
    let body = Outline::polygon(&[
        [-40.0, -38.0],
        [3.0, -42.0],
        [41.0, -35.0],
        [38.0, 4.0],
        [44.0, 40.0],
        [-5.0, 37.0],
        [-39.0, 42.0],
        [-36.0, 2.0],
    ]);
    let hole = Outline::triangle([4.0, -6.0], 31.0).unwrap();
    Mesh::new(&body.unwrap(), &[hole], &|_| size).unwrap()
}

/// The orders of convergence from mesh to mesh: unknowns go with the square of one over the edge length.
fn orders(errors: &[(f64, usize)]) -> Vec<f64> {
    errors.windows(2).map(|e| 2.0 * (e[0].0 / e[1].0).ln() / (e[1].1 as f64 / e[0].1 as f64).ln()).collect()
}

fn told(errors: &[(f64, usize)]) -> String {
    let each: Vec<String> =
        errors.iter().map(|(error, unknowns)| format!("{error:.1e} ({unknowns})")).collect();
    let orders: Vec<String> = orders(errors).iter().map(|o| format!("{o:.2}")).collect();
    format!("error (unknowns) {}; orders {}", each.join(", "), orders.join(", "))
}

/// The relative difference of two sets of planes over pixels inside both, root mean square of all components.
fn difference(a: &Waves, b: &Waves) -> f64 {
    let (mut miss, mut size) = (0.0, 0.0);
    for (a, b) in a.planes.iter().flatten().zip(b.planes.iter().flatten()) {
        for c in 0..3 {
            miss += (a[c] - b[c]).norm_sqr();
            size += b[c].norm_sqr();
        }
    }
    (miss / size).sqrt()
}

fn uniform_strains_are_exact() {
    let mesh = askew(13.0);
    let one = |_: u32, _: [f64; 2]| 3.0;
    let material = material(&one, &[0.1, 0.1]);
    let plane = |[x, y]: [f64; 2]| vec![(0.3 * x - 0.2 * y + 1.0).into(), (0.5 * x + 0.7 * y - 2.0).into()];
    let (plane_error, _) = held_all_around(&mesh, &WeakForm::plane_strain(), &material, 0.0, false, &plane);
    let shifted = {
        let body = Outline::rectangle([30.0, 25.0], [60.0, 50.0]).unwrap();
        Mesh::new(&body, &[Outline::circle([20.0, 20.0], 9.0).unwrap()], &|_| 13.0).unwrap()
    };
    let around = |[r, z]: [f64; 2]| vec![(0.3 * r).into(), (0.7 * z - 2.0).into()];
    let (radial_error, _) =
        held_all_around(&shifted, &WeakForm::axisymmetric(), &material, 0.0, true, &around);
    // A plate bent alike in all directions, exact in three dimensions, its faces free.
    let thickness = 12.0;
    let mut slab_error: f64 = 0.0;
    for order in 1..4 {
        // ζ = 2z/t; z² = t²/4 (2 P2 + 1)/3.
        let (half, quarter) = (thickness / 2.0, thickness * thickness / 4.0);
        let swell = -POISSON / (1.0 - POISSON) * quarter;
        let exact = |[x, y]: [f64; 2]| {
            let mut values = vec![Complex64::default(); slab_profiles(order).len()];
            values[0] = (-0.5 * (x * x + y * y) + swell / 3.0).into();
            (values[1], values[2]) = ((half * x).into(), (half * y).into());
            values[3] = (swell * 2.0 / 3.0).into();
            values
        };
        let (error, _) =
            held_all_around(&mesh, &WeakForm::slab(thickness, order), &material, 0.0, false, &exact);
        slab_error = largest([slab_error, error]);
    }
    note!(
        "patch test: plane strain {plane_error:.1e}, axisymmetric {radial_error:.1e}, bending {slab_error:.1e}"
    );
    assert!(plane_error < 1e-11 && radial_error < 1e-11 && slab_error < 1e-10);
}

fn plane_shear_waves_converge() {
    let k = wavenumber(3.0, 0.1);
    let [cos, sin] = [0.4f64.cos(), 0.4f64.sin()];
    let wave = |[x, y]: [f64; 2]| (-Complex64::I * k * (cos * x + sin * y)).exp();
    let exact = |p: [f64; 2]| vec![-sin * wave(p), cos * wave(p)];
    let one = |_: u32, _: [f64; 2]| 3.0;
    let material = material(&one, &[0.1, 0.1]);
    let errors = [7.0, 3.5, 1.75].map(|size| {
        held_all_around(&askew(size), &WeakForm::plane_strain(), &material, FREQUENCY, false, &exact)
    });
    let orders = orders(&errors);
    note!("plane shear wave, Poisson's ratio {POISSON}: {}", told(&errors));
    assert!(orders[0] > 3.0 && orders[1] > 3.5 && errors[2].0 < 5e-4);
}

fn plane_pressure_waves_converge() {
    let [cos, sin] = [0.4f64.cos(), 0.4f64.sin()];
    for (poisson, frequency) in [(0.0, 90.0), (0.3, 120.0), (0.45, 200.0)] {
        // λ + 2μ in place of μ.
        let over = 2.0 * (1.0 - poisson) / (1.0 - 2.0 * poisson);
        let k = wavenumber(3.0 * over, 0.1) * frequency / FREQUENCY;
        let wave = |[x, y]: [f64; 2]| (-Complex64::I * k * (cos * x + sin * y)).exp();
        let exact = |p: [f64; 2]| vec![cos * wave(p), sin * wave(p)];
        let one = |_: u32, _: [f64; 2]| 3.0;
        let material = Material { poisson, ..material(&one, &[0.1, 0.1]) };
        let errors = [7.0, 3.5].map(|size| {
            held_all_around(&askew(size), &WeakForm::plane_strain(), &material, frequency, false, &exact)
        });
        note!("plane pressure wave, Poisson's ratio {poisson}: {}", told(&errors));
        assert!(orders(&errors)[0] > 3.0 && errors[1].0 < 1e-2);
    }
}

/// Pixels of 1 mm over a square of `side` mm.
fn pixels(side: usize) -> Vec<[f64; 2]> {
    let at = |i: usize| i as f64 - (side as f64 - 1.0) / 2.0;
    (0..side * side).map(|i| [at(i % side), at(i / side)]).collect()
}

/// The places of pixels, and the pixels that have one.
fn inside(mesh: &Mesh, pixels: &[[f64; 2]]) -> (Vec<Option<MeshPlace>>, Vec<Option<[f64; 2]>>) {
    let locator = Locator::new(mesh);
    pixels.iter().map(|p| (locator.find(*p), locator.find(*p).map(|_| *p))).unzip()
}

fn extruded_and_revolved_cylinders_agree() {
    let height = 100.0;
    // A whole end that moves alike, and a soft pad in its middle.
    let pad = |r: f64| if r < 35.0 { (1.0 - (r / 35.0).powi(2)).powi(2) } else { 0.0 };
    for (name, modulus, damping, radius, driven) in [
        ("3 kPa, whole end", 3.0, 0.1, 80.0, &(|_| 0.5) as &dyn Fn(f64) -> f64),
        ("1 kPa, whole end", 1.0, 0.05, 45.0, &|_| 0.5),
        ("3 kPa, pad", 3.0, 0.1, 60.0, &pad),
    ] {
        let one = |_: u32, _: [f64; 2]| modulus;
        let dampings = [damping];
        let setting = || Setting { material: material(&one, &dampings), frequency_hz: FREQUENCY };
        let size = |nodes: f64| 2.0 * wavelength(modulus, DENSITY, FREQUENCY) / nodes;
        let slices = [5.0, 24.0, 50.0, 80.0];

        let disc = Outline::circle([0.0; 2], radius).unwrap();
        let mesh = Mesh::new(&disc, &[], &|_| size(18.0)).unwrap();
        let (places, points) = inside(&mesh, &pixels(2 * radius as usize));
        let drive = |[x, y]: [f64; 2]| driven(x.hypot(y)).into();
        let (material, tolerance) = (setting(), 5e-4);
        let extruded =
            Extruded { mesh: &mesh, setting: material, height, drive: &drive, walls: &[], tolerance };
        let extruded = extruded.waves(&places, &slices).unwrap();

        let section = Outline::rectangle([radius / 2.0, height / 2.0], [radius, height]).unwrap();
        let mesh = Mesh::new(&section, &[], &|_| size(24.0)).unwrap();
        let revolved = Revolved {
            mesh: &mesh,
            setting: setting(),
            drive: DrivenPart::End,
            amplitude: &|[r, _]| driven(r),
            far_face: FarFace::Roller,
        };
        let revolved = revolved.waves(&points, &slices).unwrap();
        let off = difference(&extruded, &revolved);
        note!(
            "2.5-D against axisymmetric, {name}: {:.2} %, {} harmonics",
            100.0 * off,
            extruded.work.systems
        );
        assert!(off < 2e-3, "{name}: {off}");
    }
}

/// The Bessel functions J and Y of `order`.
fn bessel(order: f64, z: Complex64) -> [Complex64; 2] {
    [besselj(order, z).unwrap(), bessely(order, z).unwrap()]
}

/// Two concentric layers: u = a J(k₁r) within `inner`, b J(k₂r) + c Y(k₂r) up to `outer`, where it is 1. `stress`
/// takes wavenumber, radius and the order's and next order's function to what is continuous besides u.
fn layered(
    order: f64,
    moduli: [f64; 2],
    damping: f64,
    [inner, outer]: [f64; 2],
    stress: impl Fn(Complex64, f64, Complex64, Complex64) -> Complex64,
) -> impl Fn(f64) -> Complex64 {
    let [k1, k2] = moduli.map(|m| wavenumber(m, damping));
    let [j1, _] = bessel(order, k1 * inner);
    let [next, _] = bessel(order + 1.0, k1 * inner);
    let s1 = moduli[0] * stress(k1, inner, j1, next);
    let [j2, y2] = bessel(order, k2 * inner);
    let [nj, ny] = bessel(order + 1.0, k2 * inner);
    let [sj, sy] = [stress(k2, inner, j2, nj), stress(k2, inner, y2, ny)].map(|s| moduli[1] * s);
    // With a = 1: b j2 + c y2 = j1 and b sj + c sy = s1.
    let det = j2 * sy - y2 * sj;
    let (b, c) = ((j1 * sy - y2 * s1) / det, (j2 * s1 - sj * j1) / det);
    let [jo, yo] = bessel(order, k2 * outer);
    let scale = (b * jo + c * yo).inv();
    move |r| {
        if r < inner {
            scale * bessel(order, k1 * r.max(1e-9))[0]
        } else {
            let [j, y] = bessel(order, k2 * r);
            scale * (b * j + c * y)
        }
    }
}

fn discs_and_concentric_layers_converge() {
    let (radii, damping) = ([24.0, 60.0], 0.1);
    let body = Outline::circle([0.0; 2], radii[1]).unwrap();
    let core = Outline::circle([0.0; 2], radii[0]).unwrap();
    // The first has no layers: a disc, J0(kr) / J0(kR).
    for moduli in [[3.0, 3.0], [6.0, 2.0], [1.0, 4.0]] {
        let modulus = |region: u32, _: [f64; 2]| if region == 1 { moduli[0] } else { moduli[1] };
        let slope =
            |k: Complex64, r: f64, j: Complex64, next: Complex64, order: f64| order / r * j - k * next;
        let antiplane = layered(0.0, moduli, damping, radii, |k, r, j, next| slope(k, r, j, next, 0.0));
        let torsion = layered(1.0, moduli, damping, radii, |k, r, j, next| slope(k, r, j, next, 1.0) - j / r);
        let along = |[x, y]: [f64; 2]| vec![antiplane(x.hypot(y))];
        let around = |[x, y]: [f64; 2]| {
            let u = torsion(x.hypot(y)) / x.hypot(y).max(1e-9);
            vec![-y * u, x * u]
        };
        type Exact<'a> = &'a dyn Fn([f64; 2]) -> Vec<Complex64>;
        let cases: [(&str, WeakForm, Exact); 2] =
            [("antiplane", WeakForm::antiplane(), &along), ("torsion", WeakForm::plane_strain(), &around)];
        for (name, form, exact) in cases {
            let dampings = [damping, damping];
            let material = material(&modulus, &dampings);
            let errors = [6.0, 3.0, 1.5].map(|size| {
                let mesh = Mesh::new(&body, std::slice::from_ref(&core), &|_| size).unwrap();
                held_all_around(&mesh, &form, &material, FREQUENCY, false, exact)
            });
            note!("{moduli:?} kPa within {radii:?} mm, {name}: {}", told(&errors));
            let last = orders(&errors)[1];
            assert!(last > 3.3 && errors[2].0 < 1e-3, "{name}, {moduli:?}: order {last}, {}", errors[2].0);
        }
    }
}

fn forces_and_displacements_are_reciprocal() {
    let mesh = askew(9.0);
    let modulus = |region: u32, [x, y]: [f64; 2]| if region == 1 { 5.0 } else { 2.0 + 0.01 * x + 0.02 * y };
    for form in [WeakForm::harmonic(3, 90.0), WeakForm::slab(12.0, 2), WeakForm::plane_strain()] {
        let n = form.components();
        let free = vec![true; n * mesh.nodes.len()];
        let symbolic = pattern(&mesh, n, &free).unwrap();
        let mut system = System::new(&mesh, &symbolic, &material(&modulus, &[0.1, 0.2]), FREQUENCY, false);
        let zero = vec![Complex64::default(); free.len()];
        let given = [vec![Complex64::default(); mesh.nodes.len()]];
        let [a, b] = [n * 17 + n - 1, n * (mesh.nodes.len() - 30)];
        let mut answer = |push: usize, look: usize| {
            let mut loads = zero.clone();
            loads[push] = Complex64::ONE;
            system.solve(&form, &zero, &given, &loads).unwrap().nodes[look]
        };
        let (there, back) = (answer(a, b), answer(b, a));
        let error = (there - back).norm() / there.norm();
        note!("reciprocity: {error:.1e}");
        assert!(error < 1e-10);
    }
}

fn slabs_agree_with_three_dimensions() {
    let (radius, thickness) = (40.0, 12.2);
    let body = Outline::circle([0.0; 2], radius).unwrap();
    let slices = [thickness / 2.0, 0.8 * thickness];
    type Modulus<'a> = &'a (dyn Fn(u32, [f64; 2]) -> f64 + Sync);
    let soft = |_: u32, _: [f64; 2]| 1.3;
    let stiff = |_: u32, _: [f64; 2]| 5.3;
    let varying = |_: u32, [x, y]: [f64; 2]| 1.5 + 4.0 * (x * x + y * y) / (radius * radius);
    let radial = |_: u32, [r, _]: [f64; 2]| 1.5 + 4.0 * r * r / (radius * radius);
    let cases: [(&str, f64, Modulus, Modulus); 3] = [
        ("1.3 kPa", 1.3, &soft, &soft),
        ("5.3 kPa", 5.3, &stiff, &stiff),
        ("1.5 to 5.5 kPa", 1.5, &varying, &radial),
    ];
    for (name, softest, flat, around) in cases {
        let section = Outline::rectangle([radius / 2.0, thickness / 2.0], [radius, thickness]).unwrap();
        let fine = Mesh::new(&section, &[], &|_| 0.7).unwrap();
        let wave = TAU / bending_wavenumber(softest, thickness, DENSITY, FREQUENCY);
        let mesh = Mesh::new(&body, &[], &|_| wave / 8.0).unwrap();
        let (places, points) = inside(&mesh, &pixels(80));
        let setting = |modulus| Setting { material: material(modulus, &[0.1]), frequency_hz: FREQUENCY };
        let reference = Revolved {
            mesh: &fine,
            setting: setting(around),
            drive: DrivenPart::Side,
            amplitude: &|_| 0.5,
            far_face: FarFace::Free,
        };
        let reference = reference.waves(&points, &slices).unwrap();
        let mut told = vec![];
        for order in [2, 3] {
            let driven = |_: &_| true;
            let setting = setting(flat);
            let slab = Slab { mesh: &mesh, setting, thickness, driven: &driven, amplitude: 0.5, order };
            let waves = slab.waves(&places, &slices).unwrap();
            told.push(difference(&waves, &reference));
        }
        let [second, third] = [told[0], told[1]].map(|off| 100.0 * off);
        note!("slab against three dimensions, {name}: {second:.2} % (order 2), {third:.2} % (order 3)");
        assert!(told[0] < 0.03 && told[1] < 0.01, "{name}: {told:?}");
    }
}

/// The waves in a homogeneous cylinder with tractions of 1 kPa all around, times a bump along z, in cylindrical
/// coordinates. Harmonic q is u = ∇(A J0(αr) cos qz) + ∇×∇×(B J0(βr) sin qz e_z) with α² = k_p² − q² and
/// β² = k_s² − q². A and B follow from the stresses at the side (Pochhammer 1876).
struct Ring {
    modulus: f64,
    radius: f64,
    height: f64,
    span: [f64; 2],
    along: bool,
}

impl Ring {
    /// The bump's coefficient of harmonic `n`, by the midpoint rule.
    fn coefficient(&self, n: usize) -> f64 {
        let [from, to] = self.span;
        let (count, q) = (20_000, n as f64 * PI / self.height);
        let step = (to - from) / f64::from(count);
        let term = |k: i32| {
            let z = from + (f64::from(k) + 0.5) * step;
            let (sin, cos) = (q * z).sin_cos();
            bump((2.0 * z - from - to) / (to - from)) * if self.along { sin } else { cos }
        };
        (0..count).map(term).sum::<f64>() * step / if n == 0 { self.height } else { self.height / 2.0 }
    }

    /// The displacement at the points and the slices.
    fn waves(&self, damping: f64, points: &[Option<[f64; 2]>], slices: &[f64]) -> Vec<Vec<[Complex64; 3]>> {
        let mu = self.modulus * Complex64::new(1.0, damping);
        let lambda = 2.0 * POISSON / (1.0 - 2.0 * POISSON) * mu;
        let inertia = DENSITY * 1e-9 * (TAU * FREQUENCY).powi(2);
        let [kp2, ks2] = [inertia / (lambda + 2.0 * mu), inertia / mu];
        let mut planes = vec![vec![[Complex64::default(); 3]; points.len()]; slices.len()];
        let r0 = self.radius;
        for n in 0..60 {
            let q = n as f64 * PI / self.height;
            let [a, b] = [kp2 - q * q, ks2 - q * q].map(Complex64::sqrt);
            let j = |order: f64, z: Complex64| besselj(order, z).unwrap();
            let slope = |z: Complex64| j(0.0, z) - j(1.0, z) / z;
            // The shear and the normal stress at the side, for A = 1 and for B = 1.
            let shear = [2.0 * q * a * j(1.0, a * r0) * mu, (b * q * q - b.powi(3)) * j(1.0, b * r0) * mu];
            let normal = [
                -2.0 * mu * a * a * slope(a * r0) - lambda * kp2 * j(0.0, a * r0),
                -2.0 * mu * b * b * q * slope(b * r0),
            ];
            let det = shear[0] * normal[1] - shear[1] * normal[0];
            let [big_a, big_b] = if self.along {
                [normal[1] / det, -normal[0] / det]
            } else {
                [-shear[1] / det, shear[0] / det]
            };
            let load = self.coefficient(n);
            for (i, point) in points.iter().enumerate() {
                let Some([x, y]) = point else { continue };
                let r = x.hypot(*y).max(1e-9);
                let out = -load * (big_a * a * j(1.0, a * r) + big_b * b * q * j(1.0, b * r)) / r;
                let up = load * (-q * big_a * j(0.0, a * r) + b * b * big_b * j(0.0, b * r));
                for (plane, z) in planes.iter_mut().zip(slices) {
                    let (sin, cos) = (q * z).sin_cos();
                    for (u, by) in plane[i].iter_mut().zip([out * x * cos, out * y * cos, up * sin]) {
                        *u += by;
                    }
                }
            }
        }
        planes
    }
}

fn tractions_around_a_cylinder_are_exact() {
    let (radius, height, damping) = (40.0, 90.0, 0.1);
    let disc = Outline::circle([0.0; 2], radius).unwrap();
    let slices = [8.0, 30.0, 55.0, 77.0];
    for along in [true, false] {
        for (modulus, span) in [(3.0, [20.0, 62.0]), (1.5, [0.0, 30.0])] {
            let direction = if along { WallDirection::Along } else { WallDirection::Normal };
            let errors = [9.0, 18.0].map(|nodes| {
                let size = 2.0 * wavelength(modulus, DENSITY, FREQUENCY) / nodes;
                let mesh = Mesh::new(&disc, &[], &|_| size).unwrap();
                // A part of the pixels, because Bessel functions take their time.
                let some: Vec<[f64; 2]> = pixels(2 * radius as usize).into_iter().step_by(13).collect();
                let (places, points) = inside(&mesh, &some);
                let one = |_: u32, _: [f64; 2]| modulus;
                let walls = [WallLoad { traction: Box::new(|_| Complex64::ONE), direction, span }];
                let dampings = [damping];
                let setting = Setting { material: material(&one, &dampings), frequency_hz: FREQUENCY };
                let still = |_| Complex64::default();
                let body =
                    Extruded { mesh: &mesh, setting, height, drive: &still, walls: &walls, tolerance: 5e-4 };
                let waves = body.waves(&places, &slices).unwrap();
                let ring = Ring { modulus, radius, height, span, along };
                let exact = Waves { planes: ring.waves(damping, &points, &slices), work: waves.work.clone() };
                (difference(&waves, &exact), waves.work.unknowns)
            });
            note!("traction around a cylinder, {direction:?}, {modulus} kPa, {span:?} mm: {}", told(&errors));
            assert!(errors[1].0 < 2e-3, "{direction:?}, {modulus} kPa: {errors:?}");
        }
    }
}

/// The work of one load on the other's waves is the same in both ways: for two tractions of different direction on the
/// wall of a liver, whose modulus varies.
fn patches_of_a_wall_are_reciprocal() {
    let (height, outline) = (70.0, liver(4, 110.0).unwrap());
    let modulus = |_: u32, [x, y]: [f64; 2]| 3.0 + 0.02 * x - 0.015 * y;
    let mesh = Mesh::new(&outline, &[], &|_| 3.0).unwrap();
    let locator = Locator::new(&mesh);
    let length = outline.length();
    let bumps = [([0.05, 0.25], [5.0, 40.0]), ([0.5, 0.62], [25.0, 68.0])];
    let around = |arc: [f64; 2], s: f64| bump((2.0 * s / length - arc[0] - arc[1]) / (arc[1] - arc[0]));
    let directions = [WallDirection::Along, WallDirection::Normal];
    let count = 80;
    let grid = |[from, to]: [f64; 2]| {
        (0..count).map(move |k| from + (to - from) * (f64::from(k) + 0.5) / f64::from(count))
    };
    let work = |push: usize, look: usize| {
        let (arc, span) = bumps[push];
        let traction = Box::new(move |s: f64| Complex64::new(around(arc, s), 0.0));
        let walls = [WallLoad { traction, direction: directions[push], span }];
        let setting = Setting { material: material(&modulus, &[0.15]), frequency_hz: FREQUENCY };
        let still = |_| Complex64::default();
        let body = Extruded { mesh: &mesh, setting, height, drive: &still, walls: &walls, tolerance: 1e-4 };
        let (arc, span) = bumps[look];
        let arcs: Vec<f64> = grid(arc).map(|share| share * length).collect();
        let heights: Vec<f64> = grid(span).collect();
        let normal = |s: f64| {
            let [x, y] = outline.direction(s);
            [y, -x]
        };
        let places: Vec<Option<MeshPlace>> = arcs
            .iter()
            .map(|s| {
                let ([x, y], [across, down]) = (outline.at(*s), normal(*s));
                locator.find([x - 1e-4 * across, y - 1e-4 * down])
            })
            .collect();
        assert!(places.iter().all(Option::is_some));
        let waves = body.waves(&places, &heights).unwrap();
        let mut sum = Complex64::default();
        for (z, plane) in heights.iter().zip(&waves.planes) {
            for (s, u) in arcs.iter().zip(plane) {
                let [x, y] = normal(*s);
                let moved = match directions[look] {
                    WallDirection::Along => u[2],
                    WallDirection::Normal => x * u[0] + y * u[1],
                };
                sum += around(arc, *s) * bump((2.0 * z - span[0] - span[1]) / (span[1] - span[0])) * moved;
            }
        }
        let area = (arc[1] - arc[0]) * length * (span[1] - span[0]);
        sum * area / f64::from(count * count)
    };
    let [there, back] = [work(0, 1), work(1, 0)];
    let error = (there - back).norm() / there.norm();
    note!("reciprocity of two patches of a wall: {error:.1e}");
    assert!(error < 2e-3, "{there} and {back}");
}
