//! Oracles and trials of `spectral`.

use ndarray::Array1;
use num_complex::Complex64;

/// Multiplies each of `fields` spectra by each set of weights: `[fields][planes][n]`.
pub fn spectral(spectra: &Array1<Complex64>, weights: &Array1<f64>, fields: usize) -> Array1<Complex64> {
    let n = spectra.len() / fields;
    let all = spectra.as_slice().unwrap_or_default().chunks(n).flat_map(|spectrum| {
        weights.iter().zip(spectrum.iter().cycle()).map(|(weight, value)| value * weight)
    });
    all.collect()
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
        // The largest image is of one field, as in most inversions.
        let fields = if size.pixels() > 10_000 { 1 } else { 3 };
        let spectrum = oracle::waves(rng, fields * n);
        let weights: Vec<f32> = (0..size.planes * n).map(|_| rng.f32()).collect();
        let (src, w) = (rec.constant("spectrum", &spectrum), rec.constant("weights", &weights));
        let dst = spectral::record(rec, src, w, [fields, size.planes], n);
        let expected = oracle::spectral(&oracle::wide_complex(&spectrum), &oracle::wide(&weights), fields);
        vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-7)]
    }
}
