//! Oracles and trials of `resample`.

use crate::kernel::signal::resample::Grids;
use crate::size::Size;
use ndarray::Array2;

/// Sums of weights up to this may be rounding errors.
const FAINT: f64 = 1e-3;

/// Resamples an image `[my · mx][4]` to another grid: its mean under a tent about each pixel. Channel 2 is above 0
/// inside.
pub fn resample(src: &Array2<f64>, grids: Grids) -> Array2<f64> {
    let Grids { from: Size { nx: mx, ny: my }, to: Size { nx, ny }, step, reach } = grids;
    // The kernel computes positions in single precision; both must use the same step.
    let step = step.map(|s| f64::from(s as f32));
    let place = |i: usize, n: usize, m: usize, step: f64| {
        (i as f64 - (n as f64 - 1.0) / 2.0) * step + (m as f64 - 1.0) / 2.0
    };
    let mut dst = Array2::zeros((nx * ny, 4));
    for (row, column) in (0..ny).flat_map(|y| (0..nx).map(move |x| (y, x))) {
        let [y, x] = [place(row, ny, my, step[1]), place(column, nx, mx, step[0])];
        let tent = |wider: usize| {
            let mut sum = [0.0; 4];
            let near = |at: f64, m: usize, step: f64| {
                let radius = wider as f64 * step.max(1.0) + 1.0;
                (at - radius).max(0.0) as usize..((at + radius).max(0.0) as usize + 1).min(m)
            };
            let [rows, columns] = [near(y, my, step[1]), near(x, mx, step[0])];
            for (j, i) in rows.flat_map(|j| columns.clone().map(move |i| (j, i))) {
                let hat = |at: f64, k: usize, step: f64| {
                    (1.0 - (k as f64 - at).abs() / (wider as f64 * step.max(1.0))).max(0.0)
                };
                let weight = hat(y, j, step[1]) * hat(x, i, step[0]);
                if src[[j * mx + i, 2]] > 0.0 {
                    let value = src.row(j * mx + i);
                    [value[0], value[1], 1.0, value[3]]
                        .iter()
                        .zip(&mut sum)
                        .for_each(|(v, s)| *s += weight * v);
                }
            }
            sum
        };
        let [j, i] = [y, x].map(|v| (v + 0.5).floor());
        let there = (0.0..my as f64).contains(&j) && (0.0..mx as f64).contains(&i);
        let sum = if reach > 0 {
            (1..=reach).map(tent).find(|sum| sum[2] > FAINT).unwrap_or_default()
        } else if there && src[[j as usize * mx + i as usize, 2]] > 0.0 {
            tent(1)
        } else {
            [0.0; 4]
        };
        if sum[2] > FAINT {
            let value = [sum[0] / sum[2], sum[1] / sum[2], 1.0, sum[3] / sum[2]];
            dst.row_mut(row * nx + column).assign(&ndarray::arr1(&value));
        }
    }
    dst
}

pub(super) mod trial {
    use crate::kernel::signal::resample::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &resample::RESAMPLE,
        sizes: &[
            TrialSize::new(1, Size::square(1)),
            TrialSize::new(0, Size::new(5, 3)),
            TrialSize::new(3, Size::new(47, 41)),
            TrialSize::new(0, Size::square(64)),
            TrialSize::new(2, Size::square(256)),
        ],
        record: resample,
    }];

    fn resample(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let from = size.image;
        let mask = oracle::blot(rng, size.image);
        let mut draw = || rng.f32() * 2.0 - 1.0;
        let src: Vec<[f32; 4]> = mask.iter().map(|m| [draw(), draw(), *m, draw()]).collect();
        let buf = rec.constant("image", &src);
        let mut expect = vec![];
        for step in [[1.0, 1.0], [0.71, 1.43], [2.3, 0.37]] {
            let along = |n: usize, step: f64| (n as f64 / step).ceil() as usize;
            let to = Size::new(along(from.nx, step[0]), along(from.ny, step[1]));
            let grids = Grids { from, to, step, reach: size.planes };
            let dst = resample::record(rec, buf, grids);
            rec.keep(dst);
            let expected = oracle::resample(&oracle::wide4(&src), grids);
            expect.push(Expect::in_buffer(dst, oracle::flat_real(&expected), 2e-5));
        }
        expect
    }
}
