//! Oracles and trials of `apply_mask`, `unstack`.

use ndarray::{Array1, Array2};
use num_complex::Complex64;

/// Returns (re, im, 1, 0) of a wave if the mask is above 0, else 0; `conjugated` conjugates the wave.
pub fn apply_mask(wave: &Array1<Complex64>, mask: &Array1<f64>, conjugated: bool) -> Array2<f64> {
    Array2::from_shape_fn((wave.len(), 4), |(i, k)| {
        let u = if conjugated { wave[i].conj() } else { wave[i] };
        if mask[i] > 0.0 { [u.re, u.im, 1.0, 0.0][k] } else { 0.0 }
    })
}

/// Returns channels 0, 1 and 3 of an image as planes; 0 where the mask or channel 2 is not above 0.
pub fn unstack(src: &Array2<f64>, mask: &Array1<f64>) -> Array2<f64> {
    Array2::from_shape_fn((3, mask.len()), |(k, i)| {
        if mask[i] > 0.0 && src[[i, 2]] > 0.0 { src[[i, [0, 1, 3][k]]] } else { 0.0 }
    })
}

pub(super) mod trial {
    use crate::kernel::tiles::mask::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &mask::APPLY_MASK,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(1, Size::new(47, 41)),
                TrialSize::new(1, Size::square(256)),
            ],
            record: apply_mask,
        },
        Trial {
            kernel: &mask::UNSTACK,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(1, Size::new(47, 41)),
                TrialSize::new(1, Size::square(256)),
            ],
            record: unstack,
        },
    ];

    fn apply_mask(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        let mask = oracle::blot(rng, size.image);
        let mut wave = oracle::waves(rng, n);
        // The values outside of the mask may be anything.
        wave.iter_mut().zip(&mask).filter(|(_, m)| **m == 0.0).for_each(|(u, _)| u.re = f32::NAN);
        let buffers = [rec.constant("wave", &wave), rec.constant("mask", &mask)];
        let conjugated = size.image.nx % 2 == 1;
        let dst = mask::apply(rec, buffers, conjugated, n);
        let expected = oracle::apply_mask(&oracle::wide_complex(&wave), &oracle::wide(&mask), conjugated);
        vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 0.0)]
    }

    fn unstack(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        let mask = oracle::blot(rng, size.image);
        let src: Vec<[f32; 4]> = (0..n)
            .map(|_| {
                let inside = f32::from(u8::from(rng.u8(..9) > 0));
                [rng.f32(), -rng.f32(), inside, 1.0 + rng.f32()]
            })
            .collect();
        let [a, b] = [rec.constant("image", &src), rec.constant("mask", &mask)];
        let dst = rec.output::<f32>("planes", PLANES * n);
        mask::unstack(rec, [a, b, dst], n);
        let expected = oracle::unstack(&oracle::wide4(&src), &oracle::wide(&mask));
        vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 0.0)]
    }
}
