//! Random phantoms and files.

use super::*;
use crate::fem::mesh::Outline;

/// A random phantom, which may be invalid.
fn draw(rng: &mut Rng) -> Phantom {
    let real = |rng: &mut Rng, low: f64, high: f64| low + (high - low) * rng.f64();
    let modulus = |rng: &mut Rng| match rng.u8(0..4) {
        0 => Modulus::Constant(real(rng, 0.5, 9.0)),
        1 => {
            Modulus::Polynomial(vec![(0, 0, real(rng, 2.0, 9.0)), (1, rng.u32(0..3), real(rng, -1e-3, 1e-3))])
        }
        2 => Modulus::Layers {
            layers_kpa: (0..3).map(|_| real(rng, 1.0, 8.0)).collect(),
            edges_mm: vec![real(rng, -30.0, 10.0), real(rng, 0.0, 30.0)],
            angle_deg: real(rng, -360.0, 360.0),
            blend_mm: real(rng, 2.0, 9.0),
        },
        _ => Modulus::Random {
            mean_kpa: real(rng, 1.0, 8.0),
            spread: real(rng, 0.01, 0.5),
            length_mm: real(rng, 5.0, 80.0),
            seed: rng.u32(..),
        },
    };
    let tissue = |rng: &mut Rng| Tissue { modulus_kpa: modulus(rng), damping: real(rng, 0.01, 1.0) };
    let place = |rng: &mut Rng| [real(rng, -60.0, 60.0), real(rng, -60.0, 60.0)];
    let inclusion = |rng: &mut Rng| {
        let (center_mm, side_mm, angle_deg) = (place(rng), real(rng, 3.0, 30.0), real(rng, -360.0, 360.0));
        let shape = match rng.u8(0..5) {
            0 => InclusionShape::Circle { center_mm, diameter_mm: side_mm },
            1 => InclusionShape::Square { center_mm, side_mm, angle_deg },
            2 => InclusionShape::Rectangle { center_mm, size_mm: [side_mm, real(rng, 3.0, 20.0)], angle_deg },
            3 => InclusionShape::Triangle { center_mm, side_mm, angle_deg },
            _ => InclusionShape::Polygon { points_mm: vec![place(rng), place(rng), place(rng)] },
        };
        Inclusion { shape, tissue: tissue(rng) }
    };
    let outline = |rng: &mut Rng| match rng.u8(0..4) {
        0 => BodyOutline::Circle { width_mm: real(rng, 100.0, 250.0) },
        1 => {
            let shape = OutlineShape::ALL[rng.usize(0..4)];
            BodyOutline::Drawn { shape, seed: rng.u32(..), width_mm: real(rng, 100.0, 250.0) }
        }
        k => BodyOutline::Points { points_mm: (0..5).map(|_| place(rng)).collect(), smooth: k == 2 },
    };
    let source = |rng: &mut Rng| {
        let amplitude_mm = real(rng, 0.1, 1.0);
        let contact = match rng.u8(0..3) {
            0 => Contact::Plate { amplitude_mm, center_mm: rng.bool().then(|| place(rng)) },
            1 => Contact::Pad { amplitude_mm, center_mm: place(rng), radius_mm: real(rng, 2.0, 40.0) },
            _ => {
                let (start, low) = (real(rng, 0.0, 1.0), real(rng, 0.0, 30.0));
                Contact::Wall {
                    traction_kpa: real(rng, 0.1, 3.0),
                    arc: [start, start + real(rng, 0.02, 0.5)],
                    span_mm: [low, low + real(rng, 10.0, 40.0)],
                    direction: [WallDirection::Along, WallDirection::Normal][rng.usize(0..2)],
                }
            }
        };
        Source { contact, phase_deg: real(rng, -360.0, 360.0) }
    };
    let far_face = if rng.bool() { FarFace::Roller } else { FarFace::Free };
    let edge = [Side::Left, Side::Right, Side::Top, Side::Bottom][rng.usize(0..4)];
    let (mut slices_mm, mut offset_mm, mut radius_mm) = (vec![], [0.0, 0.0], None);
    let mut amplitude_mm = real(rng, 0.01, 2.0);
    let body = match rng.u8(0..4) {
        0 => {
            slices_mm = (0..rng.usize(1..6)).map(|_| real(rng, 0.0, 60.0)).collect();
            offset_mm = place(rng).map(|v| v * f64::from(rng.u8(0..2)));
            radius_mm = rng.bool().then(|| real(rng, 5.0, 60.0));
            Body::Cylinder { radius_mm: real(rng, 60.0, 100.0), height_mm: real(rng, 60.0, 150.0), far_face }
        }
        1 => {
            amplitude_mm = Drive::default().amplitude_mm;
            slices_mm = (0..rng.usize(1..6)).map(|_| real(rng, 0.0, 60.0)).collect();
            Body::Prism {
                outline: outline(rng),
                height_mm: real(rng, 60.0, 150.0),
                sources: (0..rng.usize(1..4)).map(|_| source(rng)).collect(),
            }
        }
        2 => Body::Square { side_mm: real(rng, 100.0, 250.0), far_face, edge },
        _ => {
            slices_mm = vec![real(rng, 0.0, 8.0)];
            let start = real(rng, 0.0, 1.0);
            Body::Slab {
                outline: outline(rng),
                thickness_mm: real(rng, 8.0, 20.0),
                arc: [start, start + real(rng, 0.02, 0.5)],
            }
        }
    };
    Phantom {
        body,
        frequency_hz: real(rng, 20.0, 400.0),
        density: real(rng, 900.0, 1100.0),
        poisson: real(rng, 0.0, 0.4999),
        slices_mm,
        pixel_mm: real(rng, 0.3, 3.0),
        size_px: rng.usize(8..500),
        drive: Drive { amplitude_mm, offset_mm, radius_mm },
        background: tissue(rng),
        inclusions: (0..rng.usize(0..4)).map(|_| inclusion(rng)).collect(),
    }
}

/// The message without the file, the position, and the line number of another inclusion.
fn bare(message: &str) -> String {
    let message = message.splitn(4, ':').nth(3).unwrap().trim_start();
    match message.split_once(" (line ") {
        Some((before, after)) => format!("{before}{}", after.split_once(')').unwrap().1),
        None => message.to_string(),
    }
}

#[test]
fn what_is_written_is_read_back_and_judged_alike() {
    let mut rng = Rng::with_seed(8);
    let mut good = 0;
    for i in 0..300 {
        let phantom = draw(&mut rng);
        let text = phantom.to_toml();
        match (phantom.check(), parse(&text)) {
            (Ok(()), Ok(read)) => {
                assert_eq!(read, phantom, "{i}: {text}");
                good += 1;
            }
            (Err(Error::Usage(made)), Err(Error::Usage(read))) => assert_eq!(made, bare(&read), "{i}"),
            (made, read) => panic!("{i}: {made:?}, {read:?}\n{text}"),
        }
    }
    assert!((75..275).contains(&good), "{good}");
}

#[test]
fn an_image_sees_a_body_if_a_pixel_does() {
    let mut rng = Rng::with_seed(12);
    let mut counts = [0, 0];
    for i in 0..400 {
        // A triangle about as large as the pixels, inside or outside the image.
        let corner = |rng: &mut Rng| [12.0 * rng.f64() - 6.0, 12.0 * rng.f64() - 6.0];
        let at = corner(&mut rng).map(|v| 3.0 * v);
        let points_mm: Vec<_> =
            (0..3).map(|_| corner(&mut rng)).map(|p| [p[0] + at[0], p[1] + at[1]]).collect();
        let outline = BodyOutline::Points { points_mm: points_mm.clone(), smooth: false };
        let phantom = Phantom {
            body: Body::Slab { outline, thickness_mm: 10.0, arc: [0.1, 0.4] },
            pixel_mm: 2.5,
            size_px: 8,
            slices_mm: vec![5.0],
            ..cylinder()
        };
        let Ok(outline) = Outline::polygon(&points_mm) else { continue };
        let all = (0..64).map(|k| phantom.pixel_centre(k / 8, k % 8));
        let sees = all.into_iter().any(|p| outline.contains(p));
        let message = phantom.check().err().map(|e| e.to_string()).unwrap_or_default();
        if message.contains("makes no outline") || message.contains("reaches over") {
            continue;
        }
        counts[usize::from(sees)] += 1;
        assert_eq!(sees, !message.contains("no pixel of the image"), "{i}: {points_mm:?} {message}");
    }
    assert!(counts.iter().all(|n| *n > 50), "{counts:?}");
}

#[test]
fn damaged_files_never_panic() {
    let mut rng = Rng::with_seed(5);
    let bits = [
        "nan",
        "-inf",
        "1e308",
        "0",
        "-1",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'''",
        "=",
        "\n",
        "[[inclusion]]",
        "ß",
        "99999999999",
    ];
    let mut counts = [0, 0];
    for text in [CYLINDER, SQUARE, LIVER, PRISM] {
        for length in 0..text.len() {
            if text.is_char_boundary(length) {
                let _ = parse(&text[..length]);
            }
        }
        for _ in 0..400 {
            let mut damaged: Vec<char> = text.chars().collect();
            for _ in 0..rng.usize(1..4) {
                let (at, length) = (rng.usize(0..damaged.len()), rng.usize(0..6));
                let end = (at + length).min(damaged.len());
                let new = bits[rng.usize(0..bits.len())];
                damaged.splice(at..end, new.chars().filter(|_| length % 2 == 0).collect::<Vec<_>>());
            }
            let damaged: String = damaged.into_iter().collect();
            let found = parse(&damaged);
            counts[usize::from(found.is_ok())] += 1;
            if let Err(e) = found {
                let message = e.to_string();
                assert!(message.starts_with("phantom.toml:") && !message.contains('\n'), "{message}");
            }
        }
    }
    assert!(counts.iter().all(|n| *n > 50), "{counts:?}");
}
