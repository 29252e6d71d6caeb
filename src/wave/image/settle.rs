//! The samples of a wave image inside its mask: unwrapping, what the frames show of their order, and doubts.

use super::super::evidence::Evidence;
use super::super::unwrap;
use super::super::warning::{Warning, clipped_share};
use super::{AxisName, FrameLayout, ReadOptions, TurnChoice, WaveImage};
use crate::error::Result;
use crate::io::volume::{Samples, Volume};
use crate::size::Size;
use crate::wave::note::Note;
use std::f64::consts::TAU;

/// A warning is given if the first harmonic has less than this share of the temporal energy.
const FIRST_HARMONIC: f64 = 0.8;
/// At most this many series of a slice are looked at to decide something about it.
const SAMPLED: usize = 4000;
/// Neighbouring pixels of tissue agree in phase: the mean cosine of their difference is at least this.
const AGREEMENT: f64 = 0.4;
/// Without a mask, noise is left out of it if it fills more than this share of it.
const NOISE: f64 = 0.05;
/// Half the pixels that a second difference spans, and the rows to either side over which it is averaged.
const LAG: usize = 4;
const ROWS: usize = 2;
/// Real and imaginary part of one wave are alike in roughness: within 0.4 and 1.2 in the 15 public images. A magnitude is
/// smoother than a phase by this factor and more.
const ROUGHER: f64 = 6.0;
/// The share of neighbouring pixels that differ by more than half a turn where phases wrap.
const WRAPS: f64 = 5e-4;
/// The magnitude of an MR signal varies by no more than this share from phase to phase, in the mean.
const STEADY: f64 = 0.1;
/// The sides of the box over which pixels vote on what is tissue.
const VOTE: usize = 5;

impl WaveImage {
    /// The image of `volume` with these axes, its mask set and its phases unwrapped, and what its frames show. A last
    /// frame that repeats the first is left out.
    pub(super) fn settled(
        volume: &Volume,
        mask: Option<&Volume>,
        options: &ReadOptions,
        axes: &[(AxisName, usize)],
    ) -> Result<(Self, Option<Evidence>)> {
        let mut image = Self::arrange(volume, axes, options, 0)?;
        let evidence = image.settle(mask, options, volume.stated.turn)?;
        if !evidence.is_some_and(|e| e.frames > 3 && e.repeats()) {
            return Ok((image, evidence));
        }
        let mut image = Self::arrange(volume, axes, options, 1)?;
        let frames = image.frames;
        image.notes.push(Note::RepeatedFrame { frames });
        let evidence = image.settle(mask, options, volume.stated.turn)?;
        Ok((image, evidence))
    }

    fn settle(
        &mut self,
        mask: Option<&Volume>,
        options: &ReadOptions,
        stated: Option<f64>,
    ) -> Result<Option<Evidence>> {
        self.set_mask(mask, options.label)?;
        let evidence = (self.layout == FrameLayout::Phases).then(|| {
            let signal = self.notes.contains(&Note::SignalPhase);
            let turn = match (options.turn, stated) {
                _ if signal => TurnChoice::Of(TAU),
                (TurnChoice::Auto, Some(turn)) => TurnChoice::Of(turn),
                (choice, _) => choice,
            };
            self.straighten(turn, mask.is_none())
        });
        let Size { nx, ny } = self.size;
        let edge = |i: usize| [0, nx - 1].contains(&(i % nx)) || [0, ny - 1].contains(&(i / nx));
        let touching = self.masks.iter().flat_map(|m| (0..m.len()).filter(|&i| m[i] && edge(i))).count();
        if touching > 0 {
            self.warnings.push(Warning::MaskTouchesBorder { pixels: touching });
        }
        Ok(evidence)
    }

    /// Unwraps the phases and looks at their order. With `trim`, noise outside of the body leaves the mask.
    fn straighten(&mut self, choice: TurnChoice, trim: bool) -> Evidence {
        let inside = self.masks.clone();
        let candidates = match choice {
            TurnChoice::Straight => Vec::new(),
            TurnChoice::Of(turn) => vec![turn],
            // A slice that is straight already must not hide the turn of the others.
            TurnChoice::Auto => {
                let each = self.sample(&inside);
                unwrap::distinct(std::iter::once(each.concat()).chain(each).map(|s| unwrap::candidates(&s)))
            }
        };
        // Where phases wrap along time they also wrap from pixel to pixel. A wave image of the same range does not.
        let wrapped: Vec<f64> = candidates
            .iter()
            .copied()
            .filter(|turn| self.wraps(&self.tissue(&inside, *turn), *turn))
            .collect();
        let turn = match choice {
            TurnChoice::Of(turn) => Some(turn),
            _ => unwrap::best(&wrapped, |turn| self.sample(&self.tissue(&inside, turn)), self.frames),
        };
        // Noise fills the turn, whether or not the wave has to be unwrapped. A wave image that is not modulo a turn is all
        // tissue: where its waves are short, neighbours differ as well.
        let filled = unwrap::filled(&self.sample(&inside).concat());
        let tissue = match turn.or(filled) {
            Some(turn) => self.tissue(&inside, turn),
            None => inside.clone(),
        };
        let pixels = |masks: &[Vec<bool>]| masks.iter().flatten().filter(|m| **m).count() as f64;
        let noise = 1.0 - pixels(&tissue) / pixels(&inside);
        if trim && noise > NOISE {
            self.masks = tissue.clone();
            self.notes.push(Note::NoiseOutside { share: noise });
        }
        let mut unwrapped = false;
        if let Some(turn) = turn {
            let changed = self.unwrap(&tissue, turn, matches!(choice, TurnChoice::Of(_)));
            if changed > 0.0 {
                self.notes.push(Note::Unwrapped { share: changed, turn });
                unwrapped = true;
            }
        }
        let series = self.sample(&tissue).concat();
        let mean = if self.frames == 3 { self.roughness_of_mean(&tissue, turn) } else { 0.0 };
        let evidence = Evidence::of(
            &series,
            self.frames,
            turn.filter(|_| unwrapped),
            mean,
            unwrapped || filled.is_some(),
        );
        if evidence.share < FIRST_HARMONIC {
            self.warnings.push(Warning::OffFrequency { share: evidence.share });
        }
        if !unwrapped {
            let share = clipped_share(&mut self.sample(&self.masks).concat());
            if share > 0.0 {
                self.warnings.push(Warning::ClippedPhase { share });
            }
        }
        evidence
    }

    /// Series of pixels under `masks`, `[pixel][frame]`, for each frequency, slice and direction; of many pixels, some.
    fn sample(&self, masks: &[Vec<bool>]) -> Vec<Vec<f32>> {
        let mut all = Vec::new();
        for frequency in 0..self.frequencies_hz.len() {
            for (slice, mask) in masks.iter().enumerate() {
                let inside: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
                let step = inside.len().div_ceil(SAMPLED * 16).max(1);
                for direction in 0..self.directions {
                    let series = |&i: &usize| {
                        (0..self.frames).map(move |frame| self.frame([frequency, slice, frame, direction])[i])
                    };
                    all.push(inside.iter().step_by(step).flat_map(series).collect());
                }
            }
        }
        all
    }

    /// Pixels under `masks` that agree with their neighbours in phase, modulo `turn`, after a vote in small boxes.
    fn tissue(&self, masks: &[Vec<bool>], turn: f64) -> Vec<Vec<bool>> {
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
    fn wraps(&self, masks: &[Vec<bool>], turn: f64) -> bool {
        let [mut far, mut all] = [0usize; 2];
        for (frequency, slice, frame, direction) in self.indices() {
            let values = self.frame([frequency, slice, frame, direction]);
            let mask = &masks[slice];
            let pairs = (1..mask.len()).filter(|&i| mask[i] && mask[i - 1] && i % self.size.nx > 0);
            for i in pairs {
                all += 1;
                far += usize::from(f64::from((values[i] - values[i - 1]).abs()) > turn / 2.0);
            }
        }
        far as f64 > WRAPS * all as f64
    }

    /// All frames: frequency, slice, frame and direction.
    fn indices(&self) -> impl Iterator<Item = (usize, usize, usize, usize)> + use<> {
        let (frequencies, slices, frames, directions) =
            (self.frequencies_hz.len(), self.slices, self.frames, self.directions);
        (0..frequencies * slices * frames * directions).map(move |i| {
            let (rest, direction) = (i / directions, i % directions);
            let (rest, frame) = (rest / frames, rest % frames);
            (rest / slices, rest % slices, frame, direction)
        })
    }

    /// Unwraps each slice, direction and frequency where that mends the tissue, or everywhere if `always`. Returns the
    /// share of the series under the mask that changed.
    fn unwrap(&mut self, tissue: &[Vec<bool>], turn: f64, always: bool) -> f64 {
        let sampled = self.sample(tissue);
        let mends: Vec<bool> =
            sampled.iter().map(|series| always || unwrap::gains(series, self.frames, turn)).collect();
        let (mut changed, mut all) = (0usize, 0usize);
        let mut series = vec![0.0; self.frames];
        for (block, mends) in mends.into_iter().enumerate() {
            let direction = block % self.directions;
            let slice = block / self.directions % self.slices;
            let frequency = block / (self.directions * self.slices);
            for i in (0..self.size.pixels()).filter(|&i| self.masks[slice][i]).collect::<Vec<_>>() {
                all += 1;
                if !mends {
                    continue;
                }
                let at = |frame: usize| self.at([frequency, slice, frame, direction]) + i;
                (0..self.frames).for_each(|frame| series[frame] = self.data[at(frame)]);
                if unwrap::unwrap_series(&mut series, turn) {
                    changed += 1;
                    let places: Vec<usize> = (0..self.frames).map(at).collect();
                    places.into_iter().zip(&series).for_each(|(at, v)| self.data[at] = *v);
                }
            }
        }
        changed as f64 / all.max(1) as f64
    }

    /// The roughness of the mean of the frames over that of their differences from it. Roughness is the energy of second
    /// differences over some pixels, which a smooth background does not have, as means of some rows, which have little noise.
    fn roughness_of_mean(&self, masks: &[Vec<bool>], turn: Option<f64>) -> f64 {
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
