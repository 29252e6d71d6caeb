//! Random prisms: any outline, any inner structure, driven at the face, at the wall or at both.
//!
//! Moduli and amplitudes are those of the other families. The image of a body is just large enough for it.

use super::Family;
use super::draw::{between, points, random, tissue};
use crate::fem::mesh::{Outline, OutlineShape, clash};
use crate::fem::model::{WallDirection, wavelength};
use crate::phantom::source::moments;
use crate::phantom::{
    Body, BodyOutline, Contact, Drive, Inclusion, InclusionShape, Modulus, Phantom, Source,
};
use fastrand::Rng;
use std::f64::consts::TAU;

/// The number of image planes.
const PLANES: usize = 8;
/// The part of the height with planes. Waves along z vanish at the far end, which is held.
const PLANES_FROM_TO: [f64; 2] = [0.1, 0.8];
/// The largest half side of an image, in pixels of 1 mm.
const HALF_SIDE: f64 = 128.0;
/// The least distance of layers' edges, mm.
const LEAST_LAYER: f64 = 12.0;
/// The share by which a drawn inclusion is enlarged for the check that it has room.
const ROOM: f64 = 1.15;

/// Draws a phantom of a family of prisms. It may be invalid: too large for an image, for example.
pub(super) fn body(family: Family, rng: &mut Rng) -> Phantom {
    let shape = outline(rng);
    let height_mm = between(rng, 70.0, 130.0);
    let mut background = tissue(rng);
    let inside = points(&shape);
    background.modulus_kpa = match family {
        Family::PrismRandom => smooth(rng, &inside),
        Family::PrismLayers => layers(rng, &inside),
        _ => background.modulus_kpa,
    };
    let count = match family {
        Family::Prism => 0,
        Family::PrismInclusions => rng.usize(1..=6),
        _ => rng.usize(0..=5).saturating_sub(2),
    };
    let mut phantom = Phantom {
        body: Body::Prism { outline: shape.clone(), height_mm, sources: vec![] },
        frequency_hz: 60.0,
        density: 1000.0,
        poisson: 0.499,
        slices_mm: slices(rng, height_mm),
        pixel_mm: 1.0,
        size_px: 8,
        drive: Drive::default(),
        background,
        inclusions: vec![],
    };
    let Ok(outline) = shape.outline() else { return phantom };
    phantom.size_px = size_px(&outline);
    phantom.inclusions = inclusions(rng, &outline, &inside, count);
    let typical = phantom.background.modulus_kpa.field().at(centre(&outline));
    let driven = sources(rng, &outline, height_mm, typical);
    if !driven.iter().any(|source| matches!(source.contact, Contact::Plate { .. })) {
        // The waves of pads and patches have a long way to the other side.
        phantom.background.damping = between(rng, 0.05, 0.15);
    }
    phantom.body = Body::Prism { outline: shape, height_mm, sources: driven };
    phantom
}

/// Rows and columns of the smallest image of a body, 0 for a body beyond the largest image: it is invalid, and another is
/// drawn.
pub(super) fn size_px(outline: &Outline) -> usize {
    let half = outline.bounds().iter().flatten().fold(0.0, |half: f64, v| half.max(v.abs())).ceil() + 1.0;
    if half <= HALF_SIDE { 2 * half as usize } else { 0 }
}

/// A modulus that varies, in two of three drawings: a smooth random field or layers.
pub(super) fn inner(rng: &mut Rng, points: &[[f64; 2]]) -> Option<Modulus> {
    match rng.u8(..3) {
        0 => None,
        1 => Some(smooth(rng, points)),
        _ => Some(layers(rng, points)),
    }
}

fn smooth(rng: &mut Rng, points: &[[f64; 2]]) -> Modulus {
    let least = between(rng, 1.0, 4.5);
    let most = between(rng, least + 0.5, 8.0);
    random(rng, points, [least, most])
}

pub(super) fn outline(rng: &mut Rng) -> BodyOutline {
    let (shape, least, most) = match rng.u8(..5) {
        0 => return BodyOutline::Circle { width_mm: between(rng, 120.0, 220.0) },
        1 => (OutlineShape::Liver, 150.0, 230.0),
        2 => (OutlineShape::Kidney, 130.0, 230.0),
        3 => (OutlineShape::Torso, 150.0, 235.0),
        _ => (OutlineShape::Blob, 120.0, 220.0),
    };
    BodyOutline::Drawn { shape, seed: rng.u32(..), width_mm: between(rng, least, most) }
}

/// One plane in each of equal parts of the height.
fn slices(rng: &mut Rng, height: f64) -> Vec<f64> {
    let [from, to] = PLANES_FROM_TO;
    let part = (to - from) / PLANES as f64;
    (0..PLANES).map(|k| height * (from + part * (k as f64 + rng.f64()))).collect()
}

fn centre(outline: &Outline) -> [f64; 2] {
    moments(outline).0
}

/// 2 to 5 layers in any direction, with edges at random over the points' extent.
fn layers(rng: &mut Rng, points: &[[f64; 2]]) -> Modulus {
    let angle_deg = between(rng, -180.0, 180.0);
    let (sin, cos) = angle_deg.to_radians().sin_cos();
    let along = points.iter().map(|p| p[0] * cos + p[1] * sin);
    let [low, high] = along.fold([0.0f64; 2], |[low, high], t| [low.min(t), high.max(t)]);
    let mut edges_mm: Vec<f64> =
        (0..rng.usize(1..=4)).map(|_| between(rng, 0.85 * low, 0.85 * high)).collect();
    edges_mm.sort_by(f64::total_cmp);
    edges_mm.dedup_by(|b, a| *b - *a < LEAST_LAYER);
    let layers_kpa = (0..=edges_mm.len()).map(|_| between(rng, 1.0, 8.0)).collect();
    Modulus::Layers { layers_kpa, edges_mm, angle_deg, blend_mm: between(rng, 3.0, 8.0) }
}

/// Up to `count` inclusions of any shape with room between them. The first of many places that is free is taken.
pub(super) fn inclusions(rng: &mut Rng, body: &Outline, places: &[[f64; 2]], count: usize) -> Vec<Inclusion> {
    let mut found: Vec<Inclusion> = vec![];
    let mut outlines = vec![body.clone()];
    for _ in 0..count {
        for _ in 0..40 {
            let at = rng.choice(places).copied().unwrap_or_default();
            let center_mm = at.map(|v| v + between(rng, -3.0, 3.0));
            let drawn = Drawn::new(rng, center_mm);
            let (Ok(wide), Ok(own)) = (drawn.shape(ROOM).outline(), drawn.shape(1.0).outline()) else {
                continue;
            };
            let all: Vec<&Outline> = outlines.iter().chain([&wide]).collect();
            if clash(&all).is_none() {
                outlines.push(own);
                found.push(Inclusion { shape: drawn.shape(1.0), tissue: tissue(rng) });
                break;
            }
        }
    }
    found
}

/// An inclusion that can be made in any size.
struct Drawn {
    kind: u8,
    center: [f64; 2],
    size: f64,
    slim: f64,
    angle: f64,
    /// The distance from the centre and the angle of a polygon's corners, for a size of 2.
    corners: Vec<[f64; 2]>,
}

impl Drawn {
    fn new(rng: &mut Rng, center: [f64; 2]) -> Drawn {
        let count = rng.usize(5..=8);
        let corner = |rng: &mut Rng, i: usize| {
            [between(rng, 0.6, 1.0), TAU * (i as f64 + between(rng, -0.25, 0.25)) / count as f64]
        };
        Drawn {
            kind: rng.u8(..5),
            center,
            size: between(rng, 10.0, 42.0),
            slim: between(rng, 0.45, 0.95),
            angle: between(rng, 0.0, 90.0),
            corners: (0..count).map(|i| corner(rng, i)).collect(),
        }
    }

    fn shape(&self, scale: f64) -> InclusionShape {
        let (center_mm, side_mm, angle_deg) = (self.center, self.size * scale, self.angle);
        match self.kind {
            0 => InclusionShape::Circle { center_mm, diameter_mm: side_mm },
            1 => InclusionShape::Square { center_mm, side_mm, angle_deg },
            2 => InclusionShape::Rectangle { center_mm, size_mm: [side_mm, side_mm * self.slim], angle_deg },
            3 => InclusionShape::Triangle { center_mm, side_mm: 1.3 * side_mm, angle_deg },
            _ => {
                let point = |[radius, angle]: &[f64; 2]| {
                    let (sin, cos) = angle.sin_cos();
                    [cos, sin].map(|v| v * radius * side_mm / 1.6)
                };
                let points = self.corners.iter().map(point);
                let points_mm = points.map(|[x, y]| [center_mm[0] + x, center_mm[1] + y]).collect();
                InclusionShape::Polygon { points_mm }
            }
        }
    }
}

/// A uniform plate, a tilted one, pads, patches of the wall, or pads and patches together. `kpa` is a typical modulus.
fn sources(rng: &mut Rng, outline: &Outline, height: f64, kpa: f64) -> Vec<Source> {
    let plate = |rng: &mut Rng, center_mm| {
        let contact = Contact::Plate { amplitude_mm: between(rng, 0.3, 0.9), center_mm };
        vec![Source { contact, phase_deg: 0.0 }]
    };
    match rng.u8(..5) {
        0 => plate(rng, None),
        1 => {
            let middle = centre(outline);
            let edge = outline.at(rng.f64() * outline.length());
            let share = between(rng, 0.05, 0.2);
            plate(rng, Some([0, 1].map(|k| middle[k] + share * (edge[k] - middle[k]))))
        }
        2 => pads(rng, outline, 1..=3),
        3 => walls(rng, height, kpa, 2..=4),
        _ => {
            let mut all = pads(rng, outline, 1..=2);
            all.extend(walls(rng, height, kpa, 1..=3));
            all
        }
    }
}

fn phase(rng: &mut Rng) -> f64 {
    between(rng, -180.0, 180.0)
}

/// Pads whose centres are in the outline.
fn pads(rng: &mut Rng, outline: &Outline, count: std::ops::RangeInclusive<usize>) -> Vec<Source> {
    let [low, high] = outline.bounds();
    let radius = (outline.area() / std::f64::consts::PI).sqrt();
    let one = |rng: &mut Rng| {
        let mut center_mm = centre(outline);
        for _ in 0..40 {
            let at = [0, 1].map(|k| between(rng, low[k], high[k]));
            if outline.contains(at) {
                center_mm = at;
                break;
            }
        }
        let radius_mm = radius * between(rng, 0.25, 0.7);
        let contact = Contact::Pad { amplitude_mm: between(rng, 0.3, 0.9), center_mm, radius_mm };
        Source { contact, phase_deg: phase(rng) }
    };
    (0..rng.usize(count)).map(|_| one(rng)).collect()
}

/// Patches of the wall, each in its own part of the outline. A traction A μ k gives a displacement of about A, as for a
/// plane wave with the wavenumber k.
fn walls(rng: &mut Rng, height: f64, kpa: f64, count: std::ops::RangeInclusive<usize>) -> Vec<Source> {
    let count = rng.usize(count);
    let around = rng.f64();
    let stiffness = kpa * TAU / wavelength(kpa, 1000.0, 60.0);
    let one = |rng: &mut Rng, i: usize| {
        let start = (around + (i as f64 + between(rng, 0.0, 0.5)) / count as f64).rem_euclid(1.0);
        let tall = height * between(rng, 0.35, 0.9);
        let bottom = between(rng, 0.0, height - tall);
        let contact = Contact::Wall {
            traction_kpa: stiffness * between(rng, 0.6, 1.8),
            arc: [start, start + between(rng, 0.08, 0.3)],
            span_mm: [bottom, bottom + tall],
            direction: if rng.u8(..4) == 0 { WallDirection::Normal } else { WallDirection::Along },
        };
        Source { contact, phase_deg: phase(rng) }
    };
    (0..count).map(|i| one(rng, i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIES: [Family; 4] =
        [Family::Prism, Family::PrismInclusions, Family::PrismRandom, Family::PrismLayers];

    #[test]
    fn bodies_are_valid_fill_their_image_and_vary() {
        let (mut outlines, mut drives, mut counts) = ([0; 5], [0; 4], vec![]);
        for family in FAMILIES {
            for seed in 0..40 {
                let phantom = family.draw(&mut Rng::with_seed(seed)).unwrap();
                assert_eq!(phantom, family.draw(&mut Rng::with_seed(seed)).unwrap());
                assert_eq!(Phantom::parse(&phantom.to_toml(), "drawn".as_ref()).unwrap(), phantom);
                assert_eq!(phantom.slices_mm.len(), 8);
                assert!(phantom.slices_mm.windows(2).all(|z| z[0] < z[1]));
                let Body::Prism { outline, sources, .. } = &phantom.body else { panic!("{phantom:?}") };
                outlines[match outline {
                    BodyOutline::Circle { .. } => 4,
                    BodyOutline::Drawn { shape, .. } => {
                        OutlineShape::ALL.iter().position(|s| s == shape).unwrap()
                    }
                    BodyOutline::Points { .. } => panic!("{phantom:?}"),
                }] += 1;
                for source in sources {
                    drives[match source.contact {
                        Contact::Plate { .. } => 0,
                        Contact::Pad { .. } => 1,
                        Contact::Wall { direction: WallDirection::Along, .. } => 2,
                        Contact::Wall { direction: WallDirection::Normal, .. } => 3,
                    }] += 1;
                }
                // The body is inside the image, and the image is no larger than it must be.
                let [low, high] = phantom.outline().unwrap().bounds();
                let reach = low.iter().chain(&high).fold(0.0, |most: f64, v| most.max(v.abs()));
                let half = phantom.size_px as f64 / 2.0;
                assert!(reach < half && half < reach + 3.0, "{reach} {half}");
                for tissue in
                    std::iter::once(&phantom.background).chain(phantom.inclusions.iter().map(|i| &i.tissue))
                {
                    assert!((0.05..=0.3).contains(&tissue.damping));
                }
                match family {
                    Family::Prism => assert!(phantom.inclusions.is_empty()),
                    Family::PrismInclusions => counts.push(phantom.inclusions.len()),
                    _ => assert!(!phantom.background.modulus_kpa.is_constant()),
                }
            }
        }
        assert!(
            outlines.iter().all(|n| *n > 10) && drives.iter().all(|n| *n > 10),
            "{outlines:?} {drives:?}"
        );
        assert!((1..=6).all(|n| counts.contains(&n)), "{counts:?}");
    }
}
