//! Doubts about a comparison: another unit, or maps that do not cover each other.

use palpate::lowlevel::stats::evaluation::Sample;
use serde::Serialize;

/// Decimal orders of magnitude that units of maps differ by.
const ORDERS: [i32; 6] = [-3, -2, -1, 1, 2, 3];
/// A ratio is that of two units if its logarithm is this near.
const NEAR: f64 = 0.15;
/// Maps that cover each other by less than this are told.
const COVERED: f64 = 0.8;

/// How the estimates of a method lie to the truth.
#[derive(Serialize)]
pub struct Fit {
    pub method: String,
    /// The median of estimate over truth.
    pub ratio: Option<f64>,
    /// Twice the pixels that are not 0 in both, over the sum of those of each.
    pub overlap: f64,
}

impl Fit {
    pub fn of(samples: &[Sample], method: &str) -> Self {
        let mut ratios = Vec::new();
        let [mut both, mut either] = [0usize; 2];
        for sample in samples {
            let Some(estimate) = sample.estimates.get(method) else { continue };
            for ((truth, estimate), inside) in sample.truth.iter().zip(estimate).zip(&sample.mask) {
                let held = [truth, estimate].map(|v| usize::from(*v != 0.0 && v.is_finite()));
                both += held[0] * held[1];
                either += held[0] + held[1];
                if *inside && held == [1, 1] {
                    ratios.push(f64::from(*estimate) / f64::from(*truth));
                }
            }
        }
        let middle = ratios.len() / 2;
        let ratio = (!ratios.is_empty()).then(|| *ratios.select_nth_unstable_by(middle, f64::total_cmp).1);
        let overlap = if either > 0 { 2.0 * both as f64 / either as f64 } else { 0.0 };
        Self { method: method.into(), ratio, overlap }
    }

    /// The doubts, as sentences.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let order = self.ratio.filter(|r| *r > 0.0).and_then(|ratio| {
            ORDERS.into_iter().find(|order| (ratio.log10() - f64::from(*order)).abs() < NEAR)
        });
        if let (Some(order), Some(ratio)) = (order, self.ratio) {
            let unit = match order {
                3 => ", as Pa are for kPa",
                -3 => ", as MPa are for kPa, or kPa for Pa",
                _ => "",
            };
            doubts.push(format!(
                "the estimates by {} are {ratio:.3} times the truth in the median, about 10^{order}{unit}: both must be kPa",
                self.method
            ));
        }
        if self.overlap < COVERED {
            doubts.push(format!(
                "the estimates by {} and the truth cover each other by {:.0} % alone: they may lie at different places",
                self.method,
                100.0 * self.overlap
            ));
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palpate::Size;
    use std::collections::BTreeMap;

    fn fit(scale: f32, shift: usize) -> Vec<String> {
        let truth: Vec<f32> = (0..100).map(|i| if i < 50 { 2.0 + i as f32 / 50.0 } else { 0.0 }).collect();
        let estimate = (0..100).map(|i| scale * truth[(i + shift) % 100]).collect();
        let sample = Sample {
            name: "a".into(),
            group: String::new(),
            size: Size::square(10),
            mask: truth.iter().map(|v| *v > 0.0).collect(),
            truth,
            regions: BTreeMap::new(),
            estimates: [("m".to_string(), estimate)].into(),
        };
        Fit::of(&[sample], "m").doubts()
    }

    #[test]
    fn another_unit_and_another_place_are_told() {
        assert!(fit(1.1, 0).is_empty() && fit(2.0, 3).is_empty());
        assert!(fit(1000.0, 0)[0].contains("Pa are for kPa"));
        assert!(fit(0.1, 0)[0].contains("10^-1"));
        assert!(fit(1.0, 40)[0].contains("cover each other by 20 %"));
    }
}
