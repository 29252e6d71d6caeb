//! Oracles and trials of `normalise`, `moments`, `total`.

use crate::kernel::mre::planes::MmdiMap;
use ndarray::{Array1, Array2, Axis};
use num_complex::Complex64;

/// Scales the fields, which share the mask, to unit power under it. Also returns the maps with the planes of the wave filled in; the
/// other planes are NaN.
pub fn normalise(
    harmonic: &Array1<Complex64>,
    mask: &Array1<f64>,
    lost: bool,
) -> (Array1<Complex64>, Vec<f64>) {
    let n = harmonic.len();
    let sums = total(&moments(harmonic, mask));
    let count = sums[3].max(1.0);
    let mean = if lost { Complex64::new(sums[0], sums[1]) / count } else { Complex64::ZERO };
    let wave = Array1::from_shape_fn(n, |i| {
        if mask[i % mask.len()] > 0.0 { harmonic[i] - mean } else { Complex64::ZERO }
    });
    let power = wave.iter().map(|u| u.norm_sqr()).sum::<f64>() / count;
    let power = power.max(1e-6 * sums[2] / count);
    let mut maps = vec![f64::NAN; MmdiMap::ALL.len() * n];
    for (i, u) in wave.iter().enumerate() {
        maps[MmdiMap::Amplitude as usize * n + i] = u.norm();
        maps[MmdiMap::Real as usize * n + i] = u.re;
        maps[MmdiMap::Imaginary as usize * n + i] = u.im;
    }
    let field = if power > 0.0 { wave / power.sqrt() } else { Array1::zeros(n) };
    (field, maps)
}

/// Returns (Re u, Im u, |u|², 1) inside the mask, else 0: `[n][4]`. Several fields share the mask.
pub fn moments(field: &Array1<Complex64>, mask: &Array1<f64>) -> Array2<f64> {
    Array2::from_shape_fn((field.len(), 4), |(i, k)| {
        let u = field[i];
        if mask[i % mask.len()] > 0.0 { [u.re, u.im, u.norm_sqr(), 1.0][k] } else { 0.0 }
    })
}

/// Sums the rows of `[n][4]`.
pub fn total(values: &Array2<f64>) -> Array1<f64> {
    values.sum_axis(Axis(0))
}

pub(super) mod trial {
    use crate::kernel::mre::normalise;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        // Of one plane the zero level is known, of more it is lost.
        Trial {
            kernel: &normalise::NORMALISE,
            sizes: &[
                TrialSize::new(1, Size::new(5, 7)),
                TrialSize::new(3, Size::new(47, 41)),
                TrialSize::new(2, Size::square(256)),
            ],
            record: normalise,
        },
        Trial {
            kernel: &normalise::MOMENTS,
            sizes: &[
                TrialSize::new(1, Size::new(3, 1)),
                TrialSize::new(3, Size::new(47, 41)),
                // More than 65 535 workgroups, so that the dispatch is folded to two axes.
                TrialSize::new(1, Size::new(2053, 2051)),
                TrialSize::new(1, Size::square(256)),
            ],
            record: moments,
        },
        Trial {
            kernel: &normalise::TOTAL,
            sizes: &[
                TrialSize::new(1, Size::square(1)),
                TrialSize::new(1, Size::new(13, 5)),
                TrialSize::new(1, Size::new(113, 47)),
                TrialSize::new(1, Size::square(256)),
            ],
            record: total,
        },
    ];

    fn normalise(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let (n, lost) = (size.planes * size.pixels(), size.planes > 1);
        let wave = oracle::waves(rng, n);
        // The mean is several standard deviations, as in files rescaled to 0..4095.
        let wave: Vec<_> = wave.iter().map(|u| u + Complex32::new(3.0, -2.0)).collect();
        let mask = oracle::blot(rng, size.image);
        let (wide, inside) = (oracle::wide_complex(&wave), oracle::wide(&mask));
        let sums = oracle::total(&oracle::moments(&wide, &inside));
        let narrow: [f32; 4] = std::array::from_fn(|i| sums[i] as f32);
        let from =
            [rec.constant("wave", &wave), rec.constant("mask", &mask), rec.constant("total", &[narrow])];
        let maps = rec.output::<f32>("maps", MmdiMap::ALL.len() * n);
        let field = normalise::record(rec, from, maps, lost, [size.planes, size.pixels()]);
        let (expected, planes) = oracle::normalise(&wide, &inside, lost);
        vec![Expect::in_buffer(field, oracle::flat(&expected), 2e-6), Expect::in_buffer(maps, planes, 2e-6)]
    }

    fn moments(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.planes * size.pixels();
        let (field, mask) = (oracle::waves(rng, n), oracle::blot(rng, size.image));
        let (src, inside) = (rec.constant("field", &field), rec.constant("mask", &mask));
        let dst = normalise::record_moments(rec, src, inside, [size.planes, size.pixels()]);
        let expected = oracle::moments(&oracle::wide_complex(&field), &oracle::wide(&mask));
        vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-7)]
    }

    fn total(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let values: Vec<[f32; 4]> = (0..size.pixels()).map(|_| std::array::from_fn(|_| rng.f32())).collect();
        let src = rec.constant("values", &values);
        let dst = normalise::record_total(rec, src, values.len());
        let expected = oracle::total(&oracle::wide4(&values));
        vec![Expect::in_buffer(dst, expected.to_vec(), 1e-6)]
    }
}
