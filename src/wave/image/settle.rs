//! The samples of a wave image inside its mask: unwrapping, what the frames show of their order, and doubts.

use super::super::evidence::Evidence;
use super::super::unwrap;
use super::super::warning::{Warning, clipped_share};
use super::{AxisName, FrameLayout, ReadOptions, TurnChoice, WaveImage};
use crate::error::Result;
use crate::io::volume::Volume;
use crate::size::Size;
use crate::wave::note::Note;
use std::f64::consts::TAU;

/// A warning is given if the first harmonic has less than this share of the temporal energy.
const FIRST_HARMONIC: f64 = 0.8;
/// At most this many series of a slice are looked at to decide something about it.
const SAMPLED: usize = 64_000;
/// Without a mask, noise is left out of it if it fills more than this share of it.
const NOISE: f64 = 0.05;

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
        let each = self.sample(&inside);
        let whole = each.concat();
        let (turn, filled) = match choice {
            TurnChoice::Straight => (None, None),
            TurnChoice::Of(turn) => (Some(turn), Some(turn)),
            TurnChoice::Auto => {
                // A slice that is straight already must not hide the turn of the others.
                let lists = std::iter::once(&whole).chain(&each).map(|series| unwrap::candidates(series));
                let tried = unwrap::distinct(lists).into_iter().filter_map(|turn| {
                    let tissue = self.tissue(&inside, turn);
                    // Where phases wrap along time they also wrap from pixel to pixel. A wave image of the same range
                    // does not.
                    self.wraps(&tissue, turn).then(|| (turn, self.sample(&tissue)))
                });
                (unwrap::best(tried, self.frames), unwrap::filled(&whole))
            }
        };
        // Noise fills the turn, whether or not the wave has to be unwrapped. A wave image that is not modulo a turn is all
        // tissue: where its waves are short, neighbours differ as well.
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
        let block = |[frequency, slice, direction]: [usize; 3]| {
            let mask = &masks[slice];
            let inside: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
            let step = inside.len().div_ceil(SAMPLED).max(1);
            let frames: Vec<&[f32]> =
                (0..self.frames).map(|frame| self.frame([frequency, slice, frame, direction])).collect();
            inside.iter().step_by(step).flat_map(|&i| frames.iter().map(move |frame| frame[i])).collect()
        };
        self.blocks().map(block).collect()
    }

    /// Every frequency, slice and direction.
    pub(super) fn blocks(&self) -> impl Iterator<Item = [usize; 3]> + use<> {
        let [frequencies, slices, directions] = [self.frequencies_hz.len(), self.slices, self.directions];
        (0..frequencies * slices * directions)
            .map(move |i| [i / (slices * directions), i / directions % slices, i % directions])
    }

    /// Unwraps each slice, direction and frequency where that mends the tissue, or everywhere if `always`. Returns the
    /// share of the series under the mask that changed.
    fn unwrap(&mut self, tissue: &[Vec<bool>], turn: f64, always: bool) -> f64 {
        let sampled = self.sample(tissue);
        let mends = sampled.iter().map(|series| always || unwrap::gains(series, self.frames, turn));
        let blocks: Vec<([usize; 3], bool)> = self.blocks().zip(mends).collect();
        let (mut changed, mut all) = (0usize, 0usize);
        let mut series = vec![0.0; self.frames];
        for ([frequency, slice, direction], mends) in blocks {
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
}
