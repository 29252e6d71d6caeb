//! Normalisation of patches before a network sees them.

use super::PatchMut;
use serde::{Deserialize, Serialize};

/// The normalisation of a patch, in training and in inference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// No normalisation.
    #[default]
    None,
    /// Each channel gets mean 0 and standard deviation 1 over the patch's pixels inside the object. A constant
    /// channel becomes 0. The result does not depend on the zero level and gain of a channel. These carry no
    /// information about stiffness, and some image formats lose them.
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

    /// Returns the normalisation with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::None, Self::Patch].into_iter().find(|n| n.name() == name)
    }

    /// Normalises a patch, and each view of its surroundings by itself. Pixels of the patch with a mask above 0 are
    /// inside; pixels of the surroundings where the wave is not 0.
    pub fn apply(self, patch: &mut PatchMut) {
        if self == Self::None {
            return;
        }
        let inside: Vec<bool> = patch.mask.iter().map(|m| *m > 0.0).collect();
        patch.input.chunks_exact_mut(inside.len()).for_each(|channel| normalise(channel, &inside));
        for view in patch.surroundings.chunks_exact_mut(2 * inside.len()) {
            let (re, im) = view.split_at_mut(inside.len());
            let inside: Vec<bool> = re.iter().zip(&*im).map(|(re, im)| *re != 0.0 || *im != 0.0).collect();
            [re, im].into_iter().for_each(|channel| normalise(channel, &inside));
        }
    }
}

/// Gives a channel mean 0 and standard deviation 1 over the pixels inside.
fn normalise(channel: &mut [f32], inside: &[bool]) {
    let count = inside.iter().filter(|i| **i).count().max(1) as f32;
    let sum = |of: &dyn Fn(f32) -> f32| {
        channel.iter().zip(inside).filter(|(_, i)| **i).map(|(v, _)| of(*v)).sum::<f32>() / count
    };
    let mean = sum(&|v| v);
    let deviation = sum(&|v| (v - mean).powi(2)).sqrt();
    // A deviation this small is rounding, so the channel is constant.
    let scale = if deviation > FAINTEST * mean.abs() { 1.0 / deviation } else { 0.0 };
    for (value, inside) in channel.iter_mut().zip(inside) {
        *value = if *inside { (*value - mean) * scale } else { 0.0 };
    }
}

/// Deviations up to this, relative to the mean, count as rounding.
pub const FAINTEST: f32 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patches::PatchArrays;
    use crate::proof::oracle;
    use crate::size::Size;
    use ndarray::Array2;

    /// Training and `kernels/tiles/cut.wgsl` must normalise patches alike; both are compared with the same oracle.
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
            let expected = oracle::cut(&image, Size::square(side), &places, [1, side], Some(FAINTEST), 1);
            let mut truth = vec![0.0; n];
            let (input, mask) = (&mut input[..], &mut mask[..]);
            let mut arrays = PatchArrays { input, surroundings: &mut [], truth: &mut truth, mask };
            Normalisation::Patch.apply(&mut arrays.each(Size::square(side), &[]).next().unwrap());
            for (i, value) in input.iter().enumerate() {
                let [row, column] = [i % n / side, i % side];
                let expected = expected[[0, row, column, i / n]];
                assert!((f64::from(*value) - expected).abs() < 2e-5, "{i}: {value}, not {expected}");
            }
        }
    }
}
