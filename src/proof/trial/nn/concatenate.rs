//! Trials of `concatenate`, `extract`.

use super::super::*;
use crate::kernel::nn::concatenate;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &concatenate::CONCATENATE, sizes: made_up::SIZES, record: concatenate },
    Trial { kernel: &concatenate::EXTRACT, sizes: made_up::SIZES, record: extract },
];

fn concatenate(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [x, y] = size.channels.map(|c| made_up::random(rng, size.shape(c)));
    let (a, b) = (made_up::upload(rec, "first", &x), made_up::upload(rec, "second", &y));
    let dst = made_up::room(rec, "both", size.shape(a.shape.c + b.shape.c));
    concatenate::record(rec, a, b, dst);
    vec![made_up::expect(dst, &oracle::concatenate(&x, &y), 0.0)]
}

fn extract(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [skip, c] = size.channels;
    // One channel more than is asked for, so that what lies behind the last one is not zero by chance.
    let x = made_up::random(rng, size.shape(skip + c + 1));
    let src = made_up::upload(rec, "input", &x);
    let dst = made_up::room(rec, "part", size.shape(c));
    concatenate::record_extract(rec, src, skip, dst);
    vec![made_up::expect(dst, &oracle::extract(&x, skip, c), 0.0)]
}
