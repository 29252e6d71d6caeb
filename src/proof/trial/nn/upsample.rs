//! Trials of `upsample`, `upsample_grad`.

use super::super::*;
use crate::kernel::nn::upsample::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &upsample::UPSAMPLE, sizes: made_up::SIZES, record: upsample },
    Trial { kernel: &upsample::UPSAMPLE_GRAD, sizes: made_up::SIZES, record: upsample_grad },
];

fn upsample(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Upsampling::ALL[constant(spec, "MODE") as usize];
    let x = made_up::random(rng, size.shape(size.channels[0]));
    let src = made_up::upload(rec, "input", &x);
    let dst = made_up::room(rec, "upsampled", mode.shape(src.shape));
    upsample::record(rec, src, mode, dst);
    vec![made_up::expect(dst, &oracle::upsample(&x, mode), 1e-6)]
}

fn upsample_grad(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Upsampling::ALL[constant(spec, "MODE") as usize];
    let shape = size.shape(size.channels[0]);
    let g = made_up::random(rng, mode.shape(shape));
    let grad = made_up::upload(rec, "upstream", &g);
    let dst = made_up::room(rec, "gradient", shape);
    upsample::record_grad(rec, grad, mode, dst);
    vec![made_up::expect(dst, &oracle::upsample_grad(&g, mode), 1e-6)]
}
