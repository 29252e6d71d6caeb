//! What patches are made of before a network sees them.

use super::PatchMut;
use serde::{Deserialize, Serialize};

/// How a patch is normalised, in training and in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// Not at all: patches are taken as they are.
    #[default]
    None,
    /// Each channel has mean 0 and standard deviation 1 over the patch's pixels inside the object; a channel that is
    /// constant is 0. The zero level and the gain of a channel, which carry no information about stiffness and which
    /// image formats lose, then cannot matter.
    Patch,
}

impl Normalisation {
    /// The name in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
        }
    }

    /// The normalisation of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::None, Self::Patch].into_iter().find(|n| n.name() == name)
    }

    /// Normalises a patch; inside is where its mask is above 0.
    pub fn apply(self, patch: &mut PatchMut) {
        if self == Self::None {
            return;
        }
        let inside: Vec<bool> = patch.mask.iter().map(|m| *m > 0.0).collect();
        let count = inside.iter().filter(|i| **i).count().max(1) as f32;
        for channel in patch.input.chunks_exact_mut(inside.len()) {
            let sum = |of: &dyn Fn(f32) -> f32| {
                channel.iter().zip(&inside).filter(|(_, i)| **i).map(|(v, _)| of(*v)).sum::<f32>() / count
            };
            let mean = sum(&|v| v);
            let deviation = sum(&|v| (v - mean).powi(2)).sqrt();
            // What rounding leaves of a constant is no wave.
            let scale = if deviation > FAINTEST * mean.abs() { 1.0 / deviation } else { 0.0 };
            for (value, inside) in channel.iter_mut().zip(&inside) {
                *value = if *inside { (*value - mean) * scale } else { 0.0 };
            }
        }
    }
}

/// The smallest deviation, relative to the mean, that is not taken for rounding.
pub const FAINTEST: f32 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use ndarray::Array2;

    /// What training makes of a patch is what `kernels/cut.wgsl` makes of it in use, by their common oracle.
    #[test]
    fn patches_are_normalised_as_in_use() {
        let (side, mut rng) = (9, fastrand::Rng::with_seed(4));
        let n = side * side;
        for constant in [false, true] {
            let mut mask: Vec<f32> = (0..n).map(|_| f32::from(u8::from(rng.u8(..4) > 0))).collect();
            let mut input: Vec<f32> = (0..2 * n)
                .map(|i| match (mask[i % n] > 0.0, constant && i >= n) {
                    (false, _) => 0.0,
                    (true, true) => 0.7,
                    (true, false) => 5.0 + rng.f32(),
                })
                .collect();
            let image =
                Array2::from_shape_fn((n, 4), |(i, k)| f64::from([input[i], input[n + i], mask[i], 0.0][k]));
            let places = [[0.0; 4]];
            let expected = oracle::cut(&image, [side, side], &places, [1, side], Normalisation::Patch);
            let mut truth = vec![0.0; n];
            let mut patches = PatchMut::each([side, side], &mut input, &mut truth, &mut mask);
            Normalisation::Patch.apply(&mut patches.next().unwrap());
            drop(patches);
            for (i, value) in input.iter().enumerate() {
                let [row, column] = [i % n / side, i % side];
                let expected = expected[[0, row, column, i / n]];
                assert!((f64::from(*value) - expected).abs() < 2e-5, "{i}: {value}, not {expected}");
            }
        }
    }
}
