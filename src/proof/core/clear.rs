//! Oracles and trials of `clear`.

use ndarray::Array1;

/// Returns `n` zeros.
pub fn clear(n: usize) -> Array1<f64> {
    Array1::zeros(n)
}

pub(super) mod trial {
    use crate::kernel::core::clear;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &clear::CLEAR,
        sizes: &[
            TrialSize::new(1, Size::square(1)),
            TrialSize::new(1, Size::new(47, 41)),
            TrialSize::new(1, Size::square(256)),
        ],
        record: clear,
    }];

    fn clear(rec: &mut Recorder, _: &Spec, size: TrialSize, _: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        let dst = rec.output::<f32>("zeros", n);
        clear::record(rec, dst, n);
        vec![Expect::in_buffer(dst, oracle::clear(n).to_vec(), 0.0)]
    }
}
