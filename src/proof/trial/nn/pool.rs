//! Trials of `pool`, `pool_grad`.

use super::super::*;
use crate::kernel::nn::pool::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &pool::POOL, sizes: made_up::SIZES, record: pool },
    Trial { kernel: &pool::POOL_GRAD, sizes: made_up::SIZES, record: pool_grad },
];

/// Values with many ties, and a NaN here and there.
pub(crate) fn values(rng: &mut fastrand::Rng, shape: Shape) -> Array4<f64> {
    let coarse = made_up::random(rng, shape).mapv(|v| (2.0 * v).round() / 2.0);
    coarse.mapv(|v| if rng.u8(..) < 8 { f64::NAN } else { v })
}

fn pool(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Pooling::ALL[constant(spec, "MODE") as usize];
    let x = values(rng, size.shape(size.channels[0]));
    let src = made_up::upload(rec, "input", &x);
    let dst = made_up::room(rec, "pooled", mode.shape(src.shape));
    pool::record(rec, src, mode, dst);
    vec![made_up::expect(dst, &oracle::pool(&x, mode), 0.0)]
}

fn pool_grad(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Pooling::ALL[constant(spec, "MODE") as usize];
    let shape = size.shape(size.channels[0]);
    let (x, g) = (values(rng, shape), made_up::random(rng, mode.shape(shape)));
    let input = made_up::upload(rec, "input", &x);
    let grad = made_up::upload(rec, "upstream", &g);
    let dst = made_up::room(rec, "gradient", shape);
    pool::record_grad(rec, input, grad, mode, dst);
    vec![made_up::expect(dst, &oracle::pool_grad(&x, &g, mode), 0.0)]
}
