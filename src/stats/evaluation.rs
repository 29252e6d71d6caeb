//! Comparison of stiffness estimates with the truth, as papers in the field report it: over all pixels, over
//! phantoms, and over regions.

use super::agreement::{Agreement, agreement};
use super::{mean, sd};
use crate::size::Size;
use serde::Serialize;
use std::collections::BTreeMap;

/// One phantom, or one slice or stack of a patient: the truth and the estimate of each method, in kPa. All arrays are
/// `[ny][nx]`, slice by slice.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The name.
    pub name: String,
    /// The group of the sample, for example its family. Empty without groups.
    pub group: String,
    /// The size of a slice.
    pub size: Size,
    /// The truth.
    pub truth: Vec<f32>,
    /// True for pixels to compare.
    pub mask: Vec<bool>,
    /// The regions by name. They are parts of the mask.
    pub regions: BTreeMap<String, Vec<bool>>,
    /// The estimates by method.
    pub estimates: BTreeMap<String, Vec<f32>>,
}

/// The agreement of one method with the truth. Values that need more samples are `None`.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The number of samples.
    pub samples: usize,
    /// Over all pixels of all samples.
    pub pixels: Option<Agreement>,
    /// Over the samples' means.
    pub samples_means: Option<Agreement>,
    /// Over the means of all regions of all samples.
    pub regions: Option<Agreement>,
    /// Over the means of one region in all samples.
    pub each_region: BTreeMap<String, Option<Agreement>>,
    /// The standard deviation of (estimate − truth) within a sample, averaged over samples, kPa. If the truth is
    /// constant, this is the standard deviation of the estimate.
    pub inter_pixel_sd: Option<f64>,
    /// The number of pixels whose estimate is not finite. They are left out.
    pub not_finite: usize,
    /// The number of pixels whose estimate is exactly 0, the usual value outside a mask. They are included.
    pub zeros: usize,
}

impl Sample {
    /// The truth and the estimate of a method at the pixels in `inside` where both are finite.
    pub fn pairs(&self, method: &str, inside: &[bool]) -> [Vec<f64>; 2] {
        let estimate = self.estimates.get(method).map_or(&[][..], Vec::as_slice);
        let both = self.truth.iter().zip(estimate).zip(inside);
        let good = both.filter(|((t, e), m)| **m && t.is_finite() && e.is_finite());
        good.map(|((t, e), _)| (f64::from(*t), f64::from(*e))).unzip().into()
    }

    /// The means of truth and estimate over `inside`. `None` if no pixel counts.
    fn means(&self, method: &str, inside: &[bool]) -> Option<[f64; 2]> {
        let pairs = self.pairs(method, inside);
        (!pairs[0].is_empty()).then(|| pairs.map(|values| mean(values.into_iter())))
    }
}

/// The means of truth and estimate of each sample, with its name. If a sample has regions, the means of each region
/// instead.
pub fn points(samples: &[&Sample], method: &str) -> Vec<(String, [f64; 2])> {
    let of = |sample: &Sample| -> Vec<(String, [f64; 2])> {
        if sample.regions.is_empty() {
            let means = sample.means(method, &sample.mask);
            return means.map(|m| (sample.name.clone(), m)).into_iter().collect();
        }
        let regions = sample.regions.iter();
        regions
            .filter_map(|(name, inside)| {
                Some((format!("{} {name}", sample.name), sample.means(method, inside)?))
            })
            .collect()
    };
    samples.iter().flat_map(|s| of(s)).collect()
}

/// Computes the agreement of `method` with the truth of `samples`.
pub fn evaluate(samples: &[&Sample], method: &str) -> Evaluation {
    let having: Vec<&&Sample> = samples.iter().filter(|s| s.estimates.contains_key(method)).collect();
    let together = |pairs: Vec<[f64; 2]>| {
        let (truth, estimate): (Vec<f64>, Vec<f64>) = pairs.into_iter().map(|[t, e]| (t, e)).unzip();
        agreement(&truth, &estimate).ok()
    };
    let mut all = [vec![], vec![]];
    let (mut deviations, mut inside) = (vec![], 0);
    for sample in &having {
        let [truth, estimate] = sample.pairs(method, &sample.mask);
        inside += sample.mask.iter().zip(&sample.truth).filter(|(m, t)| **m && t.is_finite()).count();
        let off: Vec<f64> = truth.iter().zip(&estimate).map(|(t, e)| e - t).collect();
        if !off.is_empty() {
            deviations.push(sd(&off));
        }
        all[0].extend(truth);
        all[1].extend(estimate);
    }
    let names: std::collections::BTreeSet<&String> = having.iter().flat_map(|s| s.regions.keys()).collect();
    let region = |name: &String| {
        having.iter().filter_map(|s| s.means(method, s.regions.get(name)?)).collect::<Vec<_>>()
    };
    let each: Vec<(&String, Vec<[f64; 2]>)> = names.iter().map(|name| (*name, region(name))).collect();
    let not_finite = inside - all[0].len();
    Evaluation {
        samples: having.len(),
        pixels: agreement(&all[0], &all[1]).ok(),
        samples_means: together(having.iter().filter_map(|s| s.means(method, &s.mask)).collect()),
        regions: together(each.iter().flat_map(|(_, means)| means.clone()).collect()),
        each_region: each.into_iter().map(|(name, means)| (name.clone(), together(means))).collect(),
        zeros: all[1].iter().filter(|e| **e == 0.0).count(),
        inter_pixel_sd: (!deviations.is_empty()).then(|| mean(deviations.into_iter())),
        not_finite,
    }
}

/// Formats evaluations as a Markdown table. Each row has its group, its method and its evaluation.
pub fn markdown(rows: &[(String, String, Evaluation)]) -> String {
    let grouped = rows.iter().any(|(group, ..)| !group.is_empty());
    let mut text = String::from(if grouped { "| group " } else { "" });
    text += "| method | over | n | Pearson r | Spearman ρ | R² | slope | intercept | bias [limits of agreement] | RMSE | inter-pixel SD |\n";
    text += if grouped { "|---" } else { "" };
    text += &"|---".repeat(11);
    text += "|\n";
    for (group, method, one) in rows {
        let levels = [("pixels", &one.pixels), ("means", &one.samples_means), ("regions", &one.regions)];
        let levels = levels.into_iter().map(|(level, found)| (level.to_string(), found));
        let each = one.each_region.iter().map(|(name, found)| (format!("region {name}"), found));
        for (level, found) in levels.chain(each) {
            let Some(a) = found else { continue };
            let number =
                |value: Option<f64>, digits: usize| value.map_or("–".into(), |v| format!("{v:.digits$}"));
            let sd = one.inter_pixel_sd.filter(|_| level == "pixels");
            if grouped {
                text += &format!("| {group} ");
            }
            text += &format!(
                "| {method} | {level} | {} | {} | {} | {} | {} | {} | {:+.3} [{:.2}, {:.2}] | {:.3} | {} |\n",
                a.n,
                number(a.pearson_r, 3),
                number(a.spearman_rho, 3),
                number(a.r2, 3),
                number(a.slope, 2),
                number(a.intercept, 2),
                a.bias,
                a.limits[0],
                a.limits[1],
                a.rmse,
                number(sd, 3)
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str, truth: f32, off: [f32; 4]) -> Sample {
        let estimate = off.iter().map(|o| truth + o).collect();
        let half = |first: bool| (0..4).map(|i| (i < 2) == first).collect::<Vec<_>>();
        Sample {
            name: name.into(),
            group: String::new(),
            size: Size::square(2),
            truth: vec![truth; 4],
            mask: vec![true, true, true, false],
            regions: [("a".to_string(), half(true)), ("b".to_string(), half(false))].into(),
            estimates: [("m".to_string(), estimate)].into(),
        }
    }

    #[test]
    fn levels_are_what_they_say() {
        let samples = [
            sample("1", 1.0, [0.5, -0.5, 0.3, 9.0]),
            sample("2", 2.0, [0.1, 0.1, 0.1, f32::NAN]),
            sample("3", 4.0, [-0.2, 0.0, f32::NAN, 0.0]),
        ];
        let all: Vec<&Sample> = samples.iter().collect();
        let found = evaluate(&all, "m");
        assert_eq!((found.samples, found.not_finite), (3, 1));
        let pixels = found.pixels.as_ref().unwrap();
        assert_eq!(pixels.n, 8);
        let squares = 0.25 + 0.25 + 0.09 + 3.0 * 0.01 + 0.04;
        assert!((pixels.rmse - (squares / 8f64).sqrt()).abs() < 1e-6);
        let means = found.samples_means.as_ref().unwrap();
        let squares = 0.1f64.powi(2) + 0.1f64.powi(2) + 0.1f64.powi(2);
        assert!((means.rmse - (squares / 3.0).sqrt()).abs() < 1e-6, "{}", means.rmse);
        assert_eq!(found.each_region["a"].as_ref().unwrap().n, 3);
        // Region b of the third sample has no finite pixel in the mask, but one outside it.
        assert_eq!(found.regions.as_ref().unwrap().n, 6);
        let sds = [(0.25f64 + 0.25 + 0.09 - 3.0 * 0.01) / 2.0, 0.0, 0.02].map(f64::sqrt);
        assert!((found.inter_pixel_sd.unwrap() - sds.iter().sum::<f64>() / 3.0).abs() < 1e-6);
        let text = markdown(&[(String::new(), "m".into(), found)]);
        assert!(text.lines().all(|line| line.matches('|').count() == 12), "{text}");
        assert_eq!(text.lines().count(), 2 + 5);
        assert!(evaluate(&all, "absent").pixels.is_none());
        assert_eq!(points(&all, "m").len(), 6);
    }
}
