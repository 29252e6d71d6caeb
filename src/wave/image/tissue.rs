//! Pixels of tissue, told from noise by their phase.

use super::WaveImage;
use crate::size::Size;
use std::f64::consts::TAU;

/// Neighbouring pixels of tissue agree in phase: the mean cosine of their difference is at least this.
const AGREEMENT: f64 = 0.4;
/// The sides of the box over which pixels vote on what is tissue.
const VOTE: usize = 5;
/// The share of neighbouring pixels that differ by more than half a turn where phases wrap.
const WRAPS: f64 = 5e-4;

impl WaveImage {
    /// Pixels under `masks` that agree with their neighbours in phase, modulo `turn`, after a vote in small boxes.
    pub(super) fn tissue(&self, masks: &[Vec<bool>], turn: f64) -> Vec<Vec<bool>> {
        let Size { nx, ny } = self.size;
        let near = |slice: usize| {
            let mask = &masks[slice];
            let [mut sums, mut counts] = [vec![0f32; mask.len()], vec![0f32; mask.len()]];
            for frequency in 0..self.frequencies_hz.len() {
                for (frame, direction) in
                    (0..self.frames).flat_map(|t| (0..self.directions).map(move |d| (t, d)))
                {
                    let values = self.frame([frequency, slice, frame, direction]);
                    for (step, fits) in [(1, nx - 1), (nx, usize::MAX)] {
                        for i in 0..mask.len() - step {
                            let j = i + step;
                            if mask[i] && mask[j] && i % nx < fits {
                                let cosine = (TAU * f64::from(values[j] - values[i]) / turn).cos() as f32;
                                [i, j].into_iter().for_each(|k| {
                                    sums[k] += cosine;
                                    counts[k] += 1.0;
                                });
                            }
                        }
                    }
                }
            }
            let agrees: Vec<bool> =
                (0..mask.len()).map(|i| counts[i] > 0.0 && sums[i] >= AGREEMENT as f32 * counts[i]).collect();
            let half = VOTE / 2;
            let vote = |i: usize| {
                let (x, y) = (i % nx, i / nx);
                let rows = y.saturating_sub(half)..(y + half + 1).min(ny);
                let (mut yes, mut all) = (0, 0);
                for row in rows {
                    for column in x.saturating_sub(half)..(x + half + 1).min(nx) {
                        let k = row * nx + column;
                        if mask[k] {
                            all += 1;
                            yes += usize::from(agrees[k]);
                        }
                    }
                }
                2 * yes > all
            };
            (0..mask.len()).map(|i| mask[i] && vote(i)).collect::<Vec<bool>>()
        };
        let tissue: Vec<Vec<bool>> = (0..masks.len()).map(near).collect();
        // If next to nothing agrees, agreement says nothing.
        let count = |masks: &[Vec<bool>]| masks.iter().flatten().filter(|m| **m).count();
        if 20 * count(&tissue) < count(masks) { masks.to_vec() } else { tissue }
    }

    /// Whether neighbouring pixels under `masks` differ by more than half a turn here and there.
    pub(super) fn wraps(&self, masks: &[Vec<bool>], turn: f64) -> bool {
        let [mut far, mut all] = [0usize; 2];
        for [frequency, slice, direction] in self.blocks() {
            let mask = &masks[slice];
            let pairs = (1..mask.len()).filter(|&i| mask[i] && mask[i - 1] && i % self.size.nx > 0);
            let pairs: Vec<usize> = pairs.collect();
            for frame in 0..self.frames {
                let values = self.frame([frequency, slice, frame, direction]);
                let wide = |i: &&usize| f64::from((values[**i] - values[**i - 1]).abs()) > turn / 2.0;
                far += pairs.iter().filter(wide).count();
                all += pairs.len();
            }
        }
        far as f64 > WRAPS * all as f64
    }
}
