//! Trials of `confidence`, `local_mean`.

use super::super::*;
use crate::kernel::mre::confidence;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &confidence::CONFIDENCE, sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)], record: confidence },
    Trial { kernel: &confidence::LOCAL_MEAN, sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)], record: local_mean },
];

fn confidence(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    // Now and then nothing: no trusted pixel, no wave.
    let some = |rng: &mut fastrand::Rng| if rng.u8(..) < 20 { 0.0 } else { rng.f32() };
    let trace: Vec<[f32; 4]> =
        (0..n).map(|_| [0.2 * rng.f32() + 1.0, 1.2 * rng.f32(), some(rng), 1.1 * some(rng)]).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let (src, inside) = (rec.constant("trace", &trace), rec.constant("mask", &mask));
    let maps = rec.output::<f32>("maps", Plane::ALL.len() * n);
    confidence::record(rec, src, inside, maps, [size.nx, size.ny], 4);
    let values = oracle::confidence(&oracle::wide4(&trace), &oracle::wide(&mask), [size.nx, size.ny], 4);
    let mut expected = vec![f64::NAN; Plane::ALL.len() * n];
    expected[Plane::Confidence as usize * n..][..n].copy_from_slice(&values.to_vec());
    vec![Expect::in_buffer(maps, expected, 1e-5)]
}

fn local_mean(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let trace: Vec<[f32; 4]> = (0..size.pixels()).map(|_| [rng.f32() - 0.3, f32::NAN, 0.0, 0.0]).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let (src, inside) = (rec.constant("trace", &trace), rec.constant("mask", &mask));
    let dst = confidence::record_local_mean(rec, src, inside, [size.nx, size.ny], 4);
    let log = oracle::wide4(&trace).column(0).to_owned();
    let expected = oracle::local_mean(&log, &oracle::wide(&mask), [size.nx, size.ny], 4);
    vec![Expect::in_buffer(dst, expected.to_vec(), 1e-6)]
}
