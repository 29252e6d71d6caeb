//! Comparisons of numbers that NaN fails.
//!
//! Every comparison with NaN is false in Rust, so `!(error > limit)` holds for NaN; `f64::max` drops NaN, and so do many
//! filters. Tests compare numbers with the functions of this module only.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// True if `value` is `limit` or less: never of NaN, so that `!at_most(…)` finds it.
pub fn at_most(value: impl Into<f64>, limit: f64) -> bool {
    value.into() <= limit
}

/// Fails unless `value` is below `limit`.
#[track_caller]
pub fn assert_below(value: impl Into<f64>, limit: f64, what: impl Display) {
    let value = value.into();
    assert!(value < limit, "{what}: {value} is not below {limit}");
}

/// Fails unless `value` is `limit` or less.
#[track_caller]
pub fn assert_at_most(value: impl Into<f64>, limit: f64, what: impl Display) {
    let value = value.into();
    assert!(value <= limit, "{what}: {value} is more than {limit}");
}

/// Fails unless `value` is above `limit`.
#[track_caller]
pub fn assert_above(value: impl Into<f64>, limit: f64, what: impl Display) {
    let value = value.into();
    assert!(value > limit, "{what}: {value} is not above {limit}");
}

/// Fails unless `value` lies in `range`.
#[track_caller]
pub fn assert_within(value: impl Into<f64>, range: RangeInclusive<f64>, what: impl Display) {
    let value = value.into();
    assert!(range.contains(&value), "{what}: {value} is not in {range:?}");
}

/// Fails unless `got` and `expected` differ by `tolerance` or less.
#[track_caller]
pub fn assert_close(got: impl Into<f64>, expected: impl Into<f64>, tolerance: f64, what: impl Display) {
    let (got, expected) = (got.into(), expected.into());
    let off = (got - expected).abs();
    assert!(off <= tolerance, "{what}: {got} differs from {expected} by {off}, {tolerance} is allowed");
}

/// Fails unless `got / expected` differs from 1 by `share` or less.
#[track_caller]
pub fn assert_near(got: impl Into<f64>, expected: impl Into<f64>, share: f64, what: impl Display) {
    let (got, expected) = (got.into(), expected.into());
    let off = (got / expected - 1.0).abs();
    assert!(off <= share, "{what}: {got} differs from {expected} by {off} of it, {share} is allowed");
}

/// Fails unless ‖got − expected‖₂ / ‖expected‖₂ is `tolerance` or less. Returns it.
#[track_caller]
pub fn assert_agrees(got: &[f64], expected: &[f64], tolerance: f64, what: impl Display) -> f64 {
    match relative_error(got, expected) {
        Ok(error) if error <= tolerance => error,
        Ok(error) => panic!("{what}: relative error {error:.1e}, {tolerance:.1e} is allowed"),
        Err(why) => panic!("{what}: {why}"),
    }
}

/// ‖got − expected‖₂ / ‖expected‖₂.
///
/// # Errors
/// The lengths differ or are 0, or a value is NaN or infinite.
pub fn relative_error(got: &[f64], expected: &[f64]) -> Result<f64, String> {
    if got.len() != expected.len() || got.is_empty() {
        return Err(format!("{} values, expected {}", got.len(), expected.len()));
    }
    let (mut off, mut norm) = (0.0, 0.0);
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        if !a.is_finite() || !b.is_finite() {
            return Err(format!("value {i} is {a}, expected {b}"));
        }
        off += (a - b).powi(2);
        norm += b.powi(2);
    }
    let error = if off == 0.0 { 0.0 } else { (off / norm.max(f64::MIN_POSITIVE)).sqrt() };
    if error.is_finite() { Ok(error) } else { Err("the values are too large to compare".into()) }
}

/// The same of values of which those that an oracle has as NaN have to be NaN.
///
/// # Errors
/// As [`relative_error`], and where NaN stands in one and not in the other.
pub fn relative_error_with_nan(got: &[f64], expected: &[f64]) -> Result<f64, String> {
    let pairs = || got.iter().zip(expected);
    if let Some(i) = pairs().position(|(a, b)| a.is_nan() != b.is_nan()) {
        return Err(format!("value {i} is {}, expected {}", got[i], expected[i]));
    }
    if got.len() != expected.len() || expected.iter().all(|b| b.is_nan()) {
        return Err(format!("{} values, expected {}, all of them NaN", got.len(), expected.len()));
    }
    let (a, b): (Vec<f64>, Vec<f64>) = pairs().filter(|(_, b)| !b.is_nan()).unzip();
    relative_error(&a, &b)
}

/// Fails unless all values of a map are numbers, above 0 where `mask` is true, and 0 elsewhere. The mask is repeated for
/// every plane of the map.
#[track_caller]
pub fn assert_covers(map: &[f32], mask: &[bool]) {
    assert!(!map.is_empty() && map.len().is_multiple_of(mask.len()), "{} values", map.len());
    for (i, (value, inside)) in map.iter().zip(mask.iter().cycle()).enumerate() {
        let fits = if *inside { *value > 0.0 && value.is_finite() } else { *value == 0.0 };
        assert!(fits, "value {i} is {value} where the mask is {inside}");
    }
}

/// Fails unless both hold finite numbers only, and not the same ones.
#[track_caller]
pub fn assert_differ(a: &[f32], b: &[f32], what: impl Display) {
    assert!(a.iter().chain(b).all(|v| v.is_finite()), "{what}: not finite");
    assert!(a != b, "{what}: all values are the same");
}

/// The largest value: NaN where one is NaN, or where there is none.
pub fn largest(values: impl IntoIterator<Item = impl Into<f64>>) -> f64 {
    let of = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
    values.into_iter().map(Into::into).reduce(of).unwrap_or(f64::NAN)
}

/// The least value: NaN where one is NaN, or where there is none.
pub fn least(values: impl IntoIterator<Item = impl Into<f64>>) -> f64 {
    -largest(values.into_iter().map(|v| -v.into()))
}

/// The values in order: NaN each, where one is NaN.
fn ranked(values: impl IntoIterator<Item = impl Into<f64>>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().map(Into::into).collect();
    values.sort_by(f64::total_cmp);
    if values.iter().any(|v| v.is_nan()) {
        values.fill(f64::NAN);
    }
    values
}

/// The middle value, or the one above it: NaN where one is NaN, or where there is none.
pub fn median(values: impl IntoIterator<Item = impl Into<f64>>) -> f64 {
    let values = ranked(values);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which a `share` of them lies: NaN where one is NaN, or where there is none.
pub fn quantile(values: impl IntoIterator<Item = impl Into<f64>>, share: f64) -> f64 {
    let values = ranked(values);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
