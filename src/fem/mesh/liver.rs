//! Outlines that resemble a liver in a transverse slice.

use super::outline::Outline;
use super::plane::{Point, between, scale, sub};
use crate::error::{Error, Result};
use fastrand::Rng;
use std::f64::consts::PI;

/// A liver of average shape, in units of half its width. It runs from the right lobe's end along the upper edge to
/// the left lobe's tip, and back along the lower edge.
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

/// A smooth outline that resembles a liver in a transverse slice. It is oriented as radiologists see it, with y
/// growing downward like the rows of an image. At small x it has a thick rounded right lobe. The left lobe tapers
/// toward large x. The edge between the lobes is concave at large y.
///
/// Every seed gives another outline. `size_mm` is the width along x, and (0, 0) is the centre of the bounds.
///
/// # Errors
/// [`Error::Usage`] if the size is not above zero.
pub fn liver(seed: u64, size_mm: f64) -> Result<Outline> {
    if !(size_mm > 0.0 && size_mm.is_finite()) {
        return Err(Error::Usage(format!("a liver's size is {size_mm} mm; give a number above zero")));
    }
    let mut rng = Rng::with_seed(seed);
    // A drawn outline rarely crosses itself. It is then discarded and another is drawn.
    for _ in 0..64 {
        if let Ok(outline) = fit(&draw(&mut rng), size_mm) {
            return Ok(outline);
        }
    }
    fit(&MIDDLE, size_mm)
}

fn draw(rng: &mut Rng) -> Vec<Point> {
    let mut any = |low: f64, high: f64| low + (high - low) * rng.f64();
    // The height of the dome, the depth of the right lobe, the thickness of the left lobe; the point where the lobes
    // meet, the height of the tip, and the depth of the concave edge.
    let (dome, right, left) = (any(0.8, 1.15), any(0.75, 1.2), any(-0.08, 0.16));
    let (waist, tip, hollow) = (any(-0.14, 0.2), any(-0.14, 0.16), any(-0.07, 0.07));
    let waves: Vec<[f64; 2]> = (2..6).map(|_| [any(-0.018, 0.018), any(0.0, 2.0 * PI)]).collect();
    let (sin, cos) = any(-0.15, 0.15).sin_cos();
    let point = |(i, [x, y]): (usize, Point)| {
        let y = y * if y < 0.0 { dome } else { right };
        // The height of the tip counts more toward the left lobe.
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

/// The smooth curve through `points`, scaled to `width` and centred on (0, 0).
pub(super) fn fit(points: &[Point], width: f64) -> Result<Outline> {
    let [low, high] = Outline::smooth(points)?.bounds();
    let (middle, by) = (between(low, high, 0.5), width / (high[0] - low[0]));
    Outline::smooth(&points.iter().map(|p| scale(sub(*p, middle), by)).collect::<Vec<_>>())
}
