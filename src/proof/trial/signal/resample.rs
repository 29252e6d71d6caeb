//! Trials of `resample`.

use super::super::*;
use crate::kernel::signal::resample::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &resample::RESAMPLE, sizes: &[
        Size::new(1, 1, 1),
        Size::new(0, 3, 5),
        Size::new(3, 41, 47),
        Size::new(0, 64, 64),
        Size::new(2, 256, 256),
    ], record: resample },
];

fn resample(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let from = [size.nx, size.ny];
    let mask = oracle::blot(rng, size.ny, size.nx);
    let mut draw = || rng.f32() * 2.0 - 1.0;
    let src: Vec<[f32; 4]> = mask.iter().map(|m| [draw(), draw(), *m, draw()]).collect();
    let buf = rec.constant("image", &src);
    let mut expect = vec![];
    for step in [[1.0, 1.0], [0.71, 1.43], [2.3, 0.37]] {
        let to = [0, 1].map(|i| (from[i] as f64 / step[i]).ceil() as usize);
        let grids = Grids { from, to, step, reach: size.planes };
        let dst = resample::record(rec, buf, grids);
        rec.keep(dst);
        let expected = oracle::resample(&oracle::wide4(&src), grids);
        expect.push(Expect::in_buffer(dst, oracle::flat_real(&expected), 2e-5));
    }
    expect
}
