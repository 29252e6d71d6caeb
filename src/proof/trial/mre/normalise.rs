//! Trials of `normalise`, `moments`, `total`.

use super::super::*;
use crate::kernel::mre::normalise;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    // One plane: the zero level is known; two: it is lost.
    Trial { kernel: &normalise::NORMALISE, sizes: &[Size::new(1, 7, 5), Size::new(2, 41, 47), Size::new(2, 256, 256)], record: normalise },
    Trial { kernel: &normalise::MOMENTS, sizes: &[
        Size::new(1, 1, 3),
        Size::new(1, 41, 47),
        // Beyond 65 535 workgroups, where the dispatch folds to two axes.
        Size::new(1, 2051, 2053),
        Size::new(1, 256, 256),
    ], record: moments },
    Trial { kernel: &normalise::TOTAL, sizes: &[Size::new(1, 1, 1), Size::new(1, 5, 13), Size::new(1, 47, 113), Size::new(1, 256, 256)], record: total },
];

fn normalise(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let (n, lost) = (size.pixels(), size.planes == 2);
    let wave = oracle::waves(rng, n);
    // A mean of several deviations, as files rescaled to 0..4095 have.
    let wave: Vec<_> = wave.iter().map(|u| u + Complex32::new(3.0, -2.0)).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let (wide, inside) = (oracle::wide_complex(&wave), oracle::wide(&mask));
    let sums = oracle::total(&oracle::moments(&wide, &inside));
    let narrow: [f32; 4] = std::array::from_fn(|i| sums[i] as f32);
    let from = [rec.constant("wave", &wave), rec.constant("mask", &mask), rec.constant("total", &[narrow])];
    let maps = rec.output::<f32>("maps", Plane::ALL.len() * n);
    let field = normalise::record(rec, from, maps, lost, n);
    let (expected, planes) = oracle::normalise(&wide, &inside, lost);
    vec![Expect::in_buffer(field, oracle::flat(&expected), 2e-6), Expect::in_buffer(maps, planes, 2e-6)]
}

fn moments(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let (field, mask) = (oracle::waves(rng, n), oracle::blot(rng, size.ny, size.nx));
    let (src, inside) = (rec.constant("field", &field), rec.constant("mask", &mask));
    let dst = normalise::record_moments(rec, src, inside, n);
    let expected = oracle::moments(&oracle::wide_complex(&field), &oracle::wide(&mask));
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-7)]
}

fn total(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let values: Vec<[f32; 4]> = (0..size.pixels()).map(|_| std::array::from_fn(|_| rng.f32())).collect();
    let src = rec.constant("values", &values);
    let dst = normalise::record_total(rec, src, values.len());
    let expected = oracle::total(&oracle::wide4(&values));
    vec![Expect::in_buffer(dst, expected.to_vec(), 1e-6)]
}
