//! Oracles and trials of `spectral`.

use ndarray::Array1;
use num_complex::Complex64;

/// Multiplies the spectrum by each set of weights, `[planes][n]`.
pub fn spectral(spectrum: &Array1<Complex64>, weights: &Array1<f64>) -> Array1<Complex64> {
    Array1::from_shape_fn(weights.len(), |t| spectrum[t % spectrum.len()] * weights[t])
}

pub(super) mod trial {
    use crate::kernel::signal::spectral;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &spectral::SPECTRAL,
        sizes: &[
            TrialSize::new(1, Size::new(3, 1)),
            TrialSize::new(3, Size::new(47, 41)),
            TrialSize::new(4, Size::square(256)),
        ],
        record: spectral,
    }];

    fn spectral(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        let spectrum = oracle::waves(rng, n);
        let weights: Vec<f32> = (0..size.planes * n).map(|_| rng.f32()).collect();
        let (src, w) = (rec.constant("spectrum", &spectrum), rec.constant("weights", &weights));
        let dst = spectral::record(rec, src, w, size.planes, n);
        let expected = oracle::spectral(&oracle::wide_complex(&spectrum), &oracle::wide(&weights));
        vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-7)]
    }
}
