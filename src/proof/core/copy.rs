//! Oracles and trials of `copy`.

use ndarray::Array1;

/// Returns a copy of `src`.
pub fn copy(src: &Array1<f64>) -> Array1<f64> {
    src.clone()
}

pub(super) mod trial {
    use crate::kernel::core::copy;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &copy::COPY,
        sizes: &[
            TrialSize::new(1, Size::square(1)),
            TrialSize::new(1, Size::new(47, 41)),
            TrialSize::new(1, Size::square(1024)),
        ],
        record: copy,
    }];

    fn copy(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let values = Array1::from_shape_simple_fn(4 * size.pixels(), || f64::from(rng.f32()));
        let src = rec.constant("source", &values.mapv(|v| v as f32).to_vec());
        let dst = rec.output::<[f32; 4]>("copy", size.pixels());
        copy::record(rec, [src, dst], size.pixels());
        vec![Expect::in_buffer(dst, oracle::copy(&values).to_vec(), 0.0)]
    }
}
