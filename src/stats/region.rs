//! Statistics of a map inside a mask: one row of a table about a stiffness map.

use serde::{Deserialize, Serialize};

use super::{mean, quantile, sd};

/// The statistics of the finite values inside a mask, in the map's unit. See [`region`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegionStats {
    /// The number of pixels of the mask with a finite value. The other pixels are left out everywhere.
    pub n: usize,
    /// `sum x / n`.
    pub mean: f64,
    /// The sample standard deviation `sqrt(sum (x - mean)^2 / (n - 1))`, 0 for one pixel.
    pub sd: f64,
    /// The 50 % quantile.
    pub median: f64,
    /// The 25 % and 75 % quantiles, with linear interpolation between ranks.
    pub iqr: [f64; 2],
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// `n` times the area of a pixel.
    pub area_mm2: f64,
    /// The share (0..1) of the `n` pixels whose confidence is at least the threshold. `None` without a confidence
    /// map.
    pub share_confident: Option<f64>,
}

/// Computes the statistics of `values` where `mask` is true. Returns `None` if no finite value remains.
///
/// `values`, `mask` and the confidence map are images with the same order of pixels. `spacing_mm` is the pixel's size
/// along both axes in mm. `confidence` is a map and the least value that counts as confident.
///
/// # Panics
/// If the lengths differ, which is an error of the caller and not of the data.
///
/// ```
/// # use palpate::lowlevel::stats::region::region;
/// let stats = region(&[1.0, 2.0, 6.0, 9.0], &[true, true, true, false], [1.5, 2.0], None).unwrap();
/// assert_eq!((stats.n, stats.mean, stats.median, stats.area_mm2), (3, 3.0, 2.0, 9.0));
/// ```
pub fn region(
    values: &[f32],
    mask: &[bool],
    spacing_mm: [f64; 2],
    confidence: Option<(&[f32], f64)>,
) -> Option<RegionStats> {
    assert_eq!(values.len(), mask.len(), "a map and its mask must have the same size");
    let inside: Vec<usize> = (0..values.len()).filter(|&i| mask[i] && values[i].is_finite()).collect();
    let mut sorted: Vec<f64> = inside.iter().map(|&i| f64::from(values[i])).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (&min, &max) = (sorted.first()?, sorted.last()?);
    let n = sorted.len();
    let share_confident = confidence.map(|(map, threshold)| {
        assert_eq!(values.len(), map.len(), "a map and its confidence must have the same size");
        inside.iter().filter(|&&i| f64::from(map[i]) >= threshold).count() as f64 / n as f64
    });
    Some(RegionStats {
        n,
        mean: mean(sorted.iter().copied()),
        sd: sd(&sorted),
        median: quantile(&sorted, 0.5),
        iqr: [quantile(&sorted, 0.25), quantile(&sorted, 0.75)],
        min,
        max,
        area_mm2: n as f64 * spacing_mm[0] * spacing_mm[1],
        share_confident,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_values() {
        let values = [3.0, 99.0, 1.0, f32::NAN, 4.5, 2.0, 7.0, f32::INFINITY, 2.5];
        let mask = [true, false, true, true, true, true, true, true, true];
        let confidence = [0.95, 1.0, 0.5, 1.0, 0.9, 0.89, f32::NAN, 1.0, 1.0];
        let stats = region(&values, &mask, [1.40625, 1.40625], Some((&confidence, 0.9))).unwrap();
        // Expected values from numpy: x = [3, 1, 4.5, 2, 7, 2.5]; mean, std(ddof=1), percentile.
        assert_eq!(stats.n, 6);
        assert!((stats.mean - 3.3333333333333335).abs() < 1e-14);
        assert!((stats.sd - 2.136976056643281).abs() < 1e-14);
        assert_eq!((stats.median, stats.iqr), (2.75, [2.125, 4.125]));
        assert_eq!((stats.min, stats.max), (1.0, 7.0));
        assert!((stats.area_mm2 - 11.865234375).abs() < 1e-12);
        // 0.9 as f32 is slightly below 0.9 as f64.
        assert_eq!(stats.share_confident, Some(2.0 / 6.0));
    }

    #[test]
    fn nothing_inside_is_none_and_one_pixel_has_no_spread() {
        assert_eq!(region(&[1.0, 2.0], &[false, false], [1.0, 1.0], None), None);
        assert_eq!(region(&[], &[], [1.0, 1.0], None), None);
        assert_eq!(region(&[f32::NAN], &[true], [1.0, 1.0], None), None);
        let one = region(&[2.0], &[true], [1.0, 1.0], None).unwrap();
        assert_eq!((one.n, one.sd, one.iqr), (1, 0.0, [2.0, 2.0]));
    }

    #[test]
    fn serialises_in_snake_case() {
        let stats = region(&[1.0, 2.0], &[true, true], [1.0, 1.0], None).unwrap();
        let json = serde_json::to_value(&stats).unwrap();
        assert_eq!(json["area_mm2"], 2.0);
        assert!(json["share_confident"].is_null());
        assert_eq!(serde_json::from_value::<RegionStats>(json).unwrap(), stats);
    }
}
