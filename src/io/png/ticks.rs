//! Round numbers for axes and colour bars, and their labels.

/// Returns `(value, label)` of at most `at_most` (2 or more) round values within `min..=max`. They are
/// multiples of 1, 2 or 5 times a power of ten. All labels have the digits that the step needs.
pub(super) fn ticks(min: f64, max: f64, at_most: usize) -> Vec<(f64, String)> {
    let range = max - min;
    if !(range.is_finite() && range > 0.0) {
        return vec![(min, number(min, min.abs().max(1e-3), min.abs()))];
    }
    let rough = range / at_most.max(2) as f64;
    let decade = 10f64.powf(rough.log10().floor());
    let slack = 1e-6; // in steps: an f32 limit like 0.1 differs slightly from the round value
    let multiples = |step: f64| {
        let first = (min / step - slack).ceil() as i64;
        let last = (max / step + slack).floor() as i64;
        first..=last
    };
    let step = [1.0, 2.0, 5.0, 10.0, 20.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|&step| multiples(step).count() <= at_most.max(2))
        .unwrap_or(range);
    let largest = min.abs().max(max.abs());
    multiples(step).map(|i| i as f64 * step).map(|v| (v, number(v, step, largest))).collect()
}

/// Returns `(value, label)` of at most `at_most` (2 or more) round values within `min..=max`, for a logarithmic
/// axis. `min` and `max` are positive.
///
/// The values are powers of ten, with 2 and 5 times those if there is room. If the range is small, they are
/// multiples of one step.
pub(super) fn log_ticks(min: f64, max: f64, at_most: usize) -> Vec<(f64, String)> {
    let decades = min.log10().floor() as i32..=max.log10().ceil() as i32;
    let values = |digits: &[f64], every: usize| {
        let powers = decades.clone().filter(|d| d.rem_euclid(every as i32) == 0).map(|d| 10f64.powi(d));
        let all = powers.flat_map(|power| digits.iter().map(move |digit| digit * power));
        all.filter(|v| (min..=max).contains(v)).collect::<Vec<_>>()
    };
    let fine = values(&[1.0, 2.0, 5.0], 1);
    if fine.len() < 3 {
        return ticks(min, max, at_most.min(6));
    }
    let chosen = if fine.len() <= at_most {
        fine
    } else {
        let every = (1..).find(|&every| values(&[1.0], every).len() <= at_most.max(2)).unwrap_or(1);
        values(&[1.0], every)
    };
    chosen.into_iter().map(|v| (v, number(v, v, v))).collect()
}

/// Formats `value` with the digits needed to distinguish multiples of `step`. An exponent is used only if
/// `largest` is 10⁶ or more, or the step is below 10⁻⁴.
fn number(value: f64, step: f64, largest: f64) -> String {
    let place = (step.log10() + 1e-9).floor();
    if value == 0.0 {
        "0".to_string()
    } else if largest >= 1e6 || place < -4.0 {
        let digits = (value.abs().log10() + 1e-9).floor() - place;
        format!("{value:.*e}", digits.clamp(0.0, 9.0) as usize)
    } else {
        format!("{value:.*}", (-place).max(0.0) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(min: f64, max: f64, at_most: usize) -> String {
        ticks(min, max, at_most).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn round_numbers_inside_the_range() {
        assert_eq!(labels(0.0, 8.0, 9), "0 1 2 3 4 5 6 7 8");
        assert_eq!(labels(0.0, 8.0, 5), "0 2 4 6 8");
        assert_eq!(labels(0.0, 1.0, 6), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(-1870.0, 1870.0, 6), "-1000 0 1000");
        assert_eq!(labels(-1870.0, 1870.0, 7), "-1500 -1000 -500 0 500 1000 1500");
        assert_eq!(labels(0.03, 0.31, 4), "0.1 0.2 0.3");
        assert_eq!(labels(f64::from(0.1f32), f64::from(0.3f32), 3), "0.1 0.2 0.3");
        assert_eq!(labels(-3e-6, 3e-6, 7), "-3e-6 -2e-6 -1e-6 0 1e-6 2e-6 3e-6");
        assert_eq!(labels(0.0, 2.5e7, 6), "0 5e6 1.0e7 1.5e7 2.0e7 2.5e7");
    }

    #[test]
    fn logarithmic_axes_have_round_numbers_too() {
        let labels = |min, max, at_most| {
            log_ticks(min, max, at_most).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(labels(0.03, 2.4, 9), "0.05 0.1 0.2 0.5 1 2");
        assert_eq!(labels(3e-6, 40.0, 9), "1e-5 0.0001 0.001 0.01 0.1 1 10");
        assert_eq!(labels(1e-30, 1.0, 4), "1e-24 1e-16 1e-8 1");
        assert_eq!(labels(0.3, 0.42, 9), "0.30 0.35 0.40");
        assert_eq!(labels(1000.0, 60000.0, 9), "1000 2000 5000 10000 20000 50000");
        for (min, max) in [(1e-300, 1e300), (1.0, 1.0 + 1e-9), (0.99, 1.01), (f64::MIN_POSITIVE, 1.0)] {
            for at_most in 2..12 {
                let found = log_ticks(min, max, at_most);
                assert!((1..=at_most).contains(&found.len()), "{min}..{max}, {at_most}: {found:?}");
            }
        }
    }

    #[test]
    fn any_range_gives_a_few() {
        for (min, max) in [
            (0.0, 1e-30),
            (1.0, 1.0 + 1e-7),
            (f64::from(f32::MIN), f64::from(f32::MAX)),
            (-7.3, 911.0),
            (16777215.0, 16777216.0),
        ] {
            for at_most in 2..12 {
                let found = ticks(min, max, at_most);
                assert!((1..=at_most).contains(&found.len()), "{min}..{max}: {found:?}");
                let slack = 1e-5 * (max - min);
                assert!(found.iter().all(|(v, _)| (min - slack..=max + slack).contains(v)), "{found:?}");
                assert!(found.iter().all(|(_, label)| label.len() <= 16), "{found:?}");
            }
        }
        assert_eq!(labels(3.0, 3.0, 5), "3");
        assert_eq!(labels(0.0, f64::NAN, 5), "0");
    }
}
