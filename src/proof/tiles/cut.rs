//! Oracles and trials of `cut`.

use crate::proof::view::{later, shown};
use crate::size::Size;
use ndarray::{Array2, Array4};

/// Cuts `n` patches of `side` × `side` pixels from an image `[ny · nx][4]` of (re, im, inside, –). `places` are (x, y,
/// –, view). Patches beyond the last place are 0. With `faintest`, each channel is normalised over the pixels inside.
pub fn cut(
    image: &Array2<f64>,
    Size { nx, ny }: Size,
    places: &[[f32; 4]],
    [n, side]: [usize; 2],
    faintest: Option<f32>,
) -> Array4<f64> {
    let mut cut = Array4::zeros((n, side, side, 2));
    for (patch, place) in places.iter().take(n).enumerate() {
        let view = place[3] as u32;
        for channel in 0..2 {
            let mut inside = vec![];
            for (row, column) in (0..side).flat_map(|r| (0..side).map(move |c| (r, c))) {
                let [down, right] = shown(view, [row, column], side);
                let [y, x] = [place[1] as i64 + down as i64, place[0] as i64 + right as i64];
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

pub(super) mod trial {
    use crate::kernel::tiles::cut::{self, *};
    use crate::patches::FAINTEST;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &cut::CUT,
        sizes: &[
            TrialSize::new(1, Size::new(5, 3)),
            TrialSize::new(5, Size::new(47, 41)),
            TrialSize::new(128, Size::square(256)),
        ],
        record: cut,
    }];

    fn cut(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let (n, side) = (size.planes, size.image.ny.min(30) - 1);
        let how = (constant(spec, "PATCH") == 1).then_some(FAINTEST);
        let mask = oracle::blot(rng, size.image);
        let src: Vec<[f32; 4]> = mask
            .iter()
            .map(|m| if *m > 0.0 { [3.0 + rng.f32(), rng.f32(), 1.0, 0.0] } else { [0.0; 4] })
            .collect();
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
        let image = rec.constant("image", &src);
        let dst = made_up::room(rec, "cut", Shape::new(n, side, side, 2));
        cut::record(rec, image, size.image, lattice, how, dst);
        let expected = oracle::cut(&oracle::wide4(&src), size.image, &patches[3..], [n, side], how);
        vec![made_up::expect(dst, &expected, 1e-5)]
    }
}
