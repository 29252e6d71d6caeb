use super::*;
use fastrand::Rng;
use std::f64::consts::TAU;

mod random;
mod ranges;
mod refusals;

const CYLINDER: &str = include_str!("../../examples/phantoms/cylinder.toml");
const SQUARE: &str = include_str!("../../examples/phantoms/square.toml");
const PRISM: &str = include_str!("../../examples/phantoms/prism.toml");
const LIVER: &str = include_str!("../../examples/phantoms/liver.toml");

const TISSUE: &str = "[background]\nmodulus_kpa = 3\ndamping = 0.1\n";

fn parse(text: &str) -> Result<Phantom> {
    Phantom::parse(text, "phantom.toml".as_ref())
}

fn tissue(kpa: f64, damping: f64) -> Tissue {
    Tissue { modulus_kpa: Modulus::Constant(kpa), damping }
}

/// A cylinder with the required keys only.
fn cylinder() -> Phantom {
    parse(&format!("kind = \"cylinder\"\nradius_mm = 80\nheight_mm = 100\n{TISSUE}")).unwrap()
}

#[test]
fn what_is_not_said_has_its_default() {
    let expected = Phantom {
        body: Body::Cylinder { radius_mm: 80.0, height_mm: 100.0, far_face: FarFace::Roller },
        frequency_hz: 60.0,
        density: 1000.0,
        poisson: 0.499,
        slices_mm: vec![20.0, 25.0, 30.0],
        pixel_mm: 1.0,
        size_px: 256,
        drive: Drive { amplitude_mm: 0.5, offset_mm: [0.0, 0.0], radius_mm: None },
        background: tissue(3.0, 0.1),
        inclusions: vec![],
    };
    assert_eq!(cylinder(), expected);
    let square = parse(&format!("kind = \"square\"\nside_mm = 120\n{TISSUE}")).unwrap();
    let body = Body::Square { side_mm: 120.0, far_face: FarFace::Roller, edge: Side::Left };
    assert_eq!(square, Phantom { body, slices_mm: vec![], ..expected.clone() });
    let slab = parse(&format!("kind = \"slab\"\noutline = \"liver\"\nthickness_mm = 12\n{TISSUE}")).unwrap();
    let outline = BodyOutline::Drawn { shape: OutlineShape::Liver, seed: 1, width_mm: 180.0 };
    let body = Body::Slab { outline, thickness_mm: 12.0, arc: [0.94, 1.08] };
    assert_eq!(slab, Phantom { body, slices_mm: vec![6.0], ..expected });
}

#[test]
fn the_examples_say_what_their_files_say() {
    let phantom = parse(CYLINDER).unwrap();
    let at = |shape, tissue| Inclusion { shape, tissue };
    let expected = Phantom {
        slices_mm: vec![24.0, 26.0, 28.0],
        background: tissue(3.5, 0.1),
        inclusions: vec![
            at(InclusionShape::Circle { center_mm: [30.0, -30.0], diameter_mm: 30.0 }, tissue(6.0, 0.1)),
            at(
                InclusionShape::Square { center_mm: [-30.0, -30.0], side_mm: 28.0, angle_deg: 20.0 },
                tissue(1.5, 0.15),
            ),
            at(
                InclusionShape::Rectangle { center_mm: [-30.0, 30.0], size_mm: [36.0, 20.0], angle_deg: 0.0 },
                tissue(5.0, 0.1),
            ),
            at(
                InclusionShape::Triangle { center_mm: [30.0, 30.0], side_mm: 34.0, angle_deg: 0.0 },
                Tissue { modulus_kpa: Modulus::Polynomial(vec![(0, 0, 2.0), (1, 0, 0.02)]), damping: 0.1 },
            ),
        ],
        ..cylinder()
    };
    assert_eq!(phantom, expected);

    let phantom = parse(SQUARE).unwrap();
    let points_mm = vec![[10.0, -20.0], [40.0, -10.0], [30.0, 25.0], [5.0, 15.0]];
    let polynomial = vec![(0, 0, 4.0), (1, 0, 0.02), (0, 2, 1e-4)];
    let expected = Phantom {
        body: Body::Square { side_mm: 150.0, far_face: FarFace::Free, edge: Side::Left },
        slices_mm: vec![],
        drive: Drive { amplitude_mm: 0.4, ..cylinder().drive },
        background: Tissue { modulus_kpa: Modulus::Polynomial(polynomial), damping: 0.12 },
        inclusions: vec![at(InclusionShape::Polygon { points_mm }, tissue(7.0, 0.12))],
        ..cylinder()
    };
    assert_eq!(phantom, expected);

    let phantom = parse(LIVER).unwrap();
    let outline = BodyOutline::Drawn { shape: OutlineShape::Liver, seed: 7, width_mm: 190.0 };
    let modulus = Modulus::Random { mean_kpa: 2.5, spread: 0.25, length_mm: 35.0, seed: 4 };
    let expected = Phantom {
        body: Body::Slab { outline, thickness_mm: 12.2, arc: [0.94, 1.08] },
        slices_mm: vec![6.1],
        background: Tissue { modulus_kpa: modulus, damping: 0.15 },
        ..cylinder()
    };
    assert_eq!(phantom, expected);

    let phantom = parse(PRISM).unwrap();
    let pad = Contact::Pad { amplitude_mm: 0.5, center_mm: [-30.0, 0.0], radius_mm: 20.0 };
    let wall = Contact::Wall {
        traction_kpa: 0.8,
        arc: [0.55, 0.7],
        span_mm: [20.0, 75.0],
        direction: WallDirection::Along,
    };
    let modulus_kpa =
        Modulus::Layers { layers_kpa: vec![3.0, 5.0], edges_mm: vec![10.0], angle_deg: 20.0, blend_mm: 5.0 };
    let expected = Phantom {
        body: Body::Prism {
            outline: BodyOutline::Drawn { shape: OutlineShape::Kidney, seed: 3, width_mm: 120.0 },
            height_mm: 90.0,
            sources: vec![
                Source { contact: pad, phase_deg: 0.0 },
                Source { contact: wall, phase_deg: -90.0 },
            ],
        },
        slices_mm: vec![15.0, 25.0, 35.0, 45.0, 55.0, 65.0],
        size_px: 128,
        background: Tissue { modulus_kpa, damping: 0.12 },
        inclusions: vec![at(
            InclusionShape::Circle { center_mm: [-28.0, 2.0], diameter_mm: 16.0 },
            tissue(8.0, 0.12),
        )],
        ..cylinder()
    };
    assert_eq!(phantom, expected);
}

#[test]
fn every_key_is_read() {
    let text = "kind = 'cylinder'\nradius_mm = 90.5\nheight_mm = 99\nfar_face = 'roller'\nfrequency_hz = 50\n\
                density = 1040\npoisson = 0.45\nslices_mm = [0, 99]\npixel_mm = 1.5\nsize_px = 128\n\
                drive = { amplitude_mm = 0.3, offset_mm = [-10, 5.5], radius_mm = 40 }\n\
                background = { modulus_kpa = { mean_kpa = 3, spread = 0.2, length_mm = 50, seed = 4294967295 }, \
                damping = 2 }\n";
    let modulus = Modulus::Random { mean_kpa: 3.0, spread: 0.2, length_mm: 50.0, seed: u32::MAX };
    let expected = Phantom {
        body: Body::Cylinder { radius_mm: 90.5, height_mm: 99.0, far_face: FarFace::Roller },
        frequency_hz: 50.0,
        density: 1040.0,
        poisson: 0.45,
        slices_mm: vec![0.0, 99.0],
        pixel_mm: 1.5,
        size_px: 128,
        drive: Drive { amplitude_mm: 0.3, offset_mm: [-10.0, 5.5], radius_mm: Some(40.0) },
        background: Tissue { modulus_kpa: modulus, damping: 2.0 },
        inclusions: vec![],
    };
    assert_eq!(parse(text).unwrap(), expected);
    let text = "kind = 'slab'\noutline = [[-50, -20], [40, -30], [60, 35], [-45, 25]]\nsmooth = true\nthickness_mm = 9\n\
                drive.arc = [0.3, 0.45]\nslices_mm = [1]\nbackground.modulus_kpa = 2\nbackground.damping = 0.2\n";
    let points_mm = vec![[-50.0, -20.0], [40.0, -30.0], [60.0, 35.0], [-45.0, 25.0]];
    let outline = BodyOutline::Points { points_mm, smooth: true };
    let body = Body::Slab { outline, thickness_mm: 9.0, arc: [0.3, 0.45] };
    let expected = Phantom { body, slices_mm: vec![1.0], background: tissue(2.0, 0.2), ..cylinder() };
    assert_eq!(parse(text).unwrap(), expected);
}

#[test]
fn a_plate_tilts_and_a_pad_bulges() {
    let mut phantom = cylinder();
    phantom.drive = Drive { amplitude_mm: 0.4, offset_mm: [12.0, -16.0], radius_mm: None };
    // 4 * 20 mm * 40 mm / (80 mm)^2 is one half.
    assert!((phantom.drive_mm([24.0, -32.0]) - 0.6).abs() < 1e-12);
    assert!((phantom.drive_mm([-24.0, 32.0]) - 0.2).abs() < 1e-12);
    assert!((phantom.drive_mm([32.0, 24.0]) - 0.4).abs() < 1e-12);
    phantom.drive.radius_mm = Some(30.0);
    assert_eq!(phantom.drive_mm([12.0, -16.0]), 0.4);
    assert!((phantom.drive_mm([12.0 + 15.0, -16.0]) - 0.4 * 0.5625).abs() < 1e-12);
    assert!(phantom.drive_mm([12.0, -16.0 + 29.999]) < 1e-8);
    assert_eq!(phantom.drive_mm([12.0, 14.1]), 0.0);
    for text in [SQUARE, LIVER] {
        let phantom = parse(text).unwrap();
        assert_eq!(phantom.drive_mm([3.0, 50.0]), phantom.drive.amplitude_mm);
    }
}

#[test]
fn only_what_is_the_same_all_around_is_axisymmetric() {
    let plain = cylinder();
    assert!(plain.is_axisymmetric());
    let inclusions = parse(CYLINDER).unwrap().inclusions;
    let drive = |offset_mm, radius_mm| Drive { offset_mm, radius_mm, ..plain.drive.clone() };
    let modulus_kpa = Modulus::Polynomial(vec![(0, 0, 3.0), (1, 0, 0.01)]);
    for other in [
        Phantom { inclusions, ..plain.clone() },
        Phantom { drive: drive([0.0, 1.0], None), ..plain.clone() },
        Phantom { drive: drive([0.0, 0.0], Some(30.0)), ..plain.clone() },
        Phantom { background: Tissue { modulus_kpa, damping: 0.1 }, ..plain.clone() },
        parse(SQUARE).unwrap(),
    ] {
        assert!(!other.is_axisymmetric(), "{other:?}");
        other.check().unwrap();
    }
}

#[test]
fn pixels_lie_around_the_image_s_centre() {
    let phantom = Phantom { pixel_mm: 0.5, size_px: 8, ..cylinder() };
    assert_eq!(phantom.pixel_centre(0, 0), [-1.75, -1.75]);
    assert_eq!(phantom.pixel_centre(2, 7), [1.75, -0.75]);
    let odd = Phantom { pixel_mm: 2.0, size_px: 9, ..cylinder() };
    assert_eq!(odd.pixel_centre(4, 4), [0.0, 0.0]);
}

#[test]
fn a_slab_is_divided_where_its_driven_part_ends() {
    let phantom = parse(LIVER).unwrap();
    let outline = phantom.outline().unwrap();
    let shares: Vec<f64> = outline.breaks().iter().map(|s| s / outline.length()).collect();
    assert_eq!(shares.len(), 2);
    assert!((shares[0] - 0.08).abs() < 1e-9 && (shares[1] - 0.94).abs() < 1e-9);
}

#[test]
fn inclusions_are_where_their_file_says() {
    let phantom = parse(CYLINDER).unwrap();
    let outlines = phantom.inclusion_outlines().unwrap();
    for (i, p) in [[30.0, -30.0], [-30.0, -30.0], [-30.0, 30.0], [30.0, 30.0]].into_iter().enumerate() {
        assert!(outlines.iter().enumerate().all(|(j, outline)| outline.contains(p) == (i == j)));
    }
    assert!((phantom.outline().unwrap().area() - 0.5 * TAU * 80.0 * 80.0).abs() < 1e-6);
}

#[test]
fn json_has_the_keys_of_the_file() {
    for text in [CYLINDER, SQUARE, LIVER, PRISM] {
        let phantom = parse(text).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&serde_json::to_string(&phantom).unwrap()).unwrap();
        let table: toml::Table = toml::from_str(&phantom.to_toml()).unwrap();
        assert_eq!(json, serde_json::to_value(table).unwrap());
        assert!(json["size_px"].is_number() && !json.to_string().contains("null"));
        let drive = if text == PRISM { &json["source"][0] } else { &json["drive"] };
        assert_eq!(drive["amplitude_mm"], phantom.drive.amplitude_mm);
    }
}
