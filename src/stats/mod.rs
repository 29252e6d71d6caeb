//! Statistics of maps: agreement with the truth, statistics of a region, and the erosion that excludes a region's rim
//! from both. All are in f64.

pub mod agreement;
pub mod erode;
pub mod evaluation;
pub mod region;

/// The `share` quantile (0..=1) of sorted, non-empty values, with linear interpolation: `x[k] + (h - k) (x[k+1] -
/// x[k])` with `h = share (n - 1)`, `k = floor(h)`.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let h = share * (sorted.len() - 1) as f64;
    let low = sorted[h.floor() as usize];
    let high = sorted[h.ceil() as usize];
    low + h.fract() * (high - low)
}

/// The median of non-empty values. Sorts the values in place.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(values, 0.5)
}

/// The mean of non-empty values.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// The sample standard deviation `sqrt(sum (x - mean)^2 / (n - 1))`; 0 for a single value.
pub(crate) fn sd(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    let squares: f64 = values.iter().map(|x| (x - centre).powi(2)).sum();
    (squares / values.len().saturating_sub(1).max(1) as f64).sqrt()
}
