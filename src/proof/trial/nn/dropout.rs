//! Trials of `dropout`.

use super::super::*;
use crate::kernel::nn::dropout::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &dropout::DROPOUT, sizes: made_up::SIZES, record: dropout },
];

fn dropout(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let (rate, site, [seed, number]) = (0.3, rng.u32(..), [rng.u32(..), rng.u32(..)]);
    let x = made_up::random(rng, size.shape(size.channels[0]));
    let mut words = [0; 2];
    (words[SEED], words[STEP]) = (seed, number);
    let (step, src) = (rec.constant("step", &words), made_up::upload(rec, "input", &x));
    let dst = made_up::room(rec, "kept", src.shape);
    dropout::record(rec, step, src, rate, site, dst);
    vec![made_up::expect(dst, &oracle::dropout(&x, [seed, number], rate, site), 1e-6)]
}
