//! Cutting of patches from an image at random places, with optional rotation, zoom, mesh texture, outlines of organs and
//! surroundings.

use super::images::Image;
use super::organs::{Organ, Organs};
use super::{Augmentation, INSIDE, LEAST_COVER};
use fastrand::Rng;
use num_complex::Complex32;
use std::f32::consts::TAU;

/// Maximum number of tries to find a place with this share inside.
const TRIES: usize = 64;
/// Maximum number of organs that are tried until one has such a place.
const ORGANS: usize = 8;
/// Makes places of a view positive before they are converted to integers.
const SHIFT: i32 = 4096;
/// Range of the node spacing in a coarse patch, in pixels.
const NODES: [f32; 2] = [1.2, 3.0];

/// Cuts patches from images.
#[derive(Debug)]
pub struct Cutter {
    side: usize,
    /// The sides of a pixel of each view of the surroundings, in pixels of a patch; all are odd.
    scales: Vec<usize>,
    /// The largest zoom factor; 1 means no zoom.
    zoom: f32,
    /// The share of coarse patches, 0 to 1.
    texture: f32,
    /// The outlines of organs, and the share of patches that are seen through them.
    organs: Option<(Organs, f32)>,
}

/// Destination of a patch: `input` is `[2, side, side]`, `surroundings` `[views, 2, side, side]`, `truth` and `mask` are
/// `[side, side]`.
pub struct Cut<'a> {
    pub input: &'a mut [f32],
    pub surroundings: &'a mut [f32],
    pub truth: &'a mut [f32],
    pub mask: &'a mut [f32],
}

/// An image, or the part of it in an organ.
#[derive(Clone, Copy)]
struct Scene<'a> {
    image: Image<'a>,
    organ: Option<Organ<'a>>,
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
    /// Creates a cutter for patches of `side` × `side` pixels with views of their surroundings of these `scales`, and with
    /// the zoom, the texture and the organs in `augmentations`.
    pub fn new(side: usize, scales: &[usize], augmentations: &[Augmentation]) -> Self {
        let mut cutter = Self { side, scales: scales.to_vec(), zoom: 1.0, texture: 0.0, organs: None };
        for one in augmentations {
            match *one {
                Augmentation::Zoom { most } => cutter.zoom = most,
                Augmentation::Texture { share } => cutter.texture = share,
                Augmentation::Organs { share } => cutter.organs = Some((Organs::draw(), share)),
                _ => {}
            }
        }
        cutter
    }

    /// Rows and columns of a patch.
    pub fn side(&self) -> usize {
        self.side
    }

    /// The sides of a pixel of each view of the surroundings, in pixels of a patch.
    pub fn scales(&self) -> &[usize] {
        &self.scales
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
        let whole = Scene { image, organ: None };
        let seen = match &self.organs {
            Some((organs, share)) if rng.f32() < *share => (0..ORGANS).find_map(|_| {
                let organ = organs.place(image.bounds, rng);
                let scene = Scene { image, organ: Some(organ) };
                let (share, place) = self.find(scene, organ.within(image.bounds), rng, [zoom, angle]);
                (share >= INSIDE).then_some((scene, place))
            }),
            _ => None,
        };
        let (scene, place) =
            seen.unwrap_or_else(|| (whole, self.find(whole, image.bounds, rng, [zoom, angle]).1));
        if coarse {
            let nodes = Nodes::new(self.side, rng);
            self.fill(scene, &place, zoom, &mut to, |pixel| nodes.nearest(pixel));
        } else {
            self.fill(scene, &place, zoom, &mut to, |pixel| pixel);
        }
        let each = 2 * self.side * self.side;
        for (scale, view) in self.scales.iter().zip(to.surroundings.chunks_exact_mut(each)) {
            self.surround(scene, &place, *scale, view);
        }
        rescale(to.input, to.surroundings);
    }

    /// Finds a place with its middle in `bounds` and enough of the patch inside, or else the best of many. Returns the share
    /// inside, too.
    fn find(&self, scene: Scene, bounds: [[usize; 2]; 2], rng: &mut Rng, turn: [f32; 2]) -> (f64, Place) {
        let mut best = (-1.0, Place { middle: [0.0; 2], step: [1.0, 0.0] });
        for _ in 0..TRIES {
            let place = self.place(bounds, rng, turn);
            let share = self.inside(scene, &place);
            if share > best.0 {
                best = (share, place);
            }
            if share >= INSIDE {
                break;
            }
        }
        best
    }

    fn place(&self, bounds: [[usize; 2]; 2], rng: &mut Rng, [zoom, angle]: [f32; 2]) -> Place {
        let half = (self.side as f32 - 1.0) / 2.0;
        let middle = bounds.map(|[first, last]| {
            // The centre is a whole number of pixels from a corner, so an unrotated patch needs no
            // interpolation.
            first as f32 + (rng.f32() * (last - first + 1) as f32).floor() + half.fract()
        });
        let (sin, cos) = angle.sin_cos();
        Place { middle, step: [cos / zoom, sin / zoom] }
    }

    fn inside(&self, scene: Scene, place: &Place) -> f64 {
        let all =
            (0..self.side * self.side).filter(|i| scene.pixel(place.at(self.side, self.pixel(*i))).is_some());
        all.count() as f64 / (self.side * self.side) as f64
    }

    fn pixel(&self, i: usize) -> [f32; 2] {
        [(i / self.side) as f32, (i % self.side) as f32]
    }

    fn fill(
        &self,
        scene: Scene,
        place: &Place,
        zoom: f32,
        to: &mut Cut,
        from: impl Fn([f32; 2]) -> [f32; 2],
    ) {
        let pixels = self.side * self.side;
        let (re, im) = to.input.split_at_mut(pixels);
        for i in 0..pixels {
            let at = place.at(self.side, self.pixel(i));
            let inside = scene.pixel(at);
            let wave = inside.map(|_| {
                let own = scene.interpolate(place.at(self.side, from(self.pixel(i))));
                own.unwrap_or_else(|| scene.interpolate(at).unwrap_or_default())
            });
            let wave = wave.unwrap_or_default();
            (re[i], im[i]) = (wave.re, wave.im);
            to.mask[i] = f32::from(u8::from(inside.is_some()));
            to.truth[i] = inside.map_or(0.0, |pixel| scene.image.modulus[pixel] * zoom * zoom);
        }
    }

    /// Fills a view of the surroundings, as `kernels/tiles/coarsen.wgsl` does: its pixels are means over `scale` × `scale`
    /// of the patch's, around the same centre.
    fn surround(&self, scene: Scene, place: &Place, scale: usize, view: &mut [f32]) {
        let pixels = self.side * self.side;
        let (re, im) = view.split_at_mut(pixels);
        // The views' first row and column, in those of the patch. Scales are odd, so this is whole.
        let first = -((self.side * (scale - 1) / 2) as f32);
        for i in 0..pixels {
            let [y, x] = place.at(self.side, self.pixel(i).map(|v| first + scale as f32 * v));
            let [along, across] = place.step;
            let (mut sum, mut count) = (Complex32::ZERO, 0);
            for down in 0..scale {
                let [y, x] = [y + along * down as f32, x - across * down as f32];
                for right in 0..scale {
                    if let Some(pixel) = scene.pixel([y + across * right as f32, x + along * right as f32]) {
                        sum += scene.image.wave[pixel];
                        count += 1;
                    }
                }
            }
            let mean = if covers(count, scale) { sum / count as f32 } else { Complex32::ZERO };
            (re[i], im[i]) = (mean.re, mean.im);
        }
    }
}

/// Reports whether enough of a coarse pixel lies inside for a value.
fn covers(count: usize, scale: usize) -> bool {
    count as f32 >= LEAST_COVER * (scale * scale) as f32
}

/// Scales a patch to a peak of 1, and its surroundings by the same factor. Displacements of micrometres would lose their
/// sum of squares in f32.
fn rescale(input: &mut [f32], surroundings: &mut [f32]) {
    let peak = input.iter().fold(0f32, |peak, v| peak.max(v.abs()));
    if peak > 0.0 {
        input.iter_mut().chain(surroundings).for_each(|v| *v /= peak);
    }
}

impl Scene<'_> {
    /// The number of the nearest pixel, if it is inside.
    fn pixel(&self, at: [f32; 2]) -> Option<usize> {
        // Conversions to integers are several times as fast as `f32::round`, a call on most processors. Surroundings need
        // 53 000 of these for a patch. The shift is beyond any place left of or above an image.
        let [y, x] = at.map(|v| (v + (SHIFT as f32 + 0.5)) as i32 - SHIFT);
        let Image { size, mask, .. } = self.image;
        let within = |v: i32| (0..size as i32).contains(&v);
        let pixel = (within(y) && within(x)).then(|| y as usize * size + x as usize)?;
        let inside = mask[pixel] > 0 && self.organ.is_none_or(|organ| organ.has(y as f32, x as f32));
        inside.then_some(pixel)
    }

    /// Bilinear interpolation over those of the four neighbours that are inside; `None` if none is.
    fn interpolate(&self, [y, x]: [f32; 2]) -> Option<Complex32> {
        let (mut sum, mut weights) = (Complex32::ZERO, 0.0);
        for (row, wy) in [(y.floor(), 1.0 - y + y.floor()), (y.floor() + 1.0, y - y.floor())] {
            for (column, wx) in [(x.floor(), 1.0 - x + x.floor()), (x.floor() + 1.0, x - x.floor())] {
                let weight = wy * wx;
                let pixel = if weight > 0.0 { self.pixel([row, column]) } else { None };
                if let Some(pixel) = pixel {
                    sum += self.image.wave[pixel] * weight;
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
    use crate::patches::LEAST_COVER;
    use crate::proof::oracle;
    use crate::size::Size;

    /// Zoom multiplies the wavelength by z and the modulus by z², so modulus × wavenumber² must stay the same.
    #[test]
    fn modulus_times_wavenumber_squared_stays() {
        let (size, side, k, modulus) = (120, 30, 0.2f32, 3.0f32);
        let wave: Vec<Complex32> =
            (0..size * size).map(|i| Complex32::from_polar(1.0, k * (i % size) as f32)).collect();
        let (moduli, mask) = (vec![modulus; size * size], vec![1; size * size]);
        let bounds = [[20, size - 21]; 2];
        let image = Image { size, wave: &wave, modulus: &moduli, mask: &mask, bounds };
        let cutter = Cutter::new(side, &[], &[Augmentation::Zoom { most: 1.5 }]);
        let mut rng = Rng::with_seed(1);
        let mut zoomed = 0;
        for _ in 0..60 {
            let n = side * side;
            let [input, _, truth, _] = cut(&cutter, image, &mut rng);
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

    /// A cutting of an image: input, surroundings, truth and mask.
    fn cut(cutter: &Cutter, image: Image, rng: &mut Rng) -> [Vec<f32>; 4] {
        let n = cutter.side().pow(2);
        let mut all = [2, 2 * cutter.scales().len(), 1, 1].map(|c| vec![f32::NAN; c * n]);
        let [input, surroundings, truth, mask] = &mut all;
        cutter.cut(image, rng, Cut { input, surroundings, truth, mask });
        all
    }

    /// An image of noise in a disc, with a modulus that tells the place.
    fn noise(size: usize, rng: &mut Rng) -> (Vec<Complex32>, Vec<f32>, Vec<u8>) {
        let half = size as f32 / 2.0;
        let away = |i: usize| ((i % size) as f32 - half).hypot((i / size) as f32 - half);
        let mask: Vec<u8> = (0..size * size).map(|i| u8::from(away(i) < 0.9 * half)).collect();
        let wave = mask.iter().map(|m| Complex32::new(rng.f32(), 2.0 + rng.f32()) * f32::from(*m)).collect();
        (wave, (0..size * size).map(|i| i as f32).collect(), mask)
    }

    /// Training and `kernels/tiles/cut.wgsl` must see the same surroundings; both are compared with the same oracle.
    #[test]
    fn surroundings_are_those_of_use() {
        let (size, mut rng) = (61, Rng::with_seed(7));
        let (wave, modulus, mask) = noise(size, &mut rng);
        let bounds = [[3, size - 4]; 2];
        let image = Image { size, wave: &wave, modulus: &modulus, mask: &mask, bounds };
        let whole = ndarray::Array2::from_shape_fn((size * size, 4), |(i, k)| {
            f64::from([wave[i].re, wave[i].im, f32::from(mask[i]), 0.0][k])
        });
        for side in [8, 11] {
            let n = side * side;
            for _ in 0..6 {
                let [input, surroundings, truth, inside] =
                    cut(&Cutter::new(side, &[3, 7], &[]), image, &mut rng);
                // The place of the patch, from a pixel of it; and the factor that gives it a peak of 1.
                let k = inside.iter().position(|m| *m > 0.0).unwrap();
                let pixel = truth[k] as usize;
                let place =
                    [(pixel % size) as f32 - (k % side) as f32, (pixel / size) as f32 - (k / side) as f32];
                let factor = f64::from(input[n + k] / wave[pixel].im);
                for (view, scale) in [3, 7].into_iter().enumerate() {
                    let means = oracle::coarsen(&whole, Size::square(size), scale, LEAST_COVER);
                    let wide = Size::square(size + scale - 1);
                    let expected =
                        oracle::cut(&means, wide, &[[place[0], place[1], 0.0, 0.0]], [1, side], None, scale);
                    for (i, value) in surroundings[2 * n * view..][..2 * n].iter().enumerate() {
                        let expected = factor * expected[[0, i % n / side, i % side, i / n]];
                        assert!(
                            (f64::from(*value) - expected).abs() < 1e-5,
                            "{side} {scale} {i}: {value}, not {expected}"
                        );
                    }
                }
            }
        }
    }

    /// A patch in an organ ends with it, in the mask and in the surroundings, and holds enough of it.
    #[test]
    fn organs_hide_what_is_around_them() {
        let (size, side, mut rng) = (200, 30, Rng::with_seed(3));
        let (wave, modulus, mask) = noise(size, &mut rng);
        let image = Image { size, wave: &wave, modulus: &modulus, mask: &mask, bounds: [[10, 189]; 2] };
        let seen = |list: &[Augmentation], rng: &mut Rng| {
            let cutter = Cutter::new(side, &[7], list);
            let (mut around, mut within) = (0, 0);
            for _ in 0..40 {
                let [_, surroundings, _, inside] = cut(&cutter, image, rng);
                assert!(inside.iter().sum::<f32>() >= 450.0);
                within += inside.iter().filter(|m| **m > 0.0).count();
                around += surroundings.iter().filter(|v| **v != 0.0).count();
            }
            [around, within]
        };
        let [whole, organs] =
            [&[][..], &[Augmentation::Organs { share: 1.0 }]].map(|list| seen(list, &mut rng));
        assert!(2 * organs[0] < whole[0] && organs[1] < whole[1], "{organs:?} {whole:?}");
    }
}
