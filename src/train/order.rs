//! Order of samples and batches in a training.

use fastrand::Rng;

/// Returns the numbers `0..len` shuffled for an epoch. The result depends only on the arguments.
pub fn epoch_order(seed: u64, epoch: u32, len: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len).collect();
    random(ORDER, [seed, epoch.into(), 0]).shuffle(&mut order);
    order
}

/// Divides an epoch's order into batches of exactly `batch` samples (0 is taken as 1).
///
/// The remainder is left out, so that all batches have the same shape; shuffling leaves out other samples in
/// each epoch. If there is not even one full batch, all samples form one smaller batch. Validation uses
/// `chunks` instead, because it must see every sample.
pub fn training_batches(order: &[u32], batch: usize) -> std::slice::Chunks<'_, u32> {
    let batch = batch.max(1);
    let full = order.len() - order.len() % batch;
    let kept = if full > 0 { &order[..full] } else { order };
    kept.chunks(batch)
}

/// The purpose of the random numbers for [`epoch_order`]. Sources use other purposes.
const ORDER: u64 = 1;

/// Returns a generator for one purpose at one place of the training. Generators for different purposes are unrelated.
pub(crate) fn random(purpose: u64, place: [u64; 3]) -> Rng {
    Rng::with_seed(place.into_iter().fold(mix(purpose), |state, word| mix(state ^ mix(word))))
}

/// SplitMix64 with its increment and finaliser (S. Vigna, 2015): close inputs give unrelated outputs.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_epoch_is_another_permutation() {
        let mut seen = HashSet::new();
        for (seed, epoch) in (0..20).flat_map(|seed| (0..20).map(move |epoch| (seed, epoch))) {
            let order = epoch_order(seed, epoch, 30);
            assert_eq!(order, epoch_order(seed, epoch, 30));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..30).collect::<Vec<_>>());
            assert!(seen.insert(order), "seed {seed}, epoch {epoch}");
        }
        assert!(epoch_order(1, 1, 0).is_empty());
    }

    #[test]
    fn every_sample_is_anywhere() {
        let mut sums = [0u32; 10];
        for epoch in 0..2000 {
            for (at, sample) in epoch_order(3, epoch, 10).into_iter().enumerate() {
                sums[at] += sample;
            }
        }
        // The mean of 0..10 is 4.5, with a standard error of 0.065 here.
        assert!(sums.iter().all(|&s| (f64::from(s) / 2000.0 - 4.5).abs() < 0.3), "{sums:?}");
    }

    #[test]
    fn batches_are_full_unless_there_is_none() {
        let sizes = |len: u32, batch| {
            training_batches(&epoch_order(1, 1, len), batch).map(<[u32]>::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(10, 4), [4, 4]);
        assert_eq!(sizes(8, 4), [4, 4]);
        assert_eq!(sizes(3, 4), [3]);
        assert_eq!(sizes(2, 0), [1, 1]);
        assert!(sizes(0, 4).is_empty());
    }
}
