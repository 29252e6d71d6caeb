//! Trials of `winograd_input`, `winograd_weights`, `winograd_output`.

use super::super::*;
use crate::kernel::nn::convolve::{FinishKind, Geometry};
use crate::kernel::nn::winograd::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &winograd::WINOGRAD_INPUT, sizes: made_up::SIZES, record: winograd_input },
    Trial { kernel: &winograd::WINOGRAD_WEIGHTS, sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(1, [1, 1], 5, 37),
        Size::batch(1, [1, 1], 18, 3),
        Size::batch(1, [1, 1], 64, 64),
    ], record: winograd_weights },
    Trial { kernel: &winograd::WINOGRAD_OUTPUT, sizes: made_up::SIZES, record: winograd_output },
];

fn winograd_input(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let values = made_up::random(rng, size.shape(size.channels[0]));
    let src = made_up::upload(rec, "images", &values);
    let dst = made_up::room(rec, "tiles", tiles(src.shape));
    winograd::record_input(rec, src, dst);
    vec![made_up::expect(dst, &oracle::winograd_input(&values), 1e-6)]
}

fn winograd_weights(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [ci, co] = size.channels;
    let values = made_up::weights(rng, Geometry::Three, [ci, co]);
    let src = made_up::upload_filter(rec, &values, &[vec![], vec![]]).weights;
    let dst = winograd::record_weights(rec, src);
    vec![made_up::expect_weights(dst, &oracle::winograd_weights(&values), 1e-6)]
}

fn winograd_output(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = made_up::random(rng, tiles(shape));
    let products = oracle::winograd_output(&values, [shape.n, shape.h, shape.w]);
    let finish = made_up::finish(rec, rng, FinishKind::ALL[constant(spec, "FINISH") as usize], &Array3::zeros((1, 1, shape.c)));
    let src = made_up::upload(rec, "products", &values);
    let dst = made_up::room(rec, "images", shape);
    winograd::record_output(rec, src, (finish.weights, finish.finish), dst);
    vec![made_up::expect(dst, &finish.oracle(products), 1e-6)]
}
