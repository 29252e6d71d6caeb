//! Trials of `pack`, `unpack`.

use super::super::*;
use crate::kernel::nn::pack;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &pack::PACK, sizes: made_up::SIZES, record: pack },
    Trial { kernel: &pack::UNPACK, sizes: made_up::SIZES, record: unpack },
];

fn pack(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    // [n][c][h][w]
    let x = made_up::random(rng, Shape::new(shape.n, shape.c, shape.h, shape.w));
    let values: Vec<f32> = x.iter().map(|&v| v as f32).collect();
    let src = rec.constant("plain", &values);
    let dst = made_up::room(rec, "packed", shape);
    pack::pack(rec, src, dst);
    vec![made_up::expect(dst, &oracle::pack(&x), 0.0)]
}

fn unpack(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let x = made_up::random(rng, size.shape(size.channels[0]));
    let src = made_up::upload(rec, "packed", &x);
    let dst = rec.output::<f32>("plain", x.len());
    pack::unpack(rec, src, dst);
    vec![Expect::in_buffer(dst, oracle::unpack(&x).iter().copied().collect(), 0.0)]
}
