//! The finite elements against solutions known exactly, and against each other: the ladder of docs/phantoms.md.
//!
//! `cargo test --test waves -- --nocapture` prints the figures.

use complex_bessel::{besselj, bessely};
use num_complex::Complex64;
use palpate::fem::form::{Form, slab_profiles};
use palpate::fem::integrals::Material;
use palpate::fem::mesh::{Locator, Mesh, Outline, Place};
use palpate::fem::model::{
    Drive, Extruded, FarFace, Revolved, Setting, Slab, Waves, bending_wavenumber, wavelength,
};
use palpate::fem::system::{Solution, System, pattern};
use std::f64::consts::TAU;

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

/// Solves `form` on `mesh` with the whole boundary held at `exact`, and returns the relative error, in the root mean
/// square over a grid of points, of component 0.
fn held_all_around(
    mesh: &Mesh,
    form: &Form,
    material: &Material,
    frequency: f64,
    radial: bool,
    exact: &dyn Fn([f64; 2]) -> Vec<Complex64>,
) -> (f64, usize, Solution) {
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
    ((miss / size).sqrt(), system.unknowns(), solution)
}

/// A square whose corners, edges' middles and inside are all askew.
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

fn orders(errors: &[(f64, usize)]) -> Vec<f64> {
    errors.windows(2).map(|e| 2.0 * (e[0].0 / e[1].0).ln() / (e[1].1 as f64 / e[0].1 as f64).ln()).collect()
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

#[test]
fn uniform_strains_are_exact() {
    let mesh = askew(13.0);
    let one = |_: u32, _: [f64; 2]| 3.0;
    let material = material(&one, &[0.1, 0.1]);
    let plane = |[x, y]: [f64; 2]| vec![(0.3 * x - 0.2 * y + 1.0).into(), (0.5 * x + 0.7 * y - 2.0).into()];
    let (plane_error, ..) = held_all_around(&mesh, &Form::plane_strain(), &material, 0.0, false, &plane);
    let shifted = {
        let body = Outline::rectangle([30.0, 25.0], [60.0, 50.0]).unwrap();
        Mesh::new(&body, &[Outline::circle([20.0, 20.0], 9.0).unwrap()], &|_| 13.0).unwrap()
    };
    let around = |[r, z]: [f64; 2]| vec![(0.3 * r).into(), (0.7 * z - 2.0).into()];
    let (radial_error, ..) = held_all_around(&shifted, &Form::axisymmetric(), &material, 0.0, true, &around);
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
        let (error, ..) =
            held_all_around(&mesh, &Form::slab(thickness, order), &material, 0.0, false, &exact);
        println!("bending patch order {order}: {error:.1e}");
        slab_error = slab_error.max(error);
    }
    println!(
        "patch test: plane strain {plane_error:.1e}, axisymmetric {radial_error:.1e}, bending {slab_error:.1e}"
    );
    assert!(plane_error < 1e-11 && radial_error < 1e-11 && slab_error < 1e-10);
}

#[test]
fn plane_shear_waves_converge() {
    let k = wavenumber(3.0, 0.1);
    let [cos, sin] = [0.4f64.cos(), 0.4f64.sin()];
    let wave = |[x, y]: [f64; 2]| (-Complex64::I * k * (cos * x + sin * y)).exp();
    let exact = |p: [f64; 2]| vec![-sin * wave(p), cos * wave(p)];
    let one = |_: u32, _: [f64; 2]| 3.0;
    let errors: Vec<(f64, usize)> = [14.0, 7.0, 3.5, 1.75]
        .map(|size| {
            let (error, unknowns, _) = held_all_around(
                &askew(size),
                &Form::plane_strain(),
                &material(&one, &[0.1, 0.1]),
                FREQUENCY,
                false,
                &exact,
            );
            (error, unknowns)
        })
        .to_vec();
    println!(
        "plane shear wave at Poisson's ratio {POISSON}: error and unknowns {:?}, orders {:.2?}",
        errors.iter().map(|e| e.0).collect::<Vec<_>>(),
        orders(&errors)
    );
}

#[test]
fn extruded_and_revolved_agree() {
    let radius = 80.0;
    for (modulus, height, damping, nodes, tolerance) in [
        (3.0, 100.0, 0.1, 12.0, 1e-3),
        (3.0, 100.0, 0.1, 12.0, 1e-4),
        (1.0, 100.0, 0.05, 12.0, 1e-3),
        (1.0, 100.0, 0.05, 12.0, 3e-4),
        (1.0, 100.0, 0.05, 12.0, 1e-4),
    ] {
        let one = |_: u32, _: [f64; 2]| modulus;
        let size = 2.0 * wavelength(modulus, DENSITY, FREQUENCY) / nodes;
        let dampings = [damping, damping];
        let setting = || Setting { material: material(&one, &dampings), frequency_hz: FREQUENCY };
        let pixels: Vec<[f64; 2]> =
            (0..160 * 160).map(|i| [(i % 160) as f64 - 79.5, (i / 160) as f64 - 79.5]).collect();
        let slices = [5.0, 24.0, 50.0, 80.0];

        let time = std::time::Instant::now();
        let disc = Outline::circle([0.0; 2], radius).unwrap();
        let mesh = Mesh::new(&disc, &[], &|_| size).unwrap();
        let places: Vec<Option<Place>> = {
            let l = Locator::new(&mesh);
            pixels.iter().map(|p| l.find(*p)).collect()
        };
        let extruded = Extruded { mesh: &mesh, setting: setting(), height, drive: &|_| 0.5, tolerance };
        let a = extruded.waves(&places, &slices).unwrap();
        let first = time.elapsed();

        let of = |size: f64| {
            let time = std::time::Instant::now();
            let section = Outline::rectangle([radius / 2.0, height / 2.0], [radius, height]).unwrap();
            let mesh = Mesh::new(&section, &[], &|_| size).unwrap();
            let inside: Vec<Option<[f64; 2]>> =
                pixels.iter().zip(&places).map(|(p, place)| place.map(|_| *p)).collect();
            let revolved = Revolved {
                mesh: &mesh,
                setting: setting(),
                drive: Drive::End,
                amplitude: 0.5,
                far_face: FarFace::Roller,
            };
            (revolved.waves(&inside, &slices).unwrap(), time.elapsed())
        };
        let (b, second) = of(size / 2.0);
        let (c, _) = of(size / 4.0);
        println!(
            "{modulus} kPa: {} harmonics, {} unknowns, {} MB; {first:?}; revolved {second:?}, {} unknowns; difference {:.2e}; revolved from refined {:.2e}, extruded from refined {:.2e}",
            a.work.systems,
            a.work.unknowns,
            a.work.memory / 1_000_000,
            b.work.unknowns,
            difference(&a, &b),
            difference(&b, &c),
            difference(&a, &c)
        );
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

#[test]
fn discs_and_concentric_layers_converge() {
    let (radii, damping) = ([24.0, 60.0], 0.1);
    let body = Outline::circle([0.0; 2], radii[1]).unwrap();
    let core = Outline::circle([0.0; 2], radii[0]).unwrap();
    for moduli in [[3.0, 3.0], [6.0, 2.0], [1.0, 4.0]] {
        let modulus = |region: u32, _: [f64; 2]| if region == 1 { moduli[0] } else { moduli[1] };
        let slope =
            |k: Complex64, r: f64, j: Complex64, next: Complex64, order: f64| order / r * j - k * next;
        let antiplane = layered(0.0, moduli, damping, radii, |k, r, j, next| slope(k, r, j, next, 0.0));
        let torsion = layered(1.0, moduli, damping, radii, |k, r, j, next| slope(k, r, j, next, 1.0) - j / r);
        let mut errors = [vec![], vec![]];
        for size in [12.0, 6.0, 3.0] {
            let mesh = Mesh::new(&body, std::slice::from_ref(&core), &|_| size).unwrap();
            let dampings = [damping, damping];
            let material = material(&modulus, &dampings);
            let exact = |[x, y]: [f64; 2]| vec![antiplane(x.hypot(y))];
            let (error, unknowns, _) =
                held_all_around(&mesh, &Form::antiplane(), &material, FREQUENCY, false, &exact);
            errors[0].push((error, unknowns));
            let exact = |[x, y]: [f64; 2]| {
                let u = torsion(x.hypot(y)) / x.hypot(y).max(1e-9);
                vec![-y * u, x * u]
            };
            let (error, unknowns, _) =
                held_all_around(&mesh, &Form::plane_strain(), &material, FREQUENCY, false, &exact);
            errors[1].push((error, unknowns));
        }
        for (name, errors) in ["antiplane", "torsion"].iter().zip(&errors) {
            println!("{moduli:?} kPa, {name}: {errors:?}, orders {:?}", orders(errors));
        }
    }
}

#[test]
fn forces_and_displacements_are_reciprocal() {
    let mesh = askew(9.0);
    let modulus = |region: u32, [x, y]: [f64; 2]| if region == 1 { 5.0 } else { 2.0 + 0.01 * x + 0.02 * y };
    for form in [Form::harmonic(3, 90.0), Form::slab(12.0, 2), Form::plane_strain()] {
        let n = form.components();
        let free = vec![true; n * mesh.nodes.len()];
        let symbolic = pattern(&mesh, n, &free).unwrap();
        let mut system = System::new(&mesh, &symbolic, &material(&modulus, &[0.1, 0.2]), FREQUENCY, false);
        let zero = vec![Complex64::default(); free.len()];
        let given = [vec![0.0; mesh.nodes.len()]];
        let [a, b] = [n * 17 + n - 1, n * (mesh.nodes.len() - 30)];
        let mut answer = |push: usize, look: usize| {
            let mut loads = zero.clone();
            loads[push] = Complex64::ONE;
            system.solve(&form, &zero, &given, &loads).unwrap().nodes[look]
        };
        let (there, back) = (answer(a, b), answer(b, a));
        let error = (there - back).norm() / there.norm();
        println!("reciprocity: {error:.1e}");
        assert!(error < 1e-10);
    }
}

#[test]
fn slabs_agree_with_three_dimensions() {
    let (radius, thickness, damping) = (60.0, 12.2, 0.1);
    let body = Outline::circle([0.0; 2], radius).unwrap();
    let pixels: Vec<[f64; 2]> =
        (0..120 * 120).map(|i| [(i % 120) as f64 - 59.5, (i / 120) as f64 - 59.5]).collect();
    let slices = [thickness / 2.0, 0.8 * thickness];
    let dampings = [damping];
    let uniform = |m: f64| move |_: u32, _: [f64; 2]| m;
    let varying = |_: u32, [x, y]: [f64; 2]| 1.5 + 4.0 * (x * x + y * y) / (radius * radius);
    let radial = |_: u32, [r, _]: [f64; 2]| 1.5 + 4.0 * r * r / (radius * radius);
    let (soft, stiff) = (uniform(1.3), uniform(5.3));
    type Modulus<'a> = &'a (dyn Fn(u32, [f64; 2]) -> f64 + Sync);
    let cases: [(&str, f64, Modulus, Modulus); 3] = [
        ("1.3 kPa", 1.3, &soft, &soft),
        ("5.3 kPa", 5.3, &stiff, &stiff),
        ("1.5 to 5.5 kPa", 1.5, &varying, &radial),
    ];
    for (name, softest, flat, around) in cases {
        let section = Outline::rectangle([radius / 2.0, thickness / 2.0], [radius, thickness]).unwrap();
        let fine = Mesh::new(&section, &[], &|_| 0.7).unwrap();
        let mesh = Mesh::new(&body, &[], &|_| {
            2.0 * TAU / bending_wavenumber(softest, thickness, DENSITY, FREQUENCY) / 14.0
        })
        .unwrap();
        let locator = Locator::new(&mesh);
        let places: Vec<Option<Place>> = pixels.iter().map(|p| locator.find(*p)).collect();
        let inside: Vec<Option<[f64; 2]>> =
            pixels.iter().zip(&places).map(|(p, place)| place.map(|_| *p)).collect();
        let reference = Revolved {
            mesh: &fine,
            setting: Setting { material: material(around, &dampings), frequency_hz: FREQUENCY },
            drive: Drive::Side,
            amplitude: 0.5,
            far_face: FarFace::Free,
        };
        let reference = reference.waves(&inside, &slices).unwrap();
        for order in 1..=3 {
            let slab = Slab {
                mesh: &mesh,
                setting: Setting { material: material(flat, &dampings), frequency_hz: FREQUENCY },
                thickness,
                driven: &|_| true,
                amplitude: 0.5,
                order,
            };
            let time = std::time::Instant::now();
            let waves = slab.waves(&places, &slices).unwrap();
            println!(
                "slab of {name}, order {order}: {:.2e} off, {} unknowns, {:?}",
                difference(&waves, &reference),
                waves.work.unknowns,
                time.elapsed()
            );
        }
    }
}
