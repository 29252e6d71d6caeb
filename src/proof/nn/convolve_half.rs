//! Oracles and trials of `convolve_half`.

use super::convolve::convolve;
use crate::kernel::nn::convolve::Geometry;
use ndarray::{Array3, Array4};

/// [`convolve`] with both factors rounded to half precision.
pub fn convolve_half(src: &Array4<f64>, weights: &Array3<f64>, geometry: Geometry) -> Array4<f64> {
    // The conversion goes through f32, because the device rounds from f32.
    let half = |v: &f64| f64::from(half::f16::from_f32(*v as f32));
    convolve(&src.map(half), &weights.map(half), None, geometry)
}

pub(super) mod trial {
    use super::super::convolve::trial as convolve;
    use crate::kernel::form::{Form, Units};
    use crate::kernel::nn::convolve_half;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &convolve_half::CONVOLVE_HALF,
        sizes: &[
            TrialSize::batch(1, Size::square(1), 1, 1),
            TrialSize::batch(5, Size::new(2, 3), 2, 3),
            TrialSize::batch(2, Size::new(5, 3), 133, 150),
            TrialSize::batch(1, Size::new(13, 7), 5, 37),
            TrialSize::batch(33, Size::new(3, 2), 18, 5),
            TrialSize::batch(1, Size::new(55, 1), 1, 70),
            TrialSize::batch(3, Size::square(15), 32, 32),
        ],
        record: convolve_half,
    }];

    fn convolve_half(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
        let units = Units { side: constant(spec, "SIDE"), imitated: constant(spec, "IMITATED") == 1 };
        // The oracle rounds its factors likewise, so only the rounding of sums remains. Matrix units may add up a few
        // products with fewer bits than f32 has.
        convolve::tried(rec, Form::Half(units), spec, size, rng, (&oracle::convolve_half, 1e-5))
    }
}
