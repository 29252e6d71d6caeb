//! Agreement of an estimate with the truth: correlation, regression, and Bland and Altman's limits.

use serde::{Deserialize, Serialize};

use super::{mean, median, sd};
use crate::error::{Error, Result};

/// The agreement of estimates `e` with truths `t` over `n` pairs. Differences are `d = e - t`, in the unit of the
/// data. Undefined values are `None` (`null` in JSON). See [`agreement`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The number of pairs.
    pub n: usize,
    /// Pearson's `r = S_te / sqrt(S_tt S_ee)` with `S_ab = sum (a - mean a)(b - mean b)`. `None` if either side is
    /// constant.
    pub pearson_r: Option<f64>,
    /// Spearman's rho: Pearson's r of the ranks. Ties share their average rank. `None` if either side is constant.
    pub spearman_rho: Option<f64>,
    /// The coefficient of determination of the regression line, `r^2`.
    pub r2: Option<f64>,
    /// The slope of the least-squares line of the estimate on the truth, `e = slope t + intercept`: `slope = S_te /
    /// S_tt`. `None` if the truth is constant.
    pub slope: Option<f64>,
    /// `intercept = mean e - slope mean t`. `None` if the truth is constant.
    pub intercept: Option<f64>,
    /// `mean d`. It is positive if the estimate is too high.
    pub bias: f64,
    /// The 95 % limits of agreement, `bias - 1.96 SD` and `bias + 1.96 SD`. SD is the sample standard deviation of
    /// `d` (divisor `n - 1`).
    pub limits: [f64; 2],
    /// `sqrt(mean d^2)`.
    pub rmse: f64,
    /// `median |d|`.
    pub median_abs_error: f64,
    /// `median |d| / |t|` (0.05 is 5 %) over the pairs whose truth is not 0. `None` if all truths are 0.
    pub median_relative_error: Option<f64>,
}

/// Computes the agreement of `estimate` with `truth`, pair by pair. Both have the same unit.
///
/// # Errors
/// [`Error::Data`] if the lengths differ, there are fewer than 3 pairs, or a value is not finite.
///
/// ```
/// # use palpate::lowlevel::stats::agreement::agreement;
/// let a = agreement(&[1.0, 2.0, 3.0], &[1.5, 2.5, 3.5])?;
/// assert_eq!((a.bias, a.slope, a.limits), (0.5, Some(1.0), [0.5, 0.5]));
/// # Ok::<(), palpate::Error>(())
/// ```
pub fn agreement(truth: &[f64], estimate: &[f64]) -> Result<Agreement> {
    let n = truth.len();
    if estimate.len() != n {
        return Err(Error::Data(format!(
            "agreement: {n} true values but {} estimates; give one estimate per true value",
            estimate.len()
        )));
    }
    if n < 3 {
        return Err(Error::Data(format!(
            "agreement: {n} pairs are too few for a correlation; give at least 3"
        )));
    }
    if let Some(i) = (0..n).find(|&i| !(truth[i].is_finite() && estimate[i].is_finite())) {
        return Err(Error::Data(format!(
            "agreement: pair {i} (counted from 0) is not finite (truth {}, estimate {}); \
             leave such pairs out with a mask",
            truth[i], estimate[i]
        )));
    }

    let difference: Vec<f64> = truth.iter().zip(estimate).map(|(t, e)| e - t).collect();
    let mut absolute: Vec<f64> = difference.iter().map(|d| d.abs()).collect();
    let mut relative: Vec<f64> =
        truth.iter().zip(&absolute).filter(|(t, _)| **t != 0.0).map(|(t, d)| d / t.abs()).collect();

    let bias = mean(difference.iter().copied());
    let reach = 1.96 * sd(&difference);
    let pearson_r = pearson(truth, estimate);
    let slope = (!is_constant(truth)).then(|| {
        let [tt, te, _] = central_products(truth, estimate);
        te / tt
    });
    Ok(Agreement {
        n,
        pearson_r,
        spearman_rho: pearson(&ranks(truth), &ranks(estimate)),
        r2: pearson_r.map(|r| r * r),
        slope,
        intercept: slope.map(|s| mean(estimate.iter().copied()) - s * mean(truth.iter().copied())),
        bias,
        limits: [bias - reach, bias + reach],
        rmse: mean(difference.iter().map(|d| d * d)).sqrt(),
        median_abs_error: median(&mut absolute),
        median_relative_error: (!relative.is_empty()).then(|| median(&mut relative)),
    })
}

/// Compares the values exactly, because the sum of squares of a constant may differ from 0 by rounding.
fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// `[S_aa, S_ab, S_bb]`.
fn central_products(a: &[f64], b: &[f64]) -> [f64; 3] {
    let (mean_a, mean_b) = (mean(a.iter().copied()), mean(b.iter().copied()));
    a.iter().zip(b).fold([0.0; 3], |[aa, ab, bb], (x, y)| {
        let (x, y) = (x - mean_a, y - mean_b);
        [aa + x * x, ab + x * y, bb + y * y]
    })
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if is_constant(a) || is_constant(b) {
        return None;
    }
    let [aa, ab, bb] = central_products(a, b);
    let r = ab / (aa.sqrt() * bb.sqrt());
    // Squares of tiny deviations may underflow to 0.
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// The ranks from 1. Ties share the average of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let shared = first as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&i| ranks[i] = shared);
        first += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: impl Into<Option<f64>>, expected: f64) {
        let value = value.into().unwrap();
        assert!((value - expected).abs() < 1e-12, "{value} is not {expected}");
    }

    #[test]
    fn fixed_values_with_ties() {
        let truth = [1.0, 2.0, 2.0, 3.5, 5.0, 0.0, 7.25];
        let estimate = [1.5, 1.75, 2.5, 2.5, 6.0, 0.5, 6.5];
        let a = agreement(&truth, &estimate).unwrap();
        assert_eq!(a.n, 7);
        // Expected values from scipy.stats: pearsonr, spearmanr, linregress; numpy: std(ddof=1), median.
        close(a.pearson_r, 0.9547079597872987);
        close(a.spearman_rho, 0.9727272727272728);
        close(a.r2, 0.9114672884812266);
        close(a.slope, 0.8815222594542843);
        close(a.intercept, 0.42263044518908544);
        close(a.bias, 0.07142857142857142);
        close(a.limits[0], -1.3907729650681364);
        close(a.limits[1], 1.5336301079252792);
        close(a.rmse, 0.6943650748294136);
        close(a.median_abs_error, 0.5);
        close(a.median_relative_error, 0.225);
    }

    #[test]
    fn ranks_average_over_ties() {
        assert_eq!(ranks(&[2.0, 1.0, 2.0, 2.0, 0.5, 9.0]), [4.0, 2.0, 4.0, 4.0, 1.0, 6.0]);
        assert_eq!(ranks(&[0.0, -0.0, -1.0]), [2.5, 2.5, 1.0]);
    }

    #[test]
    fn what_is_undefined_is_none_not_nan() {
        let flat = agreement(&[0.1, 0.1, 0.1, 0.1], &[1.0, 2.0, 3.0, 5.0]).unwrap();
        assert_eq!((flat.pearson_r, flat.spearman_rho, flat.r2), (None, None, None));
        assert_eq!((flat.slope, flat.intercept), (None, None));
        let level = agreement(&[1.0, 2.0, 4.0], &[3.0, 3.0, 3.0]).unwrap();
        assert_eq!((level.pearson_r, level.slope, level.intercept), (None, Some(0.0), Some(3.0)));
        let zero = agreement(&[0.0; 3], &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(zero.median_relative_error, None);
        let json = serde_json::to_value(&zero).unwrap();
        assert!(json["pearson_r"].is_null() && json["median_relative_error"].is_null());
        assert_eq!(json["median_abs_error"], 2.0);
    }

    #[test]
    fn bad_pairs_are_refused() {
        for (truth, estimate, word) in [
            (vec![1.0, 2.0], vec![1.0, 2.0], "at least 3"),
            (vec![1.0, 2.0, 3.0], vec![1.0, 2.0], "2 estimates"),
            (vec![1.0, 2.0, 3.0], vec![1.0, f64::NAN, 2.0], "pair 1"),
            (vec![1.0, 2.0, f64::INFINITY], vec![1.0, 1.0, 2.0], "pair 2"),
        ] {
            let error = agreement(&truth, &estimate).unwrap_err();
            assert!(matches!(&error, Error::Data(what) if what.contains(word)), "{error}");
        }
    }
}
