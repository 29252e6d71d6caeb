//! Oracles and trials of `combine_losses`, `weighted_mean`.

use ndarray::{Array2, Array4};

/// Returns Σ k s over the pairs (k, s).
pub fn combine_losses(terms: &[(f64, f64)]) -> f64 {
    terms.iter().map(|(k, s)| k * s).sum()
}

/// Returns Σ a / Σ b (0 if Σ b is 0) and Σ b. Rows are a, b and two unused values.
pub fn weighted_mean(partial: &Array2<f64>) -> [f64; 2] {
    let [a, b] = [0, 1].map(|i| partial.column(i).sum());
    [if b > 0.0 { a / b } else { 0.0 }, b]
}

/// Returns one number as a tensor.
pub fn scalar(value: f64) -> Array4<f64> {
    Array4::from_elem((1, 1, 1, 1), value)
}

pub(super) mod trial {
    use crate::kernel::learning::combine_losses;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &combine_losses::COMBINE_LOSSES,
            sizes: &[TrialSize::batch(1, Size::square(1), 1, 1)],
            record: combine_losses,
        },
        // Without images the weight is 0.
        Trial {
            kernel: &combine_losses::WEIGHTED_MEAN,
            sizes: &[
                TrialSize::batch(0, Size::square(1), 1, 1),
                TrialSize::batch(1, Size::square(1), 1, 1),
                TrialSize::batch(5, Size::new(13, 1), 1, 1),
                TrialSize::batch(1, Size::new(47, 41), 1, 1),
            ],
            record: weighted_mean,
        },
    ];

    fn combine_losses(rec: &mut Recorder, _: &Spec, _: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        // All terms are positive, because the rounding error is relatively large in a sum near 0.
        let terms: [(f32, f32); 4] = std::array::from_fn(|_| (rng.f32() + 0.5, rng.f32() + 0.5));
        let [a, b, c, d] = terms.map(|(k, s)| (k, made_up::upload(rec, "scalar", &oracle::scalar(s.into()))));
        let sums: [_; 4] = std::array::from_fn(|_| made_up::room(rec, "sum", Shape::SCALAR));
        combine_losses::record(rec, [a], sums[0]);
        combine_losses::record(rec, [a, b], sums[1]);
        combine_losses::record(rec, [a, b, c], sums[2]);
        combine_losses::record(rec, [a, b, c, d], sums[3]);
        let wide = terms.map(|(k, s)| (f64::from(k), f64::from(s)));
        let expected = (1..=4).map(|n| oracle::scalar(oracle::combine_losses(&wide[..n])));
        sums.iter().zip(expected).map(|(&sum, values)| made_up::expect(sum, &values, 1e-6)).collect()
    }

    fn weighted_mean(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.planes * size.pixels();
        let values: Vec<[f32; 4]> = (0..n).map(|_| [rng.f32(), rng.f32() + 0.1, 0.0, 0.0]).collect();
        let src = rec.constant("partial sums", &values);
        let dst = ["value", "weight"].map(|label| made_up::room(rec, label, Shape::SCALAR));
        combine_losses::record_mean(rec, src, n, dst[0], dst[1]);
        let expected = oracle::weighted_mean(&oracle::wide4(&values));
        dst.iter().zip(expected).map(|(&d, e)| made_up::expect(d, &oracle::scalar(e), 1e-6)).collect()
    }
}
