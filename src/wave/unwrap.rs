//! Unwrapping of phases that were stored modulo one turn.
//!
//! Unwrapping along time is sufficient. A remaining whole turn at a pixel shifts only its temporal mean, and the first
//! harmonic does not depend on the mean. The frames run over one period, so that the steps around the period sum to
//! zero: a single step of more than half a turn is mended by that.

use super::warning::first_harmonic_share;
use std::f64::consts::TAU;

/// One turn as programs and scanners store it: radians, milliradians, degrees, 12 and 13 bits, ±500, ±1, 0 to 1, 8 bits.
const TURNS: [f64; 9] = [TAU, 1e3 * TAU, 360.0, 4096.0, 8192.0, 1000.0, 2.0, 1.0, 256.0];
/// Wrapped phases fill at least this share of a turn.
const FILLED: f64 = 0.9;
/// They may exceed it by this share: single samples at both ends, and the step between two levels.
const EXCESS: f64 = 2e-3;
/// The most turns that are tried.
const MOST_CANDIDATES: usize = 8;
/// The share of samples that may lie beyond either end of the turn, as spikes do.
const SPIKES: f64 = 2e-4;
/// Shares of motion off the first harmonic up to this need no unwrapping. With four phases, a full-scale wave
/// and its unwrapped series can both be perfect harmonics.
const NEGLIGIBLE: f64 = 1e-3;
/// A turn that no program is known to use has to leave no more than this share off the first harmonic.
const PERIODIC: f64 = 0.3;
/// Wrapped phases are as frequent at both ends of their turn as elsewhere; waves are rare at the ends of their range. A
/// turn that no program is known to use has to have this share of an even distribution in the parts of its range that lie
/// within `END` of either end.
const AT_ENDS: f64 = 0.4;
const END: f64 = 0.02;

/// The turns that the samples may be stored modulo of, by their range. Samples that are not finite are ignored.
pub(super) fn candidates(samples: &[f32]) -> Vec<f64> {
    let mut sorted: Vec<f32> = samples.iter().copied().filter(|v| v.is_finite()).collect();
    if sorted.is_empty() {
        return Vec::new();
    }
    let last = sorted.len() - 1;
    let few = (sorted.len() as f64 * SPIKES) as usize;
    let mut at = |i: usize| f64::from(*sorted.select_nth_unstable_by(i, f32::total_cmp).1);
    let spans = [at(last) - at(0), at(last - few) - at(few)];
    let mut turns: Vec<f64> = Vec::new();
    for span in spans.into_iter().filter(|span| *span > 0.0) {
        let fits = |turn: &f64| span > FILLED * turn && span <= turn * (1.0 + EXCESS);
        let nominal = TURNS.into_iter().filter(fits);
        let even = is_even(samples, (at(last - few) + at(few)) / 2.0, span).then_some(span);
        for turn in nominal.chain(even) {
            // A span that rounds to a known turn is that turn.
            if !turns.iter().any(|known| (turn / known - 1.0).abs() < 5e-3) {
                turns.push(turn);
            }
        }
    }
    turns
}

/// The different turns among those of several lists, at most [`MOST_CANDIDATES`].
pub(super) fn distinct(lists: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    let mut turns: Vec<f64> = Vec::new();
    for turn in lists.flatten() {
        if turns.len() < MOST_CANDIDATES && !turns.iter().any(|known| (turn / known - 1.0).abs() < 5e-3) {
            turns.push(turn);
        }
    }
    turns
}

/// The turn in use that the samples fill, if there is one.
pub(super) fn known(samples: &[f32]) -> Option<f64> {
    candidates(samples).into_iter().find(|turn| is_known(*turn))
}

/// Whether samples are about as frequent at both ends of a span as elsewhere in it.
fn is_even(samples: &[f32], middle: f64, span: f64) -> bool {
    let near = |v: &&f32| (f64::from(**v) - middle).abs() >= (0.5 - END) * span;
    samples.iter().filter(near).count() as f64 >= AT_ENDS * 2.0 * END * samples.len() as f64
}

/// The known turn that the samples fill evenly, as phases modulo the turn do, wrapped by a wave or by noise.
pub(super) fn filled(samples: &[f32]) -> Option<f64> {
    let ends = samples
        .iter()
        .filter(|v| v.is_finite())
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &v| [low.min(v.into()), high.max(v.into())]);
    let [low, high] = ends;
    known(samples).filter(|_| is_even(samples, (low + high) / 2.0, high - low))
}

/// Whether `turn` is one that programs are known to use.
fn is_known(turn: f64) -> bool {
    TURNS.iter().any(|known| (turn / known - 1.0).abs() < 5e-3)
}

/// The turn that mends its series best, of several with the series of the tissue, one list for each slice. None if they are
/// not wrapped, or if none mends them.
///
/// Samples count as wrapped if unwrapping at least halves the share of motion off the first harmonic in some slice. A
/// wave image that only spans such a range does not gain from unwrapping.
pub(super) fn best(tried: impl Iterator<Item = (f64, Vec<Vec<f32>>)>, frames: usize) -> Option<f64> {
    let mut best: Option<(f64, f64)> = None;
    for (turn, slices) in tried {
        let (mut gained, mut off, mut all) = (false, 0.0, 0.0);
        for slice in slices {
            let count = slice.len() as f64;
            let [before, after] = off_harmonic(&slice, frames, turn);
            let gains = gain(before, after) && (is_known(turn) || after < PERIODIC);
            gained |= gains;
            let left = if gains { after } else { before };
            if left.is_finite() {
                off += count * left;
                all += count;
            }
        }
        if gained && best.is_none_or(|(_, least)| off / all < least) {
            best = Some((turn, off / all));
        }
    }
    best.map(|(turn, _)| turn)
}

fn gain(before: f64, after: f64) -> bool {
    // The share is NaN if nothing moves; that is no gain either.
    before > NEGLIGIBLE && after < before / 2.0
}

/// The share of motion off the first harmonic, before and after unwrapping.
fn off_harmonic(series: &[f32], frames: usize, turn: f64) -> [f64; 2] {
    let off = |samples: &[f32]| 1.0 - first_harmonic_share(samples.chunks_exact(frames));
    let mut straight = series.to_vec();
    straight.chunks_exact_mut(frames).for_each(|series| {
        unwrap_series(series, turn);
    });
    [off(series), off(&straight)]
}

/// Whether unwrapping by `turn` mends the series of one slice.
pub(super) fn gains(series: &[f32], frames: usize, turn: f64) -> bool {
    let [before, after] = off_harmonic(series, frames, turn);
    gain(before, after)
}

/// Adds whole turns so that the steps around the period sum to zero and no step exceeds half a turn, apart from those
/// that cannot be less. Returns whether a sample changes.
pub(super) fn unwrap_series(series: &mut [f32], turn: f64) -> bool {
    let frames = series.len();
    let wrap = |v: f64| v - turn * (v / turn).round();
    let step = |i: usize| wrap(f64::from(series[(i + 1) % frames]) - f64::from(series[i]));
    let mut steps: Vec<f64> = (0..frames).map(step).collect();
    let mut turns = (steps.iter().sum::<f64>() / turn).round();
    while turns != 0.0 && turns.is_finite() {
        // The longest step in the direction of the excess went round the turn the wrong way.
        let side = turns.signum();
        let longest = (0..frames).max_by(|&a, &b| (side * steps[a]).total_cmp(&(side * steps[b])));
        let Some(longest) = longest else { break };
        steps[longest] -= side * turn;
        turns -= side;
    }
    let first = series.first().copied().map_or(0.0, f64::from);
    let mut sum = 0.0;
    let mut changed = false;
    for (v, step) in series[1..].iter_mut().zip(&steps) {
        sum += step;
        let turns = ((first + sum - f64::from(*v)) / turn).round();
        if turns != 0.0 && turns.is_finite() {
            *v = (f64::from(*v) + turns * turn) as f32;
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waves of `amplitude` turns about different means, with `frames` values per series.
    fn waves(amplitude: f64, frames: usize) -> Vec<f64> {
        let wave = |i: usize| {
            let (pixel, t) = ((i / frames) as f64, (i % frames) as f64 / frames as f64);
            0.37 * pixel + amplitude * (TAU * (t + 0.05 * pixel)).sin()
        };
        (0..1000 * frames).map(wave).collect()
    }

    fn found(samples: &[f32], frames: usize) -> Option<f64> {
        best(candidates(samples).into_iter().map(|turn| (turn, vec![samples.to_vec()])), frames)
    }

    #[test]
    fn wrapped_phases_are_straightened_but_for_whole_turns() {
        let odd = [31416.0 * 2.0, 713.0, 4095.0];
        for turn in TURNS.into_iter().chain(odd) {
            let true_phase = waves(0.45, 8);
            let mut samples: Vec<f32> = true_phase.iter().map(|v| (turn * (v - v.round())) as f32).collect();
            let got = found(&samples, 8).unwrap_or_else(|| panic!("{turn} is not found"));
            assert!((got / turn - 1.0).abs() < 5e-3, "{got} for {turn}");
            assert!(samples.chunks_mut(8).filter_map(|s| unwrap_series(s, turn).then_some(())).count() > 200);
            for (series, known) in samples.chunks(8).zip(true_phase.chunks(8)) {
                let off = known[0] - f64::from(series[0]) / turn;
                assert!((off - off.round()).abs() < 1e-5);
                for (v, k) in series.iter().zip(known) {
                    assert!((f64::from(*v) / turn + off - k).abs() < 1e-4, "{turn}");
                }
            }
        }
    }

    #[test]
    fn a_step_of_more_than_half_a_turn_is_mended() {
        // The step from 0 to 0.6 wraps to -0.4; the others sum to -0.6.
        let mut series = [0.0, -0.4, -0.45, 0.35, 0.2].map(|v: f64| v as f32);
        assert!(unwrap_series(&mut series, 1.0));
        let wanted = [0.0, 0.6, 0.55, 0.35, 0.2];
        assert!(
            series.iter().zip(wanted).all(|(a, b): (&f32, f64)| (f64::from(*a) - b).abs() < 1e-6),
            "{series:?}"
        );
    }

    #[test]
    fn spikes_and_straight_slices_do_not_hide_the_turn() {
        let wrapped = |v: &f64| (4096.0 * (v - v.round())) as f32;
        let mut samples: Vec<f32> = waves(0.45, 8).iter().map(wrapped).collect();
        samples[77] = 1e6;
        assert_eq!(found(&samples, 8), Some(4096.0));
    }

    #[test]
    fn wave_images_of_the_same_range_stay_as_they_are() {
        // Steps of more than half the range, as in four phases of a full-scale wave.
        for (frames, scale) in [(4, TAU / 2.0), (8, 2047.5), (5, 2047.5), (6, 1.0)] {
            let wave =
                |i: usize| (TAU * ((i % frames) as f64 / frames as f64 + 0.01 * (i / frames) as f64)).sin();
            let samples: Vec<f32> = (0..100 * frames).map(|i| (scale * wave(i)) as f32).collect();
            assert_eq!(found(&samples, frames), None);
        }
    }
}
