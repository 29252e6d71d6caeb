//! Oracles and trials of `dropout`.

use crate::proof::philox::philox;
use ndarray::Array4;

/// Drops each channel of each image of `x` `[n][h][w][c]` with probability `rate`, and scales the others by
/// 1 / (1 − rate). The gradient is the same function of the upstream gradient.
pub fn dropout(x: &Array4<f64>, [seed, step]: [u32; 2], rate: f32, site: u32) -> Array4<f64> {
    let mut out = x / (1.0 - f64::from(rate));
    for ((n, _, _, c), value) in out.indexed_iter_mut() {
        let words = philox([(c / 4) as u32, n as u32, step, 0], [seed, site]);
        // A word is uniform over 2^32 values. Words below the share `rate` of them drop their channel.
        if f64::from(words[c % 4]) < f64::from(rate) * 2f64.powi(32) {
            *value = 0.0;
        }
    }
    out
}

pub(super) mod trial {
    use crate::kernel::nn::dropout::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] =
        &[Trial { kernel: &dropout::DROPOUT, sizes: made_up::SIZES, record: dropout }];

    fn dropout(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let (rate, site, [seed, number]) = (0.3, rng.u32(..), [rng.u32(..), rng.u32(..)]);
        let x = made_up::random(rng, size.shape(size.channels[0]));
        let mut words = [0; 2];
        (words[SEED], words[STEP]) = (seed, number);
        let (step, src) = (rec.constant("step", &words), made_up::upload(rec, "input", &x));
        let dst = made_up::room(rec, "kept", src.shape);
        dropout::record(rec, step, src, rate, site, dst);
        vec![made_up::expect(dst, &oracle::dropout(&x, [seed, number], rate, site), 1e-6)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::differences::assert_gradient;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    const RATE: f32 = 0.3;

    /// The mask of 128 images with 64 channels each: true if the channel is dropped.
    fn mask(seed: u32, step: u32, site: u32) -> Vec<bool> {
        let kept = dropout(&Array4::ones((128, 1, 1, 64)), [seed, step], RATE, site);
        kept.iter().map(|&v| v == 0.0).collect()
    }

    /// Asserts that the share of `hits` is within four standard deviations of `expected`.
    fn assert_share(hits: impl ExactSizeIterator<Item = bool>, expected: f64, what: &str) {
        let n = hits.len() as f64;
        let share = hits.filter(|&hit| hit).count() as f64 / n;
        let deviation = (expected * (1.0 - expected) / n).sqrt();
        assert!((share - expected).abs() < 4.0 * deviation, "{what}: {share}, expected {expected}");
    }

    #[test]
    fn drops_at_its_rate_and_keeps_the_mean() {
        let masks: Vec<bool> = (0..32).flat_map(|step| mask(7, step, 0)).collect();
        assert_share(masks.into_iter(), f64::from(RATE), "rate");
        let x = random(&mut fastrand::Rng::with_seed(6), Shape::new(2, 3, 5, 7));
        assert_eq!(dropout(&x, [1, 2], 0.0, 3), x);
        let y = dropout(&x, [1, 2], 0.5, 3);
        assert!(y.iter().zip(&x).all(|(y, x)| *y == 0.0 || *y == 2.0 * x));
    }

    #[test]
    fn masks_of_seeds_steps_sites_images_and_channels_are_independent() {
        let (first, both) = (mask(7, 0, 0), f64::from(RATE * RATE));
        let coincide = |other: &[bool], what| {
            assert_share(first.iter().zip(other).map(|(a, b)| *a && *b), both, what);
        };
        coincide(&mask(8, 0, 0), "seeds");
        coincide(&mask(7, 1, 0), "steps");
        coincide(&mask(7, 0, 1), "sites");
        let turned = |by: usize| [&first[by..], &first[..by]].concat();
        coincide(&turned(64), "images");
        coincide(&turned(1), "channels");
        coincide(&turned(4), "quads");
    }

    #[test]
    fn is_its_own_derivative() {
        let mut rng = fastrand::Rng::with_seed(8);
        let [x, upstream] = [(); 2].map(|()| random(&mut rng, Shape::new(3, 3, 5, 7)));
        let forward = |x: &Array4<f64>| dropout(x, [9, 10], RATE, 11);
        assert_gradient(&x, &upstream, &forward(&upstream), forward);
    }
}
