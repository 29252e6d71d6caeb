//! Trials of `pad`, `pad_grad`.

use super::super::*;
use crate::kernel::nn::pad;

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &pad::PAD, sizes: made_up::SIZES, record: pad },
    Trial { kernel: &pad::PAD_GRAD, sizes: made_up::SIZES, record: pad_grad },
];

/// A pixel more along odd axes, as the network wants it, but none where there is only one.
pub(crate) fn evened(shape: Shape) -> Shape {
    let even = |n: usize| if n == 1 { 1 } else { n.next_multiple_of(2) };
    Shape { h: even(shape.h), w: even(shape.w), ..shape }
}

fn pad(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let x = made_up::random(rng, size.shape(size.channels[0]));
    let src = made_up::upload(rec, "input", &x);
    let dst = made_up::room(rec, "padded", evened(src.shape));
    pad::record(rec, src, dst);
    vec![made_up::expect(dst, &oracle::pad(&x, [dst.shape.h, dst.shape.w]), 0.0)]
}

fn pad_grad(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let g = made_up::random(rng, evened(shape));
    let grad = made_up::upload(rec, "upstream", &g);
    let dst = made_up::room(rec, "gradient", shape);
    pad::record_grad(rec, grad, dst);
    vec![made_up::expect(dst, &oracle::pad_grad(&g, [shape.h, shape.w]), 1e-7)]
}
