//! Maps of several frequencies in one.

use super::infer::DimeMap;
use crate::kernel::tiles::mask;

/// One set of maps of those of several frequencies, each `[plane][n]`. Moduli are averaged with the weights 1/u², where u
/// is the uncertainty; uncertainty and disagreement are averaged with the same weights, since the errors of one network in
/// one body are not independent.
///
/// # Panics
/// If `maps` is empty, or if their lengths differ.
pub fn combine_frequencies(maps: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = maps[0].clone();
    assert!(maps.iter().all(|m| m.len() == mean.len()), "all frequencies must have maps of one size");
    if maps.len() == 1 {
        return mean;
    }
    let n = mean.len() / mask::PLANES;
    for i in 0..n {
        let weight = |m: &Vec<f32>| {
            let uncertainty = m[DimeMap::Uncertainty as usize * n + i];
            if uncertainty > 0.0 { uncertainty.powi(-2) } else { 0.0 }
        };
        let weights: Vec<f32> = maps.iter().map(weight).collect();
        let sum: f32 = weights.iter().sum();
        if sum > 0.0 {
            for plane in DimeMap::ALL {
                let at = plane as usize * n + i;
                mean[at] = maps.iter().zip(&weights).map(|(m, w)| w * m[at]).sum::<f32>() / sum;
            }
        }
    }
    mean
}
