//! Properties of a mesh: areas, sizes, angles, conformity, and location of points.

use super::element::{Rule, determinant, map, shape, shape_gradients};
use super::*;
use crate::error::Error;
use crate::size::Size;
use fastrand::Rng;
use std::f64::consts::PI;
use std::time::Instant;

/// One inclusion of each shape, far from each other.
fn four() -> [Outline; 4] {
    [
        Outline::circle([30.0, -20.0], 12.0).unwrap(),
        Outline::triangle([-30.0, -20.0], 25.0).unwrap(),
        Outline::square([-30.0, 30.0], 25.0).unwrap(),
        Outline::rectangle([30.0, 30.0], [25.0, 14.0]).unwrap(),
    ]
}

fn disc() -> Outline {
    Outline::circle([0.0, 0.0], 80.0).unwrap()
}

fn meshed(body: &Outline, inclusions: &[Outline], size: f64) -> Mesh {
    Mesh::new(body, inclusions, &|_| size).unwrap()
}

/// The area of a region, integrated over its curved triangles.
fn area(mesh: &Mesh, region: u32) -> f64 {
    (0..mesh.triangles.len())
        .filter(|t| mesh.regions[*t] == region)
        .map(|t| {
            let places = mesh.places(t);
            Rule::Degree2.points().iter().map(|(at, w)| w * determinant(map(&places, *at).1)).sum::<f64>()
        })
        .sum()
}

fn refusal(mesh: crate::error::Result<Mesh>) -> String {
    match mesh {
        Err(Error::Usage(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_discs_area_converges_with_the_fourth_power() {
    let exact = PI * 80.0 * 80.0;
    let errors: Vec<f64> =
        [24.0, 12.0, 6.0].map(|h| (area(&meshed(&disc(), &[], h), 0) / exact - 1.0).abs()).to_vec();
    println!("relative errors of the area {errors:?}");
    for pair in errors.windows(2) {
        assert!((pair[0] / pair[1]).log2() > 3.5, "{errors:?}");
    }
}

#[test]
fn regions_have_their_outlines_areas() {
    let (body, four) = (disc(), four());
    let mesh = meshed(&body, &four, 4.0);
    let within: f64 = four.iter().map(Outline::area).sum();
    for (k, exact) in std::iter::once(body.area() - within).chain(four.iter().map(Outline::area)).enumerate()
    {
        // Straight sides are exact. A circular arc of angle a is short by a⁴/490 of its sector.
        let tolerance = if (2..=4).contains(&k) { 1e-12 } else { (4f64 / 12.0).powi(4) / 400.0 };
        let found = area(&mesh, k as u32);
        assert!((found / exact - 1.0).abs() < tolerance, "region {k}: {found} instead of {exact}");
    }
}

#[test]
fn triangles_are_well_shaped_and_as_large_as_asked() {
    let slope = |p: [f64; 2]| 4.0 + 0.04 * p[0];
    type Case<'a> = (&'a str, Outline, Vec<Outline>, &'a dyn Fn([f64; 2]) -> f64);
    let cases: [Case; 5] = [
        ("disc", disc(), vec![], &|_| 1.73),
        ("four inclusions", disc(), four().to_vec(), &|_| 3.0),
        ("sloping", disc(), four().to_vec(), &slope),
        ("square", Outline::square([3.0, 4.0], 100.0).unwrap(), vec![], &|_| 6.0),
        ("liver", liver(3, 200.0).unwrap(), vec![], &|_| 5.0),
    ];
    for (name, body, inclusions, size) in cases {
        let clock = Instant::now();
        let mesh = Mesh::new(&body, &inclusions, size).unwrap();
        let speed = mesh.triangles.len() as f64 / clock.elapsed().as_secs_f64();
        let mut ratios: Vec<f64> = (0..mesh.triangles.len())
            .flat_map(|t| {
                let (centre, _) = map(&mesh.places(t), [1.0 / 3.0; 2]);
                mesh.side_lengths(t).map(|length| length / size(centre))
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        let at = |share: f64| ratios[((ratios.len() - 1) as f64 * share) as usize];
        println!(
            "{name}: edges {:.2}..{:.2} of their length, least angle {:.1}, {} triangles, {speed:.0} a second",
            at(0.0),
            at(1.0),
            mesh.least_angle(),
            mesh.triangles.len()
        );
        assert!(mesh.least_angle() > 28.0, "{name}: {}", mesh.least_angle());
        assert!(at(0.98) < 1.5 && at(1.0) < 1.85, "{name}: edges up to {} of their length", at(1.0));
        assert!((0.8..1.25).contains(&at(0.5)), "{name}: half of the edges below {}", at(0.5));
        // Edges are shorter on purpose where a curve bends or leaves a gap.
        let floor = if inclusions.is_empty() && name != "liver" { 0.55 } else { 0.15 };
        assert!(at(0.0) > floor && at(0.02) > 0.3, "{name}: edges down to {}", at(0.0));
    }
}

#[test]
fn shapes_in_general_position_are_meshed_well() {
    let mut rng = Rng::with_seed(7);
    let mut worst = f64::INFINITY;
    let mut meshes = 0;
    for _ in 0..60 {
        let inclusions: Vec<Outline> = (0..3)
            .map(|_| {
                let (centre, size) = ([0; 2].map(|_| 100.0 * rng.f64() - 50.0), 8.0 + 30.0 * rng.f64());
                match rng.u8(0..4) {
                    0 => Outline::circle(centre, size / 2.0),
                    1 => Outline::square(centre, size),
                    2 => Outline::triangle(centre, size),
                    _ => Outline::rectangle(centre, [size, size / 3.0]),
                }
                .unwrap()
            })
            .collect();
        let stiff = inclusions.clone();
        let size = move |p| if stiff[0].contains(p) { 9.0 } else { 4.5 };
        let body = disc();
        if spacing::check(&[&[&body][..], &inclusions.iter().collect::<Vec<_>>()].concat()).is_ok() {
            let mesh = Mesh::new(&body, &inclusions, &size).unwrap();
            worst = worst.min(mesh.least_angle());
            meshes += 1;
        }
    }
    println!("{meshes} meshes, least angle {worst:.1}");
    assert!(meshes > 10 && worst > 26.0, "{meshes} meshes, least angle {worst}");
}

#[test]
fn no_triangle_crosses_an_outline() {
    let four = four();
    let mesh = meshed(&disc(), &four, 4.0);
    let mut rng = Rng::with_seed(1);
    for t in 0..mesh.triangles.len() {
        for _ in 0..10 {
            let [x, y] = [rng.f64(), rng.f64()];
            let at = if x + y > 1.0 { [1.0 - x, 1.0 - y] } else { [x, y] };
            // A parabola differs from its arc by about 1e-4 of the edge.
            let at = at.map(|v| 0.999 * v + 0.001 / 3.0);
            let (p, _) = map(&mesh.places(t), at);
            let region = four.iter().position(|o| o.contains(p)).map_or(0, |k| k as u32 + 1);
            assert_eq!(region, mesh.regions[t], "at {p:?}");
        }
    }
    // Every side belongs to two triangles, or to one if it lies on the body's outline.
    let mut sides: Vec<u32> = mesh.triangles.iter().flat_map(|t| t[3..].to_vec()).collect();
    sides.sort_unstable();
    let single = sides.chunk_by(|a, b| a == b).filter(|side| side.len() == 1).count();
    assert!(sides.chunk_by(|a, b| a == b).all(|side| side.len() <= 2));
    assert_eq!(single, mesh.boundary.len());
}

#[test]
fn edges_know_their_place_and_normal() {
    let body = Outline::square([0.0, 0.0], 10.0).unwrap().divided(&[3.0]);
    let hole = Outline::circle([1.0, 1.0], 2.0).unwrap();
    let mesh = meshed(&body, std::slice::from_ref(&hole), 1.0);
    let length =
        |side| -> f64 { mesh.boundary.iter().filter(|e| e.side == side).map(|e| e.arc[1] - e.arc[0]).sum() };
    for (side, exact) in [3.0, 7.0, 10.0, 10.0, 10.0].into_iter().enumerate() {
        assert!((length(side) - exact).abs() < 1e-12, "side {side}: {}", length(side));
    }
    assert!(mesh.boundary.iter().filter(|e| e.side < 2).all(|e| e.normal(&mesh.nodes) == [0.0, -1.0]));
    for (outline, edges) in [(&body, &mesh.boundary), (&hole, &mesh.interfaces[0])] {
        // The normals of a closed curve cancel. Their products with the position sum to twice the area.
        let mut sum = [0.0; 3];
        for (i, edge) in edges.iter().enumerate() {
            assert_eq!(edge.nodes[2], edges[(i + 1) % edges.len()].nodes[0]);
            let middle = outline.at((edge.arc[0] + edge.arc[1]) / 2.0);
            assert_eq!(mesh.nodes[edge.nodes[1] as usize], middle);
            for (t, w) in [(0.0, 1.0 / 6.0), (0.5, 4.0 / 6.0), (1.0, 1.0 / 6.0)] {
                let (p, n) = edge.at(&mesh.nodes, t);
                sum = [sum[0] + w * n[0], sum[1] + w * n[1], sum[2] + w * (p[0] * n[0] + p[1] * n[1])];
            }
        }
        assert!(sum[0].abs() + sum[1].abs() < 1e-12, "{sum:?}");
        assert!((sum[2] / (2.0 * outline.area()) - 1.0).abs() < 1e-3, "{sum:?}");
    }
}

#[test]
fn points_are_found_where_the_map_put_them() {
    for (body, inclusions) in [(disc(), four().to_vec()), (liver(2, 180.0).unwrap(), vec![])] {
        let mesh = meshed(&body, &inclusions, 7.0);
        let locator = Locator::new(&mesh);
        let mut rng = Rng::with_seed(5);
        for t in 0..mesh.triangles.len() {
            let [x, y] = [rng.f64(), rng.f64()];
            let at = if x + y > 1.0 { [1.0 - x, 1.0 - y] } else { [x, y] };
            let (p, _) = map(&mesh.places(t), at);
            let Some(place) = locator.find(p) else {
                assert!(!body.contains(p), "{p:?} was not found");
                continue;
            };
            assert_eq!(place.triangle as usize, t);
            assert!((0..2).all(|k| (place.at[k] - at[k]).abs() < 1e-11), "{at:?} found as {place:?}");
        }
        for node in &mesh.nodes[..mesh.corners] {
            let inside = mesh.boundary.iter().all(|e| mesh.nodes[e.nodes[0] as usize] != *node);
            assert!(!inside || locator.find(*node).is_some(), "the node at {node:?} was not found");
        }
    }
}

#[test]
fn pixels_are_found_exactly_within_the_body() {
    let bodies = [disc(), Outline::square([0.0, 0.0], 100.0).unwrap(), liver(5, 200.0).unwrap()];
    for body in bodies {
        for size in [3.0, 15.0] {
            let mesh = meshed(&body, &[], size);
            let locator = Locator::new(&mesh);
            let (origin, n) = ([-127.5, -127.5], 256);
            let places = locator.grid(origin, [1.0, 1.0], Size::square(n));
            for (i, place) in places.iter().enumerate() {
                let p = [origin[0] + (i % n) as f64, origin[1] + (i / n) as f64];
                assert_eq!(place.is_some(), body.contains(p), "{p:?} in the {}", body.kind());
                if let Some(place) = place {
                    let (q, _) = map(&mesh.places(place.triangle as usize), place.at);
                    assert!(plane::distance(p, q) < 1e-9, "{p:?} found as {q:?}");
                }
            }
        }
    }
}

#[test]
fn the_same_input_makes_the_same_mesh() {
    // In the second body, a corner of five degrees, refinement is attempted without success.
    let needle = Outline::polygon(&[[0.0, 0.0], [50.0, -2.0], [50.0, 2.0]]).unwrap();
    for (body, inclusions) in
        [(liver(1, 200.0).unwrap(), vec![]), (needle, vec![]), (disc(), four().to_vec())]
    {
        let make = || Mesh::new(&body, &inclusions, &|p| 4.0 + 0.01 * p[0]).unwrap();
        let (a, b) = (make(), std::thread::scope(|s| s.spawn(make).join().unwrap()));
        let bits = |mesh: &Mesh| mesh.nodes.iter().flatten().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&a), bits(&b));
        assert_eq!((a.triangles, a.regions, a.boundary), (b.triangles, b.regions, b.boundary));
    }
}

#[test]
fn what_cannot_be_meshed_is_refused_by_name() {
    let body = disc();
    let circle = |x: f64, r: f64| Outline::circle([x, 0.0], r).unwrap();
    let with = |inclusions: &[Outline]| refusal(Mesh::new(&body, inclusions, &|_| 5.0));
    for (inclusions, words) in [
        (
            vec![circle(0.0, 10.0), circle(15.0, 10.0)],
            "inclusion 2 (circle) and inclusion 1 (circle) overlap",
        ),
        (vec![circle(0.0, 20.0), circle(1.0, 5.0)], "inclusion 2 (circle) and inclusion 1 (circle) overlap"),
        (
            vec![circle(0.0, 5.0), circle(75.0, 10.0)],
            "inclusion 2 (circle) reaches outside the body (circle)",
        ),
        (vec![circle(95.0, 10.0)], "inclusion 1 (circle) lies outside the body (circle)"),
        (vec![circle(0.0, 10.0), circle(20.001, 10.0)], "come within"),
    ] {
        let what = with(&inclusions);
        assert!(what.contains(words), "{what}");
    }
    for size in [0.0, -1.0, f64::NAN] {
        assert!(refusal(Mesh::new(&body, &[], &|_| size)).contains("edge length"));
    }
    assert!(refusal(Mesh::new(&body, &[], &|_| 1e-3)).contains("triangles"));
    for (points, words) in [
        (vec![[0.0, 0.0], [1.0, 0.0]], "2 points"),
        (vec![[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]], "crosses itself"),
        (vec![[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], "are alike"),
        (vec![[0.0, 0.0], [2.0, 0.0], [1.0, 0.0], [1.0, 1.0]], "folds back"),
        (vec![[0.0, f64::NAN], [2.0, 0.0], [1.0, 0.0]], "NaN"),
    ] {
        let Err(Error::Usage(what)) = Outline::polygon(&points) else { panic!("{points:?}") };
        assert!(what.contains(words), "{what}");
    }
    assert!(Outline::circle([0.0, 0.0], -1.0).is_err() && liver(0, f64::NAN).is_err());
}

#[test]
fn outlines_measure_themselves() {
    let circle = Outline::circle([1.0, 2.0], 3.0).unwrap();
    assert!(
        (circle.area() / (9.0 * PI) - 1.0).abs() < 1e-14
            && (circle.length() / (6.0 * PI) - 1.0).abs() < 1e-14
    );
    assert!(circle.points(0.1).iter().all(|p| (plane::distance(*p, [1.0, 2.0]) - 3.0).abs() < 1e-12));
    let mut rng = Rng::with_seed(2);
    for _ in 0..2000 {
        let (angle, off) = (rng.f64() * 2.0 * PI, (rng.f64() - 0.5) * 1e-3);
        let p = [1.0 + (3.0 + off) * angle.cos(), 2.0 + (3.0 + off) * angle.sin()];
        assert_eq!(circle.contains(p), off < 0.0, "{off}");
    }
    // The points run clockwise. A spline through points of a circle is nearly a circle.
    let points: Vec<[f64; 2]> =
        (0..24).map(|i| (-PI / 12.0 * f64::from(i)).sin_cos()).map(|(s, c)| [c, s]).collect();
    let ring = Outline::smooth(&points).unwrap();
    assert!((ring.area() / PI - 1.0).abs() < 1e-4 && (ring.length() / (2.0 * PI) - 1.0).abs() < 1e-4);
    for i in 0..500 {
        let s = ring.length() * f64::from(i) / 500.0;
        let (p, [dx, dy]) = (ring.at(s), ring.direction(s));
        for off in [1e-5, 0.01, 0.3] {
            assert!(ring.contains([p[0] - off * dy, p[1] + off * dx]), "{s} {off}");
            assert!(!ring.contains([p[0] + off * dy, p[1] - off * dx]), "{s} {off}");
        }
        let next = ring.at(s + 1e-4);
        assert!((plane::distance(p, next) / 1e-4 - 1.0).abs() < 1e-6);
    }
    let bow =
        Outline::polygon(&[[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 1.0], [0.0, 4.0], [0.0, 0.0]]).unwrap();
    assert_eq!((bow.area(), bow.breaks().len(), bow.contains([2.0, 2.0])), (10.0, 5, false));
}

#[test]
fn quadrature_is_exact_to_its_degree() {
    let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
    for rule in Rule::ALL {
        for (i, j) in (0..=rule.degree()).flat_map(|i| (0..=rule.degree() - i).map(move |j| (i, j))) {
            let exact = factorial(i) * factorial(j) / factorial(i + j + 2);
            let sum: f64 =
                rule.points().iter().map(|([x, y], w)| w * x.powi(i as i32) * y.powi(j as i32)).sum();
            assert!((sum - exact).abs() < 2e-15, "{rule:?}: x^{i} y^{j} gives {sum} for {exact}");
        }
    }
}

#[test]
fn shape_functions_are_one_at_their_nodes_and_have_their_gradients() {
    let nodes = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]];
    for (n, at) in nodes.iter().enumerate() {
        let mut unit = [0.0; 6];
        unit[n] = 1.0;
        assert_eq!(shape(*at), unit);
    }
    let ([x, y], step) = ([0.21, 0.37], 1e-6);
    let differences = |f: &dyn Fn([f64; 2]) -> f64| {
        [f([x + step, y]) - f([x - step, y]), f([x, y + step]) - f([x, y - step])].map(|d| d / (2.0 * step))
    };
    let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() + (a[1] - b[1]).abs() < 1e-9;
    for (n, gradient) in shape_gradients([x, y]).into_iter().enumerate() {
        assert!(near(gradient, differences(&|at| shape(at)[n])), "{n}");
    }
    assert!(near(element::bubble_gradient([x, y]), differences(&element::bubble)));
}

#[test]
fn livers_differ_and_look_like_one() {
    let mut areas = vec![];
    for seed in 0..100 {
        let liver = liver(seed, 200.0).unwrap();
        let [low, high] = liver.bounds();
        assert!((high[0] - low[0] - 200.0).abs() < 1e-9);
        // The outline is thick at small x and thin at large x, measured along y.
        let across = |x: f64| (-150..150).filter(|y| liver.contains([x, f64::from(*y)])).count();
        assert!(across(-50.0) > 3 * across(75.0) / 2, "{seed}: {} {}", across(-50.0), across(75.0));
        areas.push(liver.area());
        let mesh = meshed(&liver, &[], 10.0);
        assert!(mesh.least_angle() > 28.0, "{seed}: {}", mesh.least_angle());
    }
    areas.sort_by(f64::total_cmp);
    assert!(areas.windows(2).all(|pair| pair[0] < pair[1]) && areas[99] > 1.3 * areas[0], "{areas:?}");
}

#[test]
fn drawn_outlines_differ_start_at_the_left_and_can_be_meshed() {
    for shape in OutlineShape::ALL {
        let mut areas = vec![];
        for seed in 0..40 {
            let outline = shape.outline(seed, 180.0).unwrap();
            let [low, high] = outline.bounds();
            let [width, height] = [high[0] - low[0], high[1] - low[1]];
            assert!((width - 180.0).abs() < 1e-6 && (low[0] + 90.0).abs() < 1e-6, "{shape:?} {seed}");
            assert!((60.0..230.0).contains(&height), "{shape:?} {seed}: {height}");
            let [start, after] = [0.0, 0.08].map(|share| outline.at(share * outline.length()));
            assert!(start[0] < -60.0 && after[1] < start[1], "{shape:?} {seed}: {start:?} {after:?}");
            let mesh = meshed(&outline, &[], 9.0);
            assert!(mesh.least_angle() > 25.0, "{shape:?} {seed}: {}", mesh.least_angle());
            areas.push(outline.area());
            assert!(shape.outline(seed, f64::NAN).is_err());
        }
        areas.sort_by(f64::total_cmp);
        assert!(areas.windows(2).all(|pair| pair[0] < pair[1]) && areas[39] > 1.2 * areas[0], "{areas:?}");
    }
    // A kidney's hollow is deeper than any of a torso: the share of its convex hull that it fills is smaller.
    let filled = |shape: OutlineShape, seed| {
        let outline = shape.outline(seed, 180.0).unwrap();
        let [low, high] = outline.bounds();
        outline.area() / ((high[0] - low[0]) * (high[1] - low[1]))
    };
    let mean = |shape| (0..40).map(|seed| filled(shape, seed)).sum::<f64>() / 40.0;
    assert!(mean(OutlineShape::Kidney) < mean(OutlineShape::Torso) - 0.05);
}
