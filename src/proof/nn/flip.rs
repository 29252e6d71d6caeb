//! Oracles and trials of `flip`.

use ndarray::{Array3, Axis};

/// Swaps input and output channels of weights `[taps][ci][co]`; `reverse` also reverses the taps.
pub fn flip(weights: &Array3<f64>, reverse: bool) -> Array3<f64> {
    let mut flipped = weights.clone();
    if reverse {
        flipped.invert_axis(Axis(0));
    }
    flipped.permuted_axes([0, 2, 1]).as_standard_layout().into_owned()
}

pub(super) mod trial {
    use crate::kernel::nn::convolve::Geometry;
    use crate::kernel::nn::flip;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &flip::FLIP,
        sizes: &[
            TrialSize::batch(1, Size::square(1), 1, 1),
            TrialSize::batch(1, Size::square(1), 2, 5),
            TrialSize::batch(1, Size::square(1), 13, 47),
            TrialSize::batch(1, Size::square(1), 64, 128),
        ],
        record: flip,
    }];

    fn flip(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let trials = [Geometry::Three, Geometry::Up].map(|geometry| {
            let weights = made_up::weights(rng, geometry, size.channels);
            let src = made_up::upload_filter(rec, &weights, &[vec![], vec![]]).weights;
            let dst = flip::record(rec, src, geometry);
            made_up::expect_weights(dst, &oracle::flip(&weights, geometry == Geometry::Three), 0.0)
        });
        trials.into()
    }
}
