//! What kind of frames an image holds: phases of one wave or three images, a signal or slices, parts or magnitude and phase.

use super::WaveImage;
use crate::io::volume::{Samples, Volume};

/// Half the pixels that a second difference spans, and the rows to either side over which it is averaged.
const LAG: usize = 4;
const ROWS: usize = 2;
/// Real and imaginary part of one wave are alike in roughness: within 0.4 and 1.2 in the 15 public images. A magnitude is
/// smoother than a phase by this factor and more.
const ROUGHER: f64 = 6.0;
/// The magnitude of an MR signal varies by no more than this share from phase to phase, in the mean.
const STEADY: f64 = 0.1;

impl WaveImage {
    /// The roughness of the mean of the frames over that of their differences from it. Roughness is the energy of second
    /// differences over some pixels, which a smooth background does not have, as means of some rows, which have little noise.
    pub(super) fn roughness_of_mean(&self, masks: &[Vec<bool>], turn: Option<f64>) -> f64 {
        let (n, nx) = (self.frames as f64, self.size.nx);
        let wrap = |step: f64| turn.map_or(step, |turn| step - turn * (step / turn).round());
        let (mut means, mut rest) = (0.0, 0.0);
        for frequency in 0..self.frequencies_hz.len() {
            for (slice, mask) in masks.iter().enumerate() {
                // Whether the pixels of all differences about a pixel are in the mask.
                let covered = |i: usize| {
                    let (x, rows) = (i % nx, i / nx);
                    let fits = x >= LAG && x + LAG < nx && rows >= ROWS && rows + ROWS < self.size.ny;
                    fits && (rows - ROWS..=rows + ROWS)
                        .all(|y| [x - LAG, x, x + LAG].iter().all(|x| mask[y * nx + x]))
                };
                let places: Vec<usize> = (0..mask.len()).filter(|&i| mask[i] && covered(i)).collect();
                for direction in 0..self.directions {
                    let frames: Vec<&[f32]> =
                        (0..self.frames).map(|t| self.frame([frequency, slice, t, direction])).collect();
                    for &i in &places {
                        let second = |frame: &&[f32]| {
                            let at = |k: usize| f64::from(frame[k]);
                            let rows = (0..=2 * ROWS).map(|row| i - ROWS * nx + row * nx);
                            rows.map(|k| wrap(at(k + LAG) - at(k)) - wrap(at(k) - at(k - LAG))).sum::<f64>()
                        };
                        let bends: Vec<f64> = frames.iter().map(second).collect();
                        let mean = bends.iter().sum::<f64>() / n;
                        means += mean * mean;
                        rest += bends.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
                    }
                }
            }
        }
        means / rest
    }

    /// Whether the magnitude of a complex array, whose slices were read as phases of an MR signal, is the same in all of
    /// them, as that of an MR signal is.
    pub(super) fn is_steady(&self, volume: &Volume) -> bool {
        let (Samples::Complex(values), Some(mean)) = (&volume.data, &self.magnitude) else { return false };
        let plane = self.size.pixels();
        let inside: Vec<usize> = (0..plane).filter(|&i| self.masks[0][i] && mean[i] > 0.0).collect();
        let off = |&i: &usize| {
            let frames = values.iter().skip(i).step_by(plane);
            let mean = f64::from(mean[i]);
            let squares = frames.map(|v| (v.norm() / mean - 1.0).powi(2));
            (squares.sum::<f64>() / self.frames as f64).sqrt()
        };
        inside.iter().map(off).sum::<f64>() / (inside.len().max(1) as f64) < STEADY
    }

    /// Whether two frames differ in kind, as magnitude and phase do: one is nowhere negative inside the mask and the other
    /// is, or one is much rougher than the other.
    pub(super) fn differs_in_kind(&self) -> bool {
        let kinds = [0, 1].map(|frame| {
            let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
            let [mut sum, mut squares, mut count, mut steps, mut pairs] = [0.0; 5];
            for (slice, mask) in self.masks.iter().enumerate() {
                let values = self.frame([0, slice, frame, 0]);
                for i in (0..mask.len()).filter(|&i| mask[i]) {
                    let v = f64::from(values[i]);
                    (low, high) = (low.min(values[i]), high.max(values[i]));
                    (sum, squares, count) = (sum + v, squares + v * v, count + 1.0);
                    if i % self.size.nx > 0 && mask[i - 1] {
                        let step = v - f64::from(values[i - 1]);
                        (steps, pairs) = (steps + step * step, pairs + 1.0);
                    }
                }
            }
            let variance = squares / count - (sum / count) * (sum / count);
            (low >= -0.02 * high, low < -0.2 * high, steps / pairs / variance)
        });
        let [(bare, signed, rough), (other_bare, other_signed, other_rough)] = kinds;
        let ratio = rough / other_rough;
        (bare && other_signed) || (other_bare && signed) || !(1.0 / ROUGHER..=ROUGHER).contains(&ratio)
    }
}
