//! One map of several frequencies.
//!
//! Each frequency is inverted at its own. The moduli are averaged with the weights 1/e², where e is the relative error
//! that the confidence predicts: the mean of least variance for independent errors (Gauss; Aitken 1935). The inversion of
//! Papazoglou et al. 2012, and of Hirsch et al. 2014, weights with |∇²u| instead, which lets a strong noisy frequency
//! outvote a faint clean one. The modulus of tissue grows with frequency, so that the result is a mean over the band.

use crate::kernel::mre::planes::MmdiMap;

/// The least relative error that counts: no frequency decides alone.
const LEAST: f32 = 0.01;

/// The mean of `maps`, each `[plane][n]` of one frequency, as `[plane][n]`. Storage and loss modulus are averaged with the
/// weights, and the stiffness follows from them. The wave speed, the confidence and the coherence are averaged with the
/// same weights. The planes of the wave are those of the first frequency.
///
/// # Panics
/// If `maps` is empty, or if their lengths differ.
pub fn multifrequency(maps: &[Vec<f32>]) -> Vec<f32> {
    let mut mean = maps[0].clone();
    assert!(maps.iter().all(|m| m.len() == mean.len()), "all frequencies must have maps of one size");
    if maps.len() == 1 {
        return mean;
    }
    let n = mean.len() / MmdiMap::ALL.len();
    let at = |plane: MmdiMap, i: usize| plane as usize * n + i;
    for i in 0..n {
        // A pixel of no confidence has no weight, unless no frequency has any there.
        let weight = |m: &Vec<f32>| {
            let confidence = m[at(MmdiMap::Confidence, i)];
            if confidence > 0.0 { (1.0 - confidence).max(LEAST).powi(-2) } else { 0.0 }
        };
        let mut weights: Vec<f32> = maps.iter().map(weight).collect();
        if weights.iter().all(|w| *w == 0.0) {
            weights.fill(1.0);
        }
        let sum: f32 = weights.iter().sum();
        for plane in
            [MmdiMap::Storage, MmdiMap::Loss, MmdiMap::Wavespeed, MmdiMap::Confidence, MmdiMap::Coherence]
        {
            let weighed = maps.iter().zip(&weights).map(|(m, w)| w * m[at(plane, i)]);
            mean[at(plane, i)] = weighed.sum::<f32>() / sum;
        }
        mean[at(MmdiMap::Stiffness, i)] = mean[at(MmdiMap::Storage, i)].hypot(mean[at(MmdiMap::Loss, i)]);
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(storage: f32, loss: f32, confidence: f32) -> Vec<f32> {
        let mut maps = vec![0.0; MmdiMap::ALL.len()];
        maps[MmdiMap::Storage as usize] = storage;
        maps[MmdiMap::Loss as usize] = loss;
        maps[MmdiMap::Confidence as usize] = confidence;
        maps
    }

    #[test]
    fn the_surer_frequency_counts_for_more() {
        // Errors of 0.1 and 0.2 weigh 100 and 25.
        let mean = multifrequency(&[maps(2.0, 0.0, 0.9), maps(4.0, 1.0, 0.8), maps(99.0, 9.0, 0.0)]);
        let got = [MmdiMap::Storage, MmdiMap::Loss, MmdiMap::Stiffness].map(|plane| plane.of(&mean)[0]);
        let wanted = [2.4f32, 0.2, 2.4f32.hypot(0.2)];
        assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?}");
        assert_eq!(multifrequency(&[maps(2.0, 0.5, 0.0)])[1], 2.0);
    }
}
