//! Oracles and trials of `cut` and `coarsen`.

use crate::proof::view::{later, shown};
use crate::size::Size;
use ndarray::{Array2, Array4};

/// Cuts `n` patches of `side` × `side` pixels from an image `[ny · nx][4]` of (re, im, inside, –). `places` are (x, y,
/// –, view). Patches beyond the last place are 0. With `faintest`, each channel is normalised over the pixels inside.
///
/// With a `scale` above 1, the image is one of [`coarsen`], and what is cut are views of the patches' surroundings.
pub fn cut(
    image: &Array2<f64>,
    Size { nx, ny }: Size,
    places: &[[f32; 4]],
    [n, side]: [usize; 2],
    faintest: Option<f32>,
    scale: usize,
) -> Array4<f64> {
    // The view's first column and row, beyond the patch's.
    let shift = (scale - 1) as i64 - (side * (scale - 1) / 2) as i64;
    let mut cut = Array4::zeros((n, side, side, 2));
    for (patch, place) in places.iter().take(n).enumerate() {
        let view = place[3] as u32;
        for channel in 0..2 {
            let mut inside = vec![];
            for (row, column) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))) {
                let [down, right] = shown(view, [row, column], side);
                let [y, x] =
                    [(1, down), (0, right)].map(|(k, i)| place[k] as i64 + shift + (scale * i) as i64);
                if (0..ny as i64).contains(&y) && (0..nx as i64).contains(&x) {
                    let value = image.row(y as usize * nx + x as usize);
                    if value[2] > 0.0 {
                        inside.push((row, column, later(view, [value[0], value[1]])[channel]));
                    }
                }
            }
            let (mut mean, mut deviation) = (0.0, 1.0);
            if let Some(faintest) = faintest {
                let count = inside.len().max(1) as f64;
                mean = inside.iter().map(|(_, _, v)| v).sum::<f64>() / count;
                deviation = (inside.iter().map(|(_, _, v)| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
                if deviation <= f64::from(faintest) * mean.abs() {
                    deviation = f64::INFINITY;
                }
            }
            for (row, column, value) in inside {
                cut[[patch, row, column, channel]] = (value - mean) / deviation;
            }
        }
    }
    cut
}

/// Returns the means of an image over squares of `scale` pixels, which end with each pixel, and with the `scale` − 1
/// columns and rows beyond the image. A mean is 0 if less than the share `cover` of its pixels is inside.
pub fn coarsen(image: &Array2<f64>, Size { nx, ny }: Size, scale: usize, cover: f32) -> Array2<f64> {
    let [wide, high] = [nx, ny].map(|n| n + scale - 1);
    let mut means = Array2::zeros((wide * high, 4));
    for (y, x) in (0..high).flat_map(|y| (0..wide).map(move |x| (y, x))) {
        let square = (0..scale).flat_map(|down| (0..scale).map(move |right| (down, right)));
        let pixels = square.filter_map(|(down, right)| Some((y.checked_sub(down)?, x.checked_sub(right)?)));
        let inside: Vec<_> = pixels
            .filter(|(y, x)| *y < ny && *x < nx)
            .map(|(y, x)| image.row(y * nx + x))
            .filter(|value| value[2] > 0.0)
            .collect();
        if !inside.is_empty() && inside.len() as f64 >= f64::from(cover * (scale * scale) as f32) {
            let mean = |k: usize| inside.iter().map(|value| value[k]).sum::<f64>() / inside.len() as f64;
            means.row_mut(y * wide + x).assign(&ndarray::arr1(&[mean(0), mean(1), 1.0, 0.0]));
        }
    }
    means
}

pub(super) mod trial {
    use crate::kernel::tiles::coarsen;
    use crate::kernel::tiles::cut::{self, *};
    use crate::patches::FAINTEST;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &cut::CUT,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(5, Size::new(47, 41)),
                TrialSize::new(128, Size::square(256)),
            ],
            record: cut,
        },
        Trial {
            kernel: &coarsen::COARSEN,
            sizes: &[
                TrialSize::new(3, Size::new(5, 3)),
                TrialSize::new(5, Size::new(47, 41)),
                TrialSize::new(7, Size::square(256)),
            ],
            record: coarsen,
        },
    ];

    /// An image of (re, im, inside, –).
    fn scene(size: Size, rng: &mut fastrand::Rng) -> Vec<[f32; 4]> {
        let mask = oracle::blot(rng, size);
        mask.iter()
            .map(|m| if *m > 0.0 { [3.0 + rng.f32(), rng.f32(), 1.0, 0.0] } else { [0.0; 4] })
            .collect()
    }

    /// Patches of the image itself, and views of their surroundings as the second pair of channels beside them.
    fn cut(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let (n, side) = (size.planes, size.image.ny.min(30) - 1);
        let how = (constant(spec, "PATCH") == 1).then_some(FAINTEST);
        let src = scene(size.image, rng);
        // Some patches lie partly outside of the image, and the last image of the batch is beyond the last patch.
        let count = n + 2;
        let patches: Vec<[f32; 4]> = (0..count)
            .map(|_| {
                let [x, y] =
                    size.image.axes().map(|n| rng.i32(-(side as i32) / 2..n as i32 - side as i32 / 2));
                [x as f32, y as f32, 1.0, rng.u32(..32) as f32]
            })
            .collect();
        let lattice = LatticeBuffers {
            patches: rec.constant("patches", &patches),
            lattice: rec.constant("lattice", &[count as i32, 0, 0, 0, 0]),
            counter: rec.constant("counter", &[3u32; 4]),
            most: [count, 5],
        };
        let image = Scene { image: rec.constant("image", &src), size: size.image, scale: 1 };
        let (src, places) = (oracle::wide4(&src), &patches[3..]);
        let alone = oracle::cut(&src, size.image, places, [n, side], how, 1);
        if constant(spec, "SECOND") == 0 {
            let dst = made_up::room(rec, "cut", Shape::new(n, side, side, 2));
            cut::record(rec, image, lattice, how, dst, 0);
            return vec![made_up::expect(dst, &alone, 1e-5)];
        }
        let (scale, cover) = (3, 0.3);
        let coarse = coarsen::record(rec, image, scale, cover);
        let dst = made_up::room(rec, "cut", Shape::new(n, side, side, 4));
        cut::record(rec, image, lattice, how, dst, 0);
        cut::record(rec, coarse, lattice, how, dst, 1);
        let means = oracle::coarsen(&src, size.image, scale, cover);
        let around = oracle::cut(&means, coarse.size, places, [n, side], how, scale);
        let expected = ndarray::concatenate(ndarray::Axis(3), &[alone.view(), around.view()]).expect("alike");
        vec![made_up::expect(dst, &expected, 1e-5)]
    }

    fn coarsen(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let src = scene(size.image, rng);
        let image = Scene { image: rec.constant("image", &src), size: size.image, scale: 1 };
        let cover = 0.3;
        let means = coarsen::record(rec, image, size.planes, cover);
        let expected = oracle::coarsen(&oracle::wide4(&src), size.image, size.planes, cover);
        vec![Expect::in_buffer(means.image, oracle::flat_real(&expected), 1e-6)]
    }
}
