//! Random phantoms of each family.
//!
//! As in the paper, moduli are uniform in 1 to 8 kPa, loss factors in 0.05 to 0.3, and amplitudes in 0.3 to 0.9 mm.
//! Varying moduli stay in the same range. The quantities that the paper does not state are varied widely: sizes,
//! depths of the slices, and free or held faces.

use super::Family;
use crate::phantom::{
    Body, BodyOutline, Drive, FarFace, Inclusion, InclusionShape, Modulus, ModulusField, OutlineShape,
    Phantom, Side, Tissue,
};
use fastrand::Rng;
use std::f64::consts::TAU;

/// The number of image planes of a cylinder.
const PLANES: usize = 4;

pub(super) fn phantom(family: Family, rng: &mut Rng) -> Phantom {
    match family {
        Family::Homogeneous => Phantom { body: cylinder(rng, true), ..cylindrical(rng) },
        Family::Linear => linear(rng),
        Family::OffCentre => off_centre(rng),
        Family::FourInclusions => four(rng),
        Family::TwoInclusions => Phantom { inclusions: anywhere(rng, 2, 85.0), ..cylindrical(rng) },
        Family::Square => square(rng),
        Family::SquareInclusions => {
            let phantom = square(rng);
            Phantom { inclusions: anywhere(rng, 4, 85.0), ..phantom }
        }
        Family::Liver => liver(rng),
        Family::Slab => super::slabs::slab(rng),
        Family::Prism | Family::PrismInclusions | Family::PrismRandom | Family::PrismLayers => {
            super::bodies::body(family, rng)
        }
    }
}

pub(super) fn between(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.f64()
}

pub(super) fn tissue(rng: &mut Rng) -> Tissue {
    Tissue { modulus_kpa: Modulus::Constant(between(rng, 1.0, 8.0)), damping: between(rng, 0.05, 0.3) }
}

fn far_face(rng: &mut Rng) -> FarFace {
    if rng.bool() { FarFace::Free } else { FarFace::Roller }
}

fn cylinder(rng: &mut Rng, any_face: bool) -> Body {
    Body::Cylinder {
        radius_mm: between(rng, 70.0, 105.0),
        height_mm: between(rng, 85.0, 115.0),
        far_face: if any_face { far_face(rng) } else { FarFace::Roller },
    }
}

/// A homogeneous cylinder with a roller at the far face.
fn cylindrical(rng: &mut Rng) -> Phantom {
    let body = cylinder(rng, false);
    let mut slices_mm: Vec<f64> = (0..PLANES).map(|_| between(rng, 15.0, 60.0)).collect();
    slices_mm.sort_by(f64::total_cmp);
    Phantom {
        body,
        frequency_hz: 60.0,
        density: 1000.0,
        poisson: 0.499,
        slices_mm,
        pixel_mm: 1.0,
        size_px: 256,
        drive: Drive { amplitude_mm: between(rng, 0.3, 0.9), offset_mm: [0.0; 2], radius_mm: None },
        background: tissue(rng),
        inclusions: vec![],
    }
}

/// The radius of a cylinder.
fn radius(phantom: &Phantom) -> f64 {
    match phantom.body {
        Body::Cylinder { radius_mm, .. } => radius_mm,
        _ => 0.0,
    }
}

/// A cylinder whose modulus varies linearly from one value at the rim to another at the opposite rim.
fn linear(rng: &mut Rng) -> Phantom {
    let phantom = cylindrical(rng);
    let [from, to] = [0; 2].map(|_| between(rng, 1.0, 8.0));
    let (sin, cos) = between(rng, 0.0, TAU).sin_cos();
    let slope = (to - from) / (2.0 * radius(&phantom));
    let terms = vec![(0, 0, (from + to) / 2.0), (1, 0, slope * cos), (0, 1, slope * sin)];
    Phantom {
        background: Tissue { modulus_kpa: Modulus::Polynomial(terms), ..phantom.background },
        ..phantom
    }
}

/// A rigid plate pushed away from its centre, or a soft pad.
fn off_centre(rng: &mut Rng) -> Phantom {
    let phantom = cylindrical(rng);
    let radius = radius(&phantom);
    let (sin, cos) = between(rng, 0.0, TAU).sin_cos();
    let pad = rng.bool().then(|| between(rng, 0.3, 0.7) * radius);
    let distance = radius * if pad.is_some() { between(rng, 0.1, 0.6) } else { between(rng, 0.05, 0.22) };
    let drive = Drive { offset_mm: [distance * cos, distance * sin], radius_mm: pad, ..phantom.drive };
    Phantom { drive, ..phantom }
}

/// A circle, a square, a rectangle and a triangle around the axis.
fn four(rng: &mut Rng) -> Phantom {
    let phantom = cylindrical(rng);
    let r = radius(&phantom);
    let (near, side) = (0.38 * r, 0.34 * r);
    let shapes = [
        InclusionShape::Circle { center_mm: [-near, -near], diameter_mm: side },
        InclusionShape::Square { center_mm: [near, -near], side_mm: side, angle_deg: 0.0 },
        InclusionShape::Rectangle {
            center_mm: [-near, near],
            size_mm: [1.2 * side, 0.9 * side],
            angle_deg: 0.0,
        },
        InclusionShape::Triangle { center_mm: [near, near], side_mm: 1.1 * side, angle_deg: 0.0 },
    ];
    let inclusions = shapes.map(|shape| Inclusion { shape, tissue: tissue(rng) });
    Phantom { inclusions: inclusions.into(), ..phantom }
}

/// Inclusions of random shape within `reach` mm of the centre along x and y.
fn anywhere(rng: &mut Rng, count: usize, reach: f64) -> Vec<Inclusion> {
    (0..count)
        .map(|_| {
            let center_mm = [0; 2].map(|_| between(rng, -reach, reach));
            let side_mm = between(rng, 15.0, 45.0);
            let angle_deg = between(rng, 0.0, 90.0);
            let shape = match rng.u8(..4) {
                0 => InclusionShape::Circle { center_mm, diameter_mm: side_mm },
                1 => InclusionShape::Square { center_mm, side_mm, angle_deg },
                2 => InclusionShape::Rectangle {
                    center_mm,
                    size_mm: [side_mm, side_mm * between(rng, 0.5, 0.9)],
                    angle_deg,
                },
                _ => InclusionShape::Triangle { center_mm, side_mm: 1.3 * side_mm, angle_deg },
            };
            Inclusion { shape, tissue: tissue(rng) }
        })
        .collect()
}

fn square(rng: &mut Rng) -> Phantom {
    let sides = [Side::Left, Side::Right, Side::Top, Side::Bottom];
    let body = Body::Square {
        side_mm: between(rng, 140.0, 210.0),
        far_face: far_face(rng),
        edge: sides[rng.usize(..4)],
    };
    Phantom { body, slices_mm: vec![], ..cylindrical(rng) }
}

/// A slab driven at its lateral side. The modulus is a polynomial of degree 3 or a random field.
fn liver(rng: &mut Rng) -> Phantom {
    let thickness_mm = between(rng, 10.0, 15.0);
    let width_mm = between(rng, 150.0, 215.0);
    let outline = BodyOutline::Drawn { shape: OutlineShape::Liver, seed: rng.u32(..), width_mm };
    let from = between(rng, 0.85, 1.0);
    let arc = [from, from + between(rng, 0.08, 0.2)];
    let least = between(rng, 1.0, 4.5);
    let range = [least, between(rng, least + 0.5, 8.0)];
    let points = points(&outline);
    let modulus_kpa = if rng.bool() {
        polynomial(rng, width_mm / 2.0, &points, range)
    } else {
        random(rng, &points, range)
    };
    let base = cylindrical(rng);
    Phantom {
        body: Body::Slab { outline, thickness_mm, arc },
        slices_mm: vec![thickness_mm / 2.0],
        background: Tissue { modulus_kpa, damping: base.background.damping },
        ..base
    }
}

/// A grid of points inside an outline; empty for an invalid outline.
pub(super) fn points(outline: &BodyOutline) -> Vec<[f64; 2]> {
    let Ok(outline) = outline.outline() else { return vec![] };
    let [low, high] = outline.bounds();
    let at = |k: usize, i: usize| low[k] + (high[k] - low[k]) * i as f64 / 24.0;
    (0..25 * 25).map(|i| [at(0, i % 25), at(1, i / 25)]).filter(|p| outline.contains(*p)).collect()
}

/// The least and the greatest value of a field at the points.
fn extremes(field: ModulusField, points: &[[f64; 2]]) -> [f64; 2] {
    let grow = |[low, high]: [f64; 2], v: f64| [low.min(v), high.max(v)];
    points.iter().map(|p| field.at(*p)).fold([f64::INFINITY, f64::NEG_INFINITY], grow)
}

/// A polynomial of degree 3 with the given range over the points. Where |x| and |y| are `half`, the terms of each
/// degree are about half as large as those of the degree before.
fn polynomial(rng: &mut Rng, half: f64, points: &[[f64; 2]], [least, most]: [f64; 2]) -> Modulus {
    let mut terms: Vec<(u32, u32, f64)> = vec![];
    for degree in 1..=3u32 {
        for i in 0..=degree {
            let term = between(rng, -1.0, 1.0) * (0.5 / half).powi(degree as i32);
            terms.push((i, degree - i, term));
        }
    }
    let [low, high] = extremes(Modulus::Polynomial(terms.clone()).field(), points);
    let scale = (most - least) / (high - low);
    let mut scaled: Vec<_> = terms.into_iter().map(|(i, j, c)| (i, j, c * scale)).collect();
    scaled.insert(0, (0, 0, least - low * scale));
    Modulus::Polynomial(scaled)
}

/// A random field with the given range over the points.
pub(super) fn random(rng: &mut Rng, points: &[[f64; 2]], [least, most]: [f64; 2]) -> Modulus {
    let (length_mm, seed) = (between(rng, 20.0, 60.0), rng.u32(..));
    let field = |mean_kpa, spread| Modulus::Random { mean_kpa, spread, length_mm, seed };
    let [low, high] = extremes(field(1.0, 1.0).field(), points).map(f64::ln);
    let spread = (most / least).ln() / (high - low);
    field(least / (spread * low).exp(), spread)
}
