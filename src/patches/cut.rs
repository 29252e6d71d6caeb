//! Cutting of patches from an image at random places, with optional rotation, zoom and mesh texture.

use super::images::Image;
use super::{Augmentation, INSIDE};
use fastrand::Rng;
use num_complex::Complex32;
use std::f32::consts::TAU;

/// Maximum number of tries to find a place with this share inside.
const TRIES: usize = 64;
/// Range of the node spacing in a coarse patch, in pixels.
const NODES: [f32; 2] = [1.2, 3.0];

/// Cuts patches from images.
#[derive(Debug, Clone, Copy)]
pub struct Cutter {
    side: usize,
    /// The largest zoom factor; 1 means no zoom.
    zoom: f32,
    /// The share of coarse patches, 0 to 1.
    texture: f32,
}

/// Destination of a patch: `input` is `[2, side, side]`, `truth` and `mask` are `[side, side]`.
pub struct Cut<'a> {
    pub input: &'a mut [f32],
    pub truth: &'a mut [f32],
    pub mask: &'a mut [f32],
}

/// Position of a patch in the image: its centre, and the step from one column to the next.
struct Place {
    middle: [f32; 2],
    step: [f32; 2],
}

impl Place {
    /// Returns row and column in the image for a row and column of the patch.
    fn at(&self, side: usize, [row, column]: [f32; 2]) -> [f32; 2] {
        let half = (side as f32 - 1.0) / 2.0;
        let [dy, dx] = [row - half, column - half];
        let [along, across] = self.step;
        [self.middle[0] + along * dy + across * dx, self.middle[1] - across * dy + along * dx]
    }
}

impl Cutter {
    /// Creates a cutter for patches of `side` × `side` pixels, with the zoom and texture in `augmentations`.
    pub fn new(side: usize, augmentations: &[Augmentation]) -> Self {
        let mut cutter = Self { side, zoom: 1.0, texture: 0.0 };
        for one in augmentations {
            match *one {
                Augmentation::Zoom { most } => cutter.zoom = most,
                Augmentation::Texture { share } => cutter.texture = share,
                _ => {}
            }
        }
        cutter
    }

    /// Rows and columns of a patch.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Cuts a patch at a random place.
    ///
    /// If zoom is requested, half of the patches are rotated by any angle and zoomed by a factor z. A wave
    /// magnified by z is that of a body magnified by z. The frequency stays, so its modulus is z² times as
    /// high.
    pub fn cut(&self, image: Image, rng: &mut Rng, mut to: Cut) {
        let turned = self.zoom > 1.0 && rng.bool();
        let (zoom, angle) =
            if turned { (self.zoom.powf(2.0 * rng.f32() - 1.0), TAU * rng.f32()) } else { (1.0, 0.0) };
        let coarse = rng.f32() < self.texture;
        let mut best = (-1.0, Place { middle: [0.0; 2], step: [1.0, 0.0] });
        for _ in 0..TRIES {
            let place = self.place(image, rng, zoom, angle);
            let share = self.inside(image, &place);
            if share > best.0 {
                best = (share, place);
            }
            if share >= INSIDE {
                break;
            }
        }
        let place = best.1;
        if coarse {
            let nodes = Nodes::new(self.side, rng);
            self.fill(image, &place, zoom, &mut to, |pixel| nodes.nearest(pixel));
        } else {
            self.fill(image, &place, zoom, &mut to, |pixel| pixel);
        }
    }

    fn place(&self, image: Image, rng: &mut Rng, zoom: f32, angle: f32) -> Place {
        let half = (self.side as f32 - 1.0) / 2.0;
        let middle = image.bounds.map(|[first, last]| {
            // The centre is a whole number of pixels from a corner, so an unrotated patch needs no
            // interpolation.
            first as f32 + (rng.f32() * (last - first + 1) as f32).floor() + half.fract()
        });
        let (sin, cos) = angle.sin_cos();
        Place { middle, step: [cos / zoom, sin / zoom] }
    }

    fn inside(&self, image: Image, place: &Place) -> f64 {
        let all = (0..self.side * self.side).filter(|i| {
            let [y, x] = place.at(self.side, self.pixel(*i)).map(f32::round);
            image.has(y, x)
        });
        all.count() as f64 / (self.side * self.side) as f64
    }

    fn pixel(&self, i: usize) -> [f32; 2] {
        [(i / self.side) as f32, (i % self.side) as f32]
    }

    fn fill(
        &self,
        image: Image,
        place: &Place,
        zoom: f32,
        to: &mut Cut,
        from: impl Fn([f32; 2]) -> [f32; 2],
    ) {
        let pixels = self.side * self.side;
        let (re, im) = to.input.split_at_mut(pixels);
        for i in 0..pixels {
            let at = place.at(self.side, self.pixel(i));
            let [y, x] = at.map(f32::round);
            let inside = image.has(y, x);
            let wave = if inside {
                image
                    .interpolate(place.at(self.side, from(self.pixel(i))))
                    .unwrap_or_else(|| image.interpolate(at).unwrap_or_default())
            } else {
                Complex32::ZERO
            };
            (re[i], im[i]) = (wave.re, wave.im);
            to.mask[i] = f32::from(u8::from(inside));
            to.truth[i] =
                if inside { image.modulus[y as usize * image.size + x as usize] * zoom * zoom } else { 0.0 };
        }
        scale(to.input);
    }
}

/// Scales the input to a peak of 1. Displacements of micrometres would lose their sum of squares in f32.
fn scale(input: &mut [f32]) {
    let peak = input.iter().fold(0f32, |peak, v| peak.max(v.abs()));
    if peak > 0.0 {
        input.iter_mut().for_each(|v| *v /= peak);
    }
}

impl Image<'_> {
    fn has(&self, y: f32, x: f32) -> bool {
        let last = (self.size - 1) as f32;
        (0.0..=last).contains(&y)
            && (0.0..=last).contains(&x)
            && self.mask[y as usize * self.size + x as usize] > 0
    }

    /// Bilinear interpolation over those of the four neighbours that are inside; `None` if none is.
    fn interpolate(&self, [y, x]: [f32; 2]) -> Option<Complex32> {
        let (mut sum, mut weights) = (Complex32::ZERO, 0.0);
        for (row, wy) in [(y.floor(), 1.0 - y + y.floor()), (y.floor() + 1.0, y - y.floor())] {
            for (column, wx) in [(x.floor(), 1.0 - x + x.floor()), (x.floor() + 1.0, x - x.floor())] {
                let weight = wy * wx;
                if weight > 0.0 && self.has(row, column) {
                    sum += self.wave[row as usize * self.size + column as usize] * weight;
                    weights += weight;
                }
            }
        }
        (weights > 0.0).then(|| sum / weights)
    }
}

/// Nodes of an uneven mesh over a patch. Each pixel gets the wave at the nearest node, as in images drawn from
/// a mesh without interpolation.
struct Nodes {
    spacing: f32,
    columns: usize,
    nodes: Vec<[f32; 2]>,
}

impl Nodes {
    fn new(side: usize, rng: &mut Rng) -> Self {
        let spacing = NODES[0] + (NODES[1] - NODES[0]) * rng.f32();
        // The mesh has one extra cell beyond each edge.
        let columns = (side as f32 / spacing).ceil() as usize + 2;
        let node = |i: usize, rng: &mut Rng| {
            [i / columns, i % columns].map(|cell| (cell as f32 - 1.0 + rng.f32()) * spacing)
        };
        Self { spacing, columns, nodes: (0..columns * columns).map(|i| node(i, rng)).collect() }
    }

    fn nearest(&self, [y, x]: [f32; 2]) -> [f32; 2] {
        let [row, column] = [y, x].map(|v| (v / self.spacing) as usize);
        let mut best = (f32::INFINITY, [y, x]);
        for (r, c) in (row..row + 3).flat_map(|r| (column..column + 3).map(move |c| (r, c))) {
            if let Some(node) = self.nodes.get(r * self.columns + c).filter(|_| c < self.columns) {
                let distance = (node[0] - y).powi(2) + (node[1] - x).powi(2);
                if distance < best.0 {
                    best = (distance, *node);
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zoom multiplies the wavelength by z and the modulus by z², so modulus × wavenumber² must stay the same.
    #[test]
    fn modulus_times_wavenumber_squared_stays() {
        let (size, side, k, modulus) = (120, 30, 0.2f32, 3.0f32);
        let wave: Vec<Complex32> =
            (0..size * size).map(|i| Complex32::from_polar(1.0, k * (i % size) as f32)).collect();
        let (moduli, mask) = (vec![modulus; size * size], vec![1; size * size]);
        let bounds = [[20, size - 21]; 2];
        let image = Image { size, wave: &wave, modulus: &moduli, mask: &mask, bounds };
        let cutter = Cutter::new(side, &[Augmentation::Zoom { most: 1.5 }]);
        let mut rng = Rng::with_seed(1);
        let mut zoomed = 0;
        for _ in 0..60 {
            let n = side * side;
            let [mut input, mut truth, mut mask] = [2, 1, 1].map(|c| vec![0.0; c * n]);
            cutter.cut(image, &mut rng, Cut { input: &mut input, truth: &mut truth, mask: &mut mask });
            let u = |i: usize| Complex32::new(input[i], input[n + i]);
            let middle = side / 2 * side + side / 2;
            let turn = |step: usize| (u(middle + 3 * step) * u(middle - 3 * step).conj()).arg() / 6.0;
            let found = truth[middle] * (turn(1).powi(2) + turn(side).powi(2));
            assert!(
                (found / (modulus * k * k) - 1.0).abs() < 0.06,
                "{found}, at a modulus of {}",
                truth[middle]
            );
            zoomed += usize::from((truth[middle] / modulus - 1.0).abs() > 0.3);
        }
        assert!(zoomed > 10, "{zoomed} zoomed");
    }
}
