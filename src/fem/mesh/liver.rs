//! Outlines like a liver's in a transverse slice.

use super::outline::Outline;
use super::plane::{Point, between, scale, sub};
use crate::error::{Error, Result};
use fastrand::Rng;
use std::f64::consts::PI;

/// A liver of middling shape, in parts of half its width: from the right end over the upper edge to the left tip, back along
/// the lower edge.
const MIDDLE: [Point; 16] = [
    [-1.0, 0.05],
    [-0.9, -0.3],
    [-0.62, -0.55],
    [-0.22, -0.64],
    [0.2, -0.58],
    [0.58, -0.46],
    [0.86, -0.31],
    [1.0, -0.18],
    [0.86, -0.1],
    [0.6, -0.1],
    [0.32, -0.06],
    [0.08, 0.05],
    [-0.1, 0.3],
    [-0.28, 0.56],
    [-0.55, 0.68],
    [-0.84, 0.46],
];

/// A smooth outline like a liver's in a transverse slice as radiologists look at it, y growing downward as the rows
/// of an image do: a thick rounded right lobe at small x, a left lobe tapering toward large x, the edge between them
/// hollow at large y. Every seed has its own; `size_mm` is its width along x, and (0, 0) the middle of its bounds.
///
/// # Errors
/// [`Error::Usage`] when the size is not above zero.
pub fn liver(seed: u64, size_mm: f64) -> Result<Outline> {
    if !(size_mm > 0.0 && size_mm.is_finite()) {
        return Err(Error::Usage(format!("a liver's size is {size_mm} mm; give a number above zero")));
    }
    let mut rng = Rng::with_seed(seed);
    // A drawing that crosses itself is seldom, and thrown away for the next.
    for _ in 0..64 {
        if let Ok(outline) = fit(&draw(&mut rng), size_mm) {
            return Ok(outline);
        }
    }
    fit(&MIDDLE, size_mm)
}

fn draw(rng: &mut Rng) -> Vec<Point> {
    let mut any = |low: f64, high: f64| low + (high - low) * rng.f64();
    // Height of the dome, depth of the right lobe, thickness of the left; where the lobes meet; height of the tip;
    // depth of the hollow.
    let (dome, right, left) = (any(0.8, 1.15), any(0.75, 1.2), any(-0.08, 0.16));
    let (waist, tip, hollow) = (any(-0.14, 0.2), any(-0.14, 0.16), any(-0.07, 0.07));
    let waves: Vec<[f64; 2]> = (2..6).map(|_| [any(-0.018, 0.018), any(0.0, 2.0 * PI)]).collect();
    let (sin, cos) = any(-0.15, 0.15).sin_cos();
    let point = |(i, [x, y]): (usize, Point)| {
        let y = y * if y < 0.0 { dome } else { right };
        // The further left, the more the tip's height counts.
        let y = y + tip * ((x + 0.3) / 1.3).max(0.0).powi(2);
        let [x, y] = match i {
            8 => [x, y + left / 2.0],
            9 => [x, y + left],
            10 => [x + waist / 2.0, y + left + hollow / 2.0],
            11 | 12 => [x + waist + hollow / 2.0, y + left / 2.0 + hollow],
            13 | 14 => [x + waist / 2.0, y],
            _ => [x, y],
        };
        let angle = y.atan2(x);
        let swell: f64 =
            (2..).zip(&waves).map(|(k, [a, phase])| a * (f64::from(k) * angle + phase).cos()).sum();
        let [x, y] = [x * (1.0 + swell), y * (1.0 + swell)];
        [cos * x - sin * y, sin * x + cos * y]
    };
    MIDDLE.into_iter().enumerate().map(point).collect()
}

/// The smooth curve through `points`, scaled to `width` and shifted so that its bounds are around (0, 0).
fn fit(points: &[Point], width: f64) -> Result<Outline> {
    let [low, high] = Outline::smooth(points)?.bounds();
    let (middle, by) = (between(low, high, 0.5), width / (high[0] - low[0]));
    Outline::smooth(&points.iter().map(|p| scale(sub(*p, middle), by)).collect::<Vec<_>>())
}
