//! Oracles and trials of `restore`.

use ndarray::Array1;
use num_complex::Complex64;

/// Returns `field` inside the mask and `continued` outside. Several fields share the mask.
pub fn restore(
    field: &Array1<Complex64>,
    mask: &Array1<f64>,
    continued: &Array1<Complex64>,
) -> Array1<Complex64> {
    Array1::from_shape_fn(field.len(), |i| if mask[i % mask.len()] > 0.0 { field[i] } else { continued[i] })
}

pub(super) mod trial {
    use crate::kernel::mre::restore;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &restore::RESTORE,
        sizes: &[
            TrialSize::new(1, Size::new(3, 1)),
            TrialSize::new(3, Size::new(47, 41)),
            TrialSize::new(1, Size::square(256)),
        ],
        record: restore,
    }];

    fn restore(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.planes * size.pixels();
        let (field, continued) = (oracle::waves(rng, n), oracle::waves(rng, n));
        let mask = oracle::blot(rng, size.image);
        let buffers = [rec.constant("field", &field), rec.constant("mask", &mask)];
        let src = rec.constant("continued", &continued);
        let dst = restore::record(rec, [buffers[0], buffers[1], src], [size.planes, size.pixels()]);
        let [field, continued] = [&field, &continued].map(|a| oracle::wide_complex(a));
        let expected = oracle::restore(&field, &oracle::wide(&mask), &continued);
        vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-7)]
    }
}
