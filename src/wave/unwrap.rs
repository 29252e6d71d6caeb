//! Unwrapping of phases that were stored modulo one turn.
//!
//! Unwrapping along time is sufficient. A remaining whole turn at a pixel shifts only its temporal mean, and
//! the first harmonic does not depend on the mean. The phase must move less than half a turn between frames.

use super::warning::first_harmonic_share;
use std::f64::consts::TAU;

/// One turn as stored in files: radians, 12 bits, 13 bits.
const TURNS: [f64; 3] = [TAU, 4096.0, 8192.0];
/// Wrapped phases fill at least this share of a turn.
const FILLED: f64 = 0.9;
/// Shares of motion off the first harmonic up to this need no unwrapping. With four phases, a full-scale wave
/// and its unwrapped series can both be perfect harmonics.
const NEGLIGIBLE: f64 = 1e-3;

/// Unwraps `samples` (series of `frames` values each) if they were wrapped, and returns how many series
/// changed.
///
/// Samples count as wrapped if they fill one of the usual turns and unwrapping at least halves the share of
/// motion off the first harmonic. A wave image that only spans such a range does not gain from unwrapping.
pub(super) fn unwrap(samples: &mut [f32], frames: usize) -> usize {
    let (low, high) =
        samples.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let span = f64::from(high) - f64::from(low);
    let fits = |turn: f64| span > FILLED * turn && span <= turn * (1.0 + 1e-4);
    let Some(turn) = TURNS.into_iter().find(|&turn| fits(turn)) else { return 0 };
    let mut straight = samples.to_vec();
    let changed = straight.chunks_exact_mut(frames).filter_map(|series| unwrap_series(series, turn)).count();
    let off = |samples: &[f32]| 1.0 - first_harmonic_share(samples.chunks(frames));
    let before = off(samples);
    // The share is NaN if nothing moves; that is no gain either.
    let gains = before > NEGLIGIBLE && off(&straight) < before / 2.0;
    if !gains {
        return 0;
    }
    samples.copy_from_slice(&straight);
    changed
}

/// Adds whole turns so that no step exceeds half a turn. Returns `None` if nothing changes.
fn unwrap_series(series: &mut [f32], turn: f64) -> Option<()> {
    let mut turns = 0.0;
    let mut before = series.first().copied().map(f64::from)?;
    let mut changed = None;
    for v in &mut series[1..] {
        let wrapped = f64::from(*v);
        turns -= ((wrapped - before) / turn).round();
        before = wrapped;
        if turns != 0.0 {
            *v = (wrapped + turns * turn) as f32;
            changed = Some(());
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
        (0..100 * frames).map(wave).collect()
    }

    #[test]
    fn wrapped_phases_are_straightened_but_for_whole_turns() {
        for turn in TURNS {
            let true_phase = waves(0.45, 8);
            let mut samples: Vec<f32> = true_phase.iter().map(|v| (turn * (v - v.round())) as f32).collect();
            assert!(unwrap(&mut samples, 8) > 20);
            for (series, known) in samples.chunks(8).zip(true_phase.chunks(8)) {
                let off = known[0] - f64::from(series[0]) / turn;
                assert!((off - off.round()).abs() < 1e-6);
                for (v, k) in series.iter().zip(known) {
                    assert!((f64::from(*v) / turn + off - k).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn wave_images_of_the_same_range_stay_as_they_are() {
        // Steps of more than half the range, as in four phases of a full-scale wave.
        for (frames, scale) in [(4, TAU / 2.0), (8, 2047.5), (5, 2047.5)] {
            let wave =
                |i: usize| (TAU * ((i % frames) as f64 / frames as f64 + 0.01 * (i / frames) as f64)).sin();
            let before: Vec<f32> = (0..100 * frames).map(|i| (scale * wave(i)) as f32).collect();
            let mut samples = before.clone();
            assert_eq!(unwrap(&mut samples, frames), 0);
            assert_eq!(samples, before);
        }
    }
}
