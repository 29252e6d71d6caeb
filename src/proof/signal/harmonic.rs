//! Oracles and trials of `harmonic`.

use ndarray::{Array1, Array2};
use num_complex::Complex64;

/// The first harmonic u = Σ_t x_t w_t of frames `[T][n]`. The weights of phases sum to 0, so the mean need not be
/// subtracted.
pub fn harmonic(frames: &Array2<f64>, weights: &[Complex64]) -> Array1<Complex64> {
    let weighted = |pixel: ndarray::ArrayView1<f64>| pixel.iter().zip(weights).map(|(x, w)| x * w).sum();
    frames.columns().into_iter().map(weighted).collect()
}

pub(super) mod trial {
    use crate::kernel::signal::harmonic::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &harmonic::HARMONIC,
        sizes: &[
            TrialSize::new(2, Size::new(5, 3)),
            TrialSize::new(3, Size::new(7, 1)),
            TrialSize::new(8, Size::new(47, 41)),
            TrialSize::new(8, Size::square(256)),
        ],
        record: harmonic,
    }];

    fn harmonic(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let form = if size.planes == 2 { Frames::Channels } else { Frames::Phases(size.planes) };
        let n = size.pixels();
        // A large offset, as scanners store it, which tests the removal of the mean.
        let frames: Vec<f32> = (0..size.planes * n).map(|_| 2048.0 + 500.0 * rng.f32()).collect();
        let src = rec.constant("frames", &frames);
        let dst = harmonic::record(rec, src, form, n);
        let frames = oracle::wide(&frames).to_shape((size.planes, n)).expect("shape").to_owned();
        vec![Expect::in_buffer(dst, oracle::flat(&oracle::harmonic(&frames, &form.weights())), 1e-6)]
    }
}
