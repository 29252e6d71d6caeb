//! Trials of `flip`.

use super::super::*;
use crate::kernel::nn::convolve::Geometry;
use crate::kernel::nn::flip;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &flip::FLIP, sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(1, [1, 1], 2, 5),
        Size::batch(1, [1, 1], 13, 47),
        Size::batch(1, [1, 1], 64, 128),
    ], record: flip },
];

fn flip(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let trials = [Geometry::Three, Geometry::Up].map(|geometry| {
        let weights = made_up::weights(rng, geometry, size.channels);
        let src = made_up::upload_filter(rec, &weights, &[vec![], vec![]]).weights;
        let dst = flip::record(rec, src, geometry);
        made_up::expect_weights(dst, &oracle::flip(&weights, geometry == Geometry::Three), 0.0)
    });
    trials.into()
}
