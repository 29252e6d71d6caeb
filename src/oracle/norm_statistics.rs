use super::{norm_moments, norm_running};
use ndarray::Array4;

/// Returns mean and 1/√(variance + ε) of each of `groups` groups of pixels: `[groups][1][2][c]`. The variance
/// is the biased one.
pub fn norm_statistics(x: &Array4<f64>, groups: usize) -> Array4<f64> {
    norm_running(&mean_and_variance(x, groups, 0.0))
}

/// Updates running mean and variance, `[1][1][2][c]`, with a batch `x`. The variance is the unbiased one.
pub fn update_running(running: &Array4<f64>, x: &Array4<f64>, momentum: f64) -> Array4<f64> {
    running * (1.0 - momentum) + mean_and_variance(x, 1, 1.0) * momentum
}

fn mean_and_variance(x: &Array4<f64>, groups: usize, lost: f64) -> Array4<f64> {
    let (n, h, w, _) = x.dim();
    let run = n * h * w / groups;
    let mut values = norm_moments(x, groups, run);
    let mut variance = values.slice_mut(ndarray::s![.., .., 1, ..]);
    variance /= f64::max(run as f64 - lost, 1.0);
    values
}
