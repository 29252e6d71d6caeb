//! Oracles and trials of `overlap`, `overlap_statistics`.

use crate::kernel::tiles::overlap::OverlapSettings;
use crate::proof::view::shown;
use crate::size::Size;
use ndarray::{Array1, Array2, Array4};

/// Merges the predictions `[n][side][side][1]` at each pixel inside a mask. Returns their weighted mean, weighted sum
/// of squared deviations, sum of weights, and number. `places` are (x, y, weight, view). `window` weights the rows and
/// columns of a patch.
pub fn overlap(
    mask: &Array1<f64>,
    Size { nx, ny }: Size,
    places: &[[f32; 4]],
    window: &[f32],
    predictions: &Array4<f64>,
) -> Array2<f64> {
    let mut each: Vec<Vec<[f64; 2]>> = vec![vec![]; nx * ny];
    for (place, predicted) in places.iter().zip(predictions.outer_iter()) {
        for ((row, column, _), value) in predicted.indexed_iter() {
            let [row, column] = shown(place[3] as u32, [row, column], window.len());
            let [y, x] = [place[1] as i64 + row as i64, place[0] as i64 + column as i64];
            if (0..ny as i64).contains(&y) && (0..nx as i64).contains(&x) {
                let weight = [place[2], window[row], window[column]].map(f64::from).iter().product();
                each[y as usize * nx + x as usize].push([*value, weight]);
            }
        }
    }
    let mut state = Array2::zeros((nx * ny, 4));
    for (i, each) in each.iter().enumerate().filter(|(i, each)| mask[*i] > 0.0 && !each.is_empty()) {
        let weights: f64 = each.iter().map(|[_, w]| w).sum();
        let mean = each.iter().map(|[v, w]| v * w).sum::<f64>() / weights;
        let squares: f64 = each.iter().map(|[v, w]| w * (v - mean).powi(2)).sum();
        state.row_mut(i).assign(&ndarray::arr1(&[mean, squares, weights, each.len() as f64]));
    }
    state
}

/// Converts (mean, squares, weights, count) to (scaled mean, uncertainty, 1, scaled disagreement); 0 if the count is 0.
/// `alone` are the predictions without surroundings, if there are two kinds.
pub fn overlap_statistics(
    state: &Array2<f64>,
    alone: Option<&Array2<f64>>,
    how: OverlapSettings,
) -> Array2<f64> {
    let OverlapSettings { scale, floor, slope, doubt, mixing } = how;
    Array2::from_shape_fn(state.raw_dim(), |(i, k)| {
        let of = |state: &Array2<f64>| {
            [state[[i, 0]], state[[i, 1]].max(0.0) / state[[i, 2]].max(f64::MIN_POSITIVE)]
        };
        let [mean, square] = of(state);
        let [other, others] = of(alone.unwrap_or(state));
        let apart = other - mean;
        let ratio = apart / ((other + mean).abs().max(1e-6) / 2.0);
        let share = ratio.powi(2) / (ratio.powi(2) + mixing.powi(2));
        let spread = (square * (1.0 - share) + others * share).sqrt();
        let uncertainty = floor.hypot(slope * spread).hypot(doubt * apart);
        let settled = [mean * (1.0 - share) + other * share, uncertainty, 1.0 / scale, apart];
        if state[[i, 3]] > 0.0 { scale * settled[k] } else { 0.0 }
    })
}

pub(super) mod trial {
    use crate::kernel::core::clear;
    use crate::kernel::tiles::cut::LatticeBuffers;
    use crate::kernel::tiles::overlap::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &overlap::OVERLAP,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(7, Size::new(47, 41)),
                TrialSize::new(128, Size::square(256)),
            ],
            record: overlap,
        },
        Trial {
            kernel: &overlap::OVERLAP_STATISTICS,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(1, Size::new(47, 41)),
                TrialSize::new(1, Size::square(256)),
            ],
            record: overlap_statistics,
        },
    ];

    fn overlap(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let Size { nx, ny } = size.image;
        let side = ny.min(30) - 1;
        let stride = if ny < 10 { 1 } else { 3 };
        let mask = oracle::blot(rng, size.image);
        // The lattice begins before the image, and has gaps.
        let corner = [-1i32, -(stride as i32)];
        let points = [nx, ny].map(|n| n / stride + 1);
        let mut lattice = vec![0, points[1] as i32, points[0] as i32, corner[1], corner[0]];
        let (mut patches, mut numbers) = (vec![], vec![]);
        for row in 0..points[1] {
            lattice.push(patches.len() as i32);
            for column in 0..points[0] {
                let there = rng.f32() < 0.8;
                numbers.push(if there { patches.len() as i32 } else { -1 });
                if there {
                    let [x, y] = [column, row].map(|i| (i * stride) as f32);
                    patches.push([
                        x + corner[0] as f32,
                        y + corner[1] as f32,
                        0.5 + rng.f32(),
                        rng.u32(..32) as f32,
                    ]);
                }
            }
        }
        lattice[0] = patches.len() as i32;
        lattice.push(patches.len() as i32);
        lattice.extend(numbers);
        let window: Vec<f32> = (0..side).map(|_| 0.2 + rng.f32()).collect();
        let image: Vec<[f32; 4]> = mask.iter().map(|m| [f32::NAN, f32::NAN, *m, 0.0]).collect();
        let over = |rec: &mut Recorder, first: u32| Overlap {
            size: size.image,
            stride,
            image: rec.constant("image", &image),
            window: rec.constant("window", &window),
            lattice: LatticeBuffers {
                patches: rec.constant("patches", &patches),
                lattice: rec.constant("lattice", &lattice),
                counter: rec.constant("counter", &[first; 4]),
                most: [patches.len(), lattice.len()],
            },
        };
        // Two batches of predictions follow one another.
        let state = rec.output::<[f32; 4]>("state", nx * ny);
        clear::record(rec, state, 4 * nx * ny);
        let mut all = vec![];
        for batch in 0..2 {
            let values = made_up::random(rng, Shape::new(size.planes, side, side, 1));
            let src = made_up::upload(rec, "predictions", &values);
            let over = over(rec, (batch * size.planes) as u32);
            overlap::record(rec, over, src, state);
            all.push(values);
        }
        let values = ndarray::concatenate(ndarray::Axis(0), &[all[0].view(), all[1].view()]).expect("alike");
        let patches: Vec<_> = patches.into_iter().take(2 * size.planes).collect();
        let expected = oracle::overlap(&oracle::wide(&mask), size.image, &patches, &window, &values);
        vec![Expect::in_buffer(state, oracle::flat_real(&expected), 1e-5)]
    }

    fn overlap_statistics(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
        let n = size.pixels();
        let states: [Vec<[f32; 4]>; 2] = {
            let (mut state, mut alone) = (vec![], vec![]);
            for _ in 0..n {
                // Both kinds have the same places.
                let count = rng.u8(..4);
                let mut drawn = || match count {
                    0 => [0.0; 4],
                    k => [5.0 * rng.f32(), rng.f32() - 0.1, 0.1 + rng.f32(), f32::from(k)],
                };
                state.push(drawn());
                alone.push(drawn());
            }
            [state, alone]
        };
        let how = OverlapSettings { scale: 1.06, floor: 0.07, slope: 1.4, doubt: 0.6, mixing: 0.3 };
        let [src, other] = [0, 1].map(|k| rec.constant("state", &states[k]));
        let both = constant(spec, "BOTH") == 1;
        let dst = overlap::record_statistics(rec, src, both.then_some(other), how, n);
        let [state, alone] = [0, 1].map(|k| oracle::wide4(&states[k]));
        let expected = oracle::overlap_statistics(&state, both.then_some(&alone), how);
        vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
    }
}
