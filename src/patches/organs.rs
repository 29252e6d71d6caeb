//! Outlines of organs, cut out of larger bodies: a patch then sees what lies within.

use crate::phantom::OutlineShape;
use fastrand::Rng;
use std::f32::consts::TAU;

/// Rows and columns of a drawing.
const SIDE: usize = 128;
/// The number of drawings of each shape.
const EACH: u64 = 12;
/// The range of an organ's width, in pixels of the image.
const WIDTHS: [f32; 2] = [50.0, 190.0];

/// Drawings of outlines, to be placed anywhere in any size and direction.
#[derive(Debug)]
pub struct Organs(Vec<Vec<bool>>);

/// An organ in an image.
#[derive(Clone, Copy, Debug)]
pub struct Organ<'a> {
    drawing: &'a [bool],
    /// Row and column of the middle.
    middle: [f32; 2],
    /// Pixels of the drawing per pixel of the image, along the image's rows and columns.
    step: [f32; 2],
    mirrored: bool,
    width: f32,
}

impl Organs {
    /// Draws the outlines of all shapes.
    pub fn draw() -> Self {
        let all = OutlineShape::ALL.into_iter().flat_map(|shape| (0..EACH).map(move |seed| (shape, seed)));
        let inside = |(shape, seed): (OutlineShape, u64)| {
            let outline = shape.outline(seed, 0.98 * SIDE as f64).expect("a width above zero");
            let at = |i: usize| i as f64 - (SIDE as f64 - 1.0) / 2.0;
            (0..SIDE * SIDE).map(|i| outline.contains([at(i % SIDE), at(i / SIDE)])).collect()
        };
        Self(all.map(inside).collect())
    }

    /// Places a random organ with its middle between the first and the last row, and the first and the last column, of
    /// `bounds`.
    pub fn place(&self, bounds: [[usize; 2]; 2], rng: &mut Rng) -> Organ<'_> {
        let [narrow, wide] = WIDTHS;
        let width = narrow * (wide / narrow).powf(rng.f32());
        let (sin, cos) = (TAU * rng.f32()).sin_cos();
        let scale = SIDE as f32 / width;
        Organ {
            drawing: &self.0[rng.usize(..self.0.len())],
            middle: bounds.map(|[first, last]| first as f32 + rng.f32() * (last - first) as f32),
            step: [scale * cos, scale * sin],
            mirrored: rng.bool(),
            width,
        }
    }
}

impl Organ<'_> {
    /// Reports whether a pixel of the image is in the organ.
    pub fn has(&self, y: f32, x: f32) -> bool {
        let [dy, dx] = [y - self.middle[0], x - self.middle[1]];
        let [along, across] = self.step;
        let row = along * dy + across * dx;
        let column = along * dx - across * dy;
        let half = SIDE as f32 / 2.0;
        let [row, column] = [row, if self.mirrored { -column } else { column }].map(|v| v + half);
        let within = |v: f32| (0.0..SIDE as f32).contains(&v);
        within(row) && within(column) && self.drawing[row as usize * SIDE + column as usize]
    }

    /// The part of `bounds` that the organ can reach.
    pub fn within(&self, bounds: [[usize; 2]; 2]) -> [[usize; 2]; 2] {
        let reach = self.width * 0.5f32.sqrt();
        [0, 1].map(|k| {
            let [first, last] = bounds[k];
            let low = (self.middle[k] - reach).max(first as f32) as usize;
            [low, ((self.middle[k] + reach) as usize).clamp(low, last)]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organs_have_the_drawn_width_and_lie_in_their_bounds() {
        let organs = Organs::draw();
        assert!(
            organs
                .0
                .iter()
                .all(|d| (SIDE * SIDE / 4..SIDE * SIDE * 9 / 10).contains(&d.iter().filter(|p| **p).count()))
        );
        let mut rng = Rng::with_seed(2);
        let mut widths = [0; 2];
        for _ in 0..100 {
            let bounds = [[40, 260], [30, 280]];
            let organ = organs.place(bounds, &mut rng);
            let pixels: Vec<[usize; 2]> = (0..400 * 400)
                .map(|i| [i / 400, i % 400])
                .filter(|[y, x]| organ.has(*y as f32, *x as f32))
                .collect();
            let [rows, columns] = organ.within([[0, 399], [0, 399]]);
            assert!(
                pixels
                    .iter()
                    .all(|[y, x]| (rows[0]..=rows[1]).contains(y) && (columns[0]..=columns[1]).contains(x))
            );
            // The area of a drawing, in the organ's size.
            let drawn = organ.drawing.iter().filter(|p| **p).count() as f32;
            let expected = drawn * (organ.width / SIDE as f32).powi(2);
            if organ.middle.iter().all(|v| (140.0..260.0).contains(v)) {
                assert!((pixels.len() as f32 / expected - 1.0).abs() < 0.05, "{} {expected}", pixels.len());
            }
            widths[usize::from(organ.width > 100.0)] += 1;
        }
        assert!(widths.iter().all(|n| *n > 25), "{widths:?}");
    }
}
