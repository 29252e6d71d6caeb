//! What the picture of an inversion shows, and which way round.

use crate::files;
use crate::files::map::pixels;
use crate::files::{Folder, SIZE, array, inside, masked, phase, phases, plain};
use image::{Rgb, RgbImage};
use ndarray::Array2;
use num_complex::{Complex32, Complex64};
use palpate::Size;
use std::collections::HashMap;

tests![what_is_not_confident_is_hatched_and_nothing_else, axes_lie_as_the_format_has_them,];

const FRAME: Rgb<u8> = Rgb([86, 90, 96]);
const OUTSIDE: Rgb<u8> = Rgb([212, 214, 218]);

/// Where a pixel of an image whose x runs to the patient's right and whose y runs forwards is drawn: the patient's right is
/// on the left, the front on top.
fn read(x: usize, y: usize) -> [usize; 2] {
    [SIZE.nx - 1 - x, SIZE.ny - 1 - y]
}

/// A map as it is drawn: a square of the picture for each of its pixels.
struct Drawn<'a> {
    picture: &'a RgbImage,
    corner: [u32; 2],
    zoom: u32,
}

impl Drawn<'_> {
    /// The most frequent colour of a pixel, which hatching leaves alone, and whether there are others.
    fn at(&self, column: usize, row: usize) -> (Rgb<u8>, bool) {
        let [left, top] = [column, row].map(|at| at as u32 * self.zoom);
        let mut counts = HashMap::new();
        for i in 0..self.zoom * self.zoom {
            let [x, y] = [left + i % self.zoom, top + i / self.zoom];
            *counts.entry(*self.picture.get_pixel(self.corner[0] + x, self.corner[1] + y)).or_insert(0) += 1;
        }
        let most = counts.iter().max_by_key(|(_, n)| **n).expect("a colour");
        (*most.0, counts.len() > 1)
    }
}

fn picture(folder: &Folder, name: &str) -> RgbImage {
    image::load_from_memory(&folder.bytes(name)).expect("a picture").into_rgb8()
}

/// The maps of `size`, row by row, found by their thin frames.
fn maps(picture: &RgbImage, size: Size) -> Vec<Drawn<'_>> {
    let (width, height) = picture.dimensions();
    let framed = |x: u32, y: u32| picture.get_pixel_checked(x, y) == Some(&FRAME);
    let run =
        |x: u32, y: u32, [dx, dy]: [u32; 2]| (0..).take_while(|i| framed(x + i * dx, y + i * dy)).count();
    let mut found = Vec::new();
    for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
        let first = framed(x, y) && (x == 0 || !framed(x - 1, y)) && (y == 0 || !framed(x, y - 1));
        let [w, h] = [[1, 0], [0, 1]].map(|step| if first { run(x, y, step) as u32 } else { 0 });
        // Colour bars are narrow, letters small.
        if w.min(h) > 100
            && run(x, y + h - 1, [1, 0]) == w as usize
            && run(x + w - 1, y, [0, 1]) == h as usize
        {
            let zoom = (w - 2) / size.nx as u32;
            assert_eq!([w - 2, h - 2], size.axes().map(|n| n as u32 * zoom), "the frame at {x}, {y}");
            found.push(Drawn { picture, corner: [x + 1, y + 1], zoom });
        }
    }
    assert_eq!(found.len(), 4, "wave (2), stiffness and confidence");
    found.sort_by_key(|map| [map.corner[1], map.corner[0]]);
    found
}

fn what_is_not_confident_is_hatched_and_nothing_else() {
    let folder = Folder::new();
    let half = SIZE.nx / 2;
    let mut random = fastrand::Rng::with_seed(7);
    let noise = Array2::from_shape_simple_fn(SIZE.axes(), || {
        Complex64::cis(std::f64::consts::TAU * random.f64()) * 1000.0
    });
    let u = |x: usize, y: usize| match inside(x, y) {
        true if x >= half => noise[[x, y]],
        _ => masked(x, y),
    };
    folder.nifti("half.nii", &plain(), &phases(u));
    folder.good("invert half.nii -o out");
    let confidence = folder.map("out/half_mmdi_confidence.nii.gz");
    assert!(confidence.values.iter().all(|c| c.is_finite()));
    let least = folder.json("out/half.json")["confidence_threshold"].as_f64().expect("a threshold") as f32;
    let picture = picture(&folder, "out/half.png");
    let drawn = maps(&picture, SIZE);
    let mut hatched = [0; 2];
    for (x, y) in pixels() {
        let doubtful = inside(x, y) && (confidence.at(x, y) as f32) < least;
        let [column, row] = read(x, y);
        for map in &drawn[2..] {
            assert_eq!(map.at(column, row).1, doubtful, "{x}, {y}: confidence {}", confidence.at(x, y));
        }
        assert!(drawn[..2].iter().all(|map| !map.at(column, row).1), "the wave is hatched at {x}, {y}");
        hatched[usize::from(x >= half)] += usize::from(doubtful);
    }
    let counts = [0..half, half..SIZE.nx]
        .map(|columns| pixels().filter(|&(x, y)| columns.contains(&x) && inside(x, y)).count());
    let [wave, noise] = [0, 1].map(|i| hatched[i] as f64 / counts[i] as f64);
    assert!(wave < 0.4 && noise > 0.8, "hatched: {wave} of the wave, {noise} of the noise");
}

/// Images are turned for reading by their affine, matrices have axis 0 downwards.
fn axes_lie_as_the_format_has_them() {
    let folder = Folder::new();
    let [nx, ny] = SIZE.axes();
    folder.nifti("image.nii", &plain(), &phases(masked));
    folder.npy("array.npy", &array(&[nx, ny, 8], |i| phase(masked(i[0], i[1]), i[2], 8) as f32));
    folder.npy(
        "complex.npy",
        &array(&SIZE.axes(), |i| {
            let u = masked(i[0], i[1]);
            Complex32::new(u.re as f32, u.im as f32)
        }),
    );
    let (re, im): (Vec<_>, Vec<_>) = pixels().map(|(x, y)| masked(x, y)).map(|u| (u.re, u.im)).unzip();
    folder.put("matlab.mat", &files::matlab(&SIZE.axes(), &re, Some(&im)));
    folder.good("invert image.nii array.npy complex.npy matlab.mat --spacing 1.5 -o out");
    let image = picture(&folder, "out/image.png");
    let image = maps(&image, SIZE);
    for name in ["array", "complex", "matlab"] {
        let matrix = picture(&folder, &format!("out/{name}.png"));
        let matrix = maps(&matrix, Size::new(ny, nx));
        for (i, (image, matrix)) in image.iter().zip(&matrix).enumerate() {
            for (x, y) in pixels() {
                let [column, row] = read(x, y);
                let [(a, _), (b, _)] = [image.at(column, row), matrix.at(y, x)];
                assert_eq!(a == OUTSIDE, !inside(x, y), "image: panel {i} at {x}, {y}");
                assert_eq!(b == OUTSIDE, !inside(x, y), "{name}: panel {i} at {x}, {y}");
                let off = a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b)).max();
                // Nothing but rounding between the formats.
                assert!(off <= Some(3), "{name}: panel {i} is {b:?} at {x}, {y}, not {a:?}");
            }
        }
    }
}
