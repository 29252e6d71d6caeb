//! Ranges of colours, by the data.

use super::super::report::CONFIDENT;

/// The digits of round numbers.
const ROUND: [f32; 7] = [1.0, 2.0, 2.5, 4.0, 5.0, 8.0, 10.0];
/// The share of the pixels that the colours cover.
const COVERED: f64 = 0.98;
/// The least share of the pixels that stands for all.
const ENOUGH: f64 = 0.01;

/// The round number at or above `value`: 1, 2, 2.5, 4, 5 or 8 times a power of ten. None if it is not above 0.
pub fn round_above(value: f32) -> Option<f32> {
    if !(value.is_finite() && value > 0.0) {
        return None;
    }
    let decade = 10f64.powf(f64::from(value).log10().floor());
    // A value of 2.0000002 is a 2 that was rounded.
    let least = f64::from(value) / decade * (1.0 - 1e-5);
    let digit = ROUND.into_iter().map(f64::from).find(|&digit| digit >= least).unwrap_or(10.0);
    Some((digit * decade) as f32)
}

/// The value that `share` of the values stay below. NaN and infinities do not count.
pub fn quantile(values: impl Iterator<Item = f32>, share: f64) -> Option<f32> {
    let mut values: Vec<f32> = values.filter(|v| v.is_finite()).collect();
    if values.is_empty() {
        return None;
    }
    let at = ((values.len() as f64 * share) as usize).min(values.len() - 1);
    Some(*values.select_nth_unstable_by(at, f32::total_cmp).1)
}

/// What the colours of a map must cover: the values in the mask that are confident, or all of the mask if next to
/// none are. The slices give value, confidence and mask of each pixel.
pub fn covered(pixels: impl Iterator<Item = (f32, f32, bool)> + Clone) -> Option<f32> {
    let inside = pixels.filter(|(.., inside)| *inside);
    let sure = inside.clone().filter(|(_, confidence, _)| *confidence >= CONFIDENT);
    let enough = sure.clone().count() as f64 >= ENOUGH * inside.clone().count() as f64;
    let sure = if enough { quantile(sure.map(|p| p.0), COVERED) } else { None };
    sure.or_else(|| quantile(inside.map(|p| p.0), COVERED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_on_round_numbers() {
        for (value, round) in [
            (0.3, 0.4),
            (1.0, 1.0),
            (1.01, 2.0),
            (2.000_000_2, 2.0),
            (2.1, 2.5),
            (2.6, 4.0),
            (4.1, 5.0),
            (7.9, 8.0),
            (8.1, 10.0),
            (11.0, 20.0),
            (640.0, 800.0),
            (0.001, 0.001),
        ] {
            let found = round_above(value).unwrap();
            assert!((found / round - 1.0).abs() < 1e-6, "{value}: {found}");
        }
        assert_eq!([0.0, -1.0, f32::NAN, f32::INFINITY].map(round_above), [None; 4]);
    }

    #[test]
    fn single_spikes_and_doubtful_pixels_do_not_set_the_range() {
        let pixel = |i: usize| match i {
            0..1000 => (2.0 + i as f32 * 1e-3, 0.95, true),
            1000..1010 => (50.0, 0.95, true),
            1010..1500 => (9.0, 0.5, true),
            _ => (100.0, 1.0, false),
        };
        let found = covered((0..2000).map(pixel)).unwrap();
        assert!((2.9..3.0).contains(&found), "{found}");
        // Where nothing is confident, all of the mask counts.
        assert_eq!(covered((1010..2000).map(pixel)), Some(9.0));
        assert_eq!(covered((1500..2000).map(pixel)), None);
        assert_eq!(quantile([f32::NAN].into_iter(), 0.5), None);
    }
}
