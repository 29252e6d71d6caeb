//! Oracles and trials of `fma`, `fma_units`.

/// Sums twelve chains of `steps` multiply-adds s a + b that start from 0, 1, … 11. All four components are equal.
pub fn fma([a, b]: [f64; 2], steps: usize) -> f64 {
    (0..12).map(|chain| (0..steps).fold(f64::from(chain), |s, _| s * a + b)).sum()
}

/// The eight chains of one team of threads: `steps` times `side` products of a, 2 a, 3 a, 4 a with b, 2 b, in
/// half precision.
pub fn fma_units([a, b]: [f64; 2], side: usize, steps: usize) -> Vec<f64> {
    // Multiples are computed in f32, as on the device.
    let half = |v: f64, times: usize| f64::from(half::f16::from_f32(times as f32 * v as f32));
    let chain = |i: usize| half(a, i / 2 + 1) * half(b, i % 2 + 1) * (side * steps) as f64;
    (0..8).map(chain).collect()
}

pub(super) mod trial {
    use crate::kernel::core::fma::{self, *};
    use crate::kernel::form::Units;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &fma::FMA,
            sizes: &[
                TrialSize::new(1, Size::square(1)),
                TrialSize::new(7, Size::new(41, 5)),
                TrialSize::new(2000, Size::square(64)),
            ],
            record: fma,
        },
        Trial {
            kernel: &fma::FMA_UNITS,
            sizes: &[
                TrialSize::new(1, Size::square(1)),
                TrialSize::new(7, Size::new(3, 1)),
                TrialSize::new(50, Size::new(64, 1)),
            ],
            record: fma_units,
        },
    ];

    fn fma(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let factors = [0.5 + 0.4 * rng.f32(), rng.f32()];
        let half = *spec == self::spec(true);
        let dst = fma::record(rec, half, factors, size.pixels(), size.planes);
        let expected = oracle::fma(factors.map(f64::from), size.planes);
        // Rounding errors of a chain decay at the rate of the factor a, which is at most 0.9.
        let tolerance = if half { 1e-2 } else { 1e-6 };
        vec![Expect::in_buffer(dst, vec![expected; 4 * size.pixels()], tolerance)]
    }

    fn fma_units(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let units = Units { side: constant(spec, "SIDE"), imitated: constant(spec, "IMITATED") == 1 };
        let factors = [0.5 + rng.f32(), 0.5 + rng.f32()];
        let dst = fma::record_units(rec, units, factors, size.pixels(), size.planes);
        let expected = oracle::fma_units(factors.map(f64::from), units.side as usize, size.planes);
        vec![Expect::in_buffer(dst, expected.repeat(4 * size.pixels()), 1e-5)]
    }
}
