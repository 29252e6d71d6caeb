//! Whether a series of frames runs over one period of a vibration.

use super::warning::first_harmonic_share;
use std::f64::consts::TAU;

/// What the frames of an image show of their order in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The number of frames.
    pub frames: usize,
    /// The share of the motion's energy at the first harmonic, 0 to 1. NaN if nothing moves.
    pub share: f64,
    /// The step from the last frame to the first over the mean step between neighbours, both RMS.
    pub closing: f64,
    /// Of three frames: the roughness of their mean over that of their differences from it. Where the frames are of one
    /// wave, the mean holds none of it.
    pub mean: f64,
    /// The share of the change that several interleaved series would leave, where the number of frames has factors. See
    /// [`folded`].
    pub folded: f64,
    /// Whether the samples are phases modulo a turn. They are more alike than the values of other images, and unwrapping
    /// by itself makes any series look more like a wave.
    pub modulo: bool,
}

/// A step of at most this share of the others repeats a frame.
const REPEATED: f64 = 0.25;
/// The longest step from last to first, in steps between neighbours. True series have 0.5 to 1.3, half a period 5, one
/// phase of several slices 3.7.
const CLOSING: f64 = 1.5;
/// The least share at the first harmonic that a series needs, however many frames there are.
const SHARE: f64 = 0.4;
/// Frames in any order reach a share of 2 / (frames − 1) by chance. A series needs that times this.
const CHANCE: f64 = 1.2;
/// Interleaved series leave this share of the change and more.
const FOLDED: f64 = 0.02;
/// The most of three frames' roughness that their mean may have. Of three frames that have nothing in common it has 0.5.
const MEAN: f64 = 0.3;

impl Evidence {
    /// The evidence in `series`, each of `frames` values, of pixels in tissue. With `turn` they were stored modulo one
    /// turn, and steps are shorter than half of it. `mean` is that of [`Evidence::mean`].
    pub fn of(series: &[f32], frames: usize, turn: Option<f64>, mean: f64, modulo: bool) -> Self {
        let mut steps = vec![0.0; frames];
        for values in series.chunks_exact(frames) {
            for (i, step) in steps.iter_mut().enumerate() {
                let v = f64::from(values[(i + 1) % frames]) - f64::from(values[i]);
                let v = turn.map_or(v, |turn| v - turn * (v / turn).round());
                *step += v * v;
            }
        }
        steps.iter_mut().for_each(|step| *step = step.sqrt());
        let others = steps[..frames - 1].iter().sum::<f64>() / (frames as f64 - 1.0);
        Self {
            frames,
            share: first_harmonic_share(series.chunks_exact(frames)),
            closing: steps[frames - 1] / others,
            mean,
            folded: folded(series, frames),
            modulo,
        }
    }

    /// Whether the last frame repeats the first.
    pub fn repeats(&self) -> bool {
        self.closing <= REPEATED
    }

    /// The share that this number of frames needs. `strict` is for an axis that the file says is something else.
    fn needed(&self, strict: bool) -> f64 {
        let n = self.frames as f64;
        let least = f64::max(SHARE, CHANCE * 2.0 / (n - 1.0));
        if self.modulo && strict {
            // Random phases, once unwrapped, have 0.60 + 3.3 / n². A series has to halve what is left of that.
            least.max((1.6 + 3.3 / (n * n)) / 2.0)
        } else {
            least
        }
    }

    /// Whether the frames show one period. `strict` is for an axis that the file says is something else.
    pub fn shows_phases(&self, strict: bool) -> bool {
        let closes = self.closing > REPEATED && self.closing <= CLOSING;
        match self.frames {
            ..3 => false,
            3 => closes && self.mean <= MEAN,
            _ => closes && self.share >= self.needed(strict) && self.folded < FOLDED,
        }
    }

    /// Why the frames do not show one period, as a clause.
    pub fn why_not(&self, strict: bool) -> String {
        let Self { share, closing, mean, .. } = *self;
        if !share.is_finite() {
            return "nothing moves along it".into();
        }
        if self.frames > 3 && share < self.needed(strict) {
            return format!(
                "only {:.0} % of the change along it is at one cycle, where phases of one period have {:.0} % or more",
                100.0 * share,
                100.0 * self.needed(strict)
            );
        }
        if self.folded >= FOLDED {
            return "its frames look like several series that take turns, such as slices that run faster than phases".into();
        }
        if closing > CLOSING {
            return format!(
                "the step from its last frame to its first is {closing:.1} times the others, where phases of one period \
                 close"
            );
        }
        if self.frames == 3 && mean > MEAN {
            return "the mean of its three frames holds as much wave as the frames, as if they were three images".into();
        }
        "its frames do not run over one period".into()
    }
}

/// The largest share of interleaved series, over the ways to split the frames into series of equal length.
///
/// If p series take turns, what differs between them repeats p times in a period of the fold: it lies at the bins m j and
/// m j ± 1, m being the length of a series. A single series has nothing but noise there. The share of those bins is taken
/// above that of the same number of other bins. Below 12 frames the bins are harmonics of a real vibration as well, and 0 is
/// returned.
fn folded(series: &[f32], frames: usize) -> f64 {
    if frames < 12 {
        return 0.0;
    }
    let mut energy = vec![0.0; frames];
    for values in series.chunks_exact(frames).step_by((series.len() / frames).div_ceil(2000).max(1)) {
        for (k, energy) in energy.iter_mut().enumerate().skip(1) {
            let (mut re, mut im) = (0.0, 0.0);
            for (t, v) in values.iter().enumerate() {
                let (sin, cos) = (TAU * ((k * t) % frames) as f64 / frames as f64).sin_cos();
                (re, im) = (re + f64::from(*v) * cos, im + f64::from(*v) * sin);
            }
            *energy += re * re + im * im;
        }
    }
    let all: f64 = energy.iter().sum();
    let split = |count: usize| {
        let length = frames / count;
        let (mut between, mut bins, mut noise, mut others) = (0.0, 0.0, 0.0, 0.0);
        for (k, energy) in energy.iter().enumerate().skip(2).take(frames - 3) {
            let near = k % length;
            if near <= 1 || near == length - 1 {
                (between, bins) = (between + energy, bins + 1.0);
            } else {
                (noise, others) = (noise + energy, others + 1.0);
            }
        }
        (between - bins * noise / f64::max(others, 1.0)) / all
    };
    let ways = (2..=frames / 4).filter(|count| frames.is_multiple_of(*count));
    ways.map(split).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(frames: usize, value: impl Fn(f64, f64) -> f64) -> Vec<f32> {
        (0..200 * frames).map(|i| value((i / frames) as f64, (i % frames) as f64) as f32).collect()
    }

    #[test]
    fn one_period_is_told_from_what_is_none() {
        for n in [4, 5, 6, 8, 12] {
            let wave = |turns: f64| {
                let series = series(n, |p, t| (0.3 * p + TAU * turns * t / n as f64).sin());
                Evidence::of(&series, n, None, 0.0, false)
            };
            assert!(wave(1.0).shows_phases(true), "{n}: {:?}", wave(1.0));
            assert!(!wave(0.5).shows_phases(false) && wave(0.5).why_not(false).contains("times the others"));
            assert!(!wave(2.0).shows_phases(false), "{n}");
            let both_ends = series(n + 1, |p, t| (0.3 * p + TAU * t / n as f64).sin());
            assert!(Evidence::of(&both_ends, n + 1, None, 0.0, false).repeats());
        }
    }

    #[test]
    fn series_that_take_turns_are_found() {
        // Four slices of nearly the same wave, which run faster than eight phases.
        let slices = series(32, |p, t| (0.3 * p + 0.35 * (t % 4.0) + TAU * (t / 4.0).floor() / 8.0).sin());
        let evidence = Evidence::of(&slices, 32, None, 0.0, false);
        assert!(evidence.share > 0.8 && !evidence.shows_phases(false), "{evidence:?}");
        assert!(evidence.why_not(false).contains("take turns"));
        // A period of 32 phases, with noise.
        let mut random = fastrand::Rng::with_seed(1);
        let mut single = series(32, |p, t| (0.3 * p + TAU * t / 32.0).sin());
        single.iter_mut().for_each(|v| *v += random.f32() - 0.5);
        assert!(Evidence::of(&single, 32, None, 0.0, false).shows_phases(false));
    }

    #[test]
    fn three_frames_of_one_wave_are_told_from_three_images() {
        let frames = series(3, |p, t| (0.3 * p + TAU * t / 3.0).sin());
        assert!(Evidence::of(&frames, 3, None, 0.0, false).shows_phases(false));
        assert!(!Evidence::of(&frames, 3, None, 0.5, false).shows_phases(false));
    }
}
