//! Trials of `window`, `weigh`, `erode`.

use super::super::*;
use crate::kernel::mre::window::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &window::WINDOW, sizes: &[Size::new(1, 3, 5), Size::new(3, 41, 47), Size::new(12, 256, 256)], record: window },
    Trial { kernel: &window::WEIGH, sizes: &[Size::new(3, 1, 3), Size::new(3, 41, 47), Size::new(3, 256, 256)], record: weigh },
    // Planes are the radius.
    Trial { kernel: &window::ERODE, sizes: &[Size::new(0, 3, 5), Size::new(3, 41, 47), Size::new(2, 3, 47), Size::new(7, 256, 256)], record: erode },
];

fn window(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let radius = 2 + constant(spec, "AXIS") as usize * 4;
    let values: Vec<[f32; 4]> =
        (0..size.planes * size.pixels()).map(|_| std::array::from_fn(|_| rng.f32())).collect();
    let src = rec.constant("planes", &values);
    let span = |first, planes, radius| Span { first, planes, radius };
    let spans = [span(0, 1, radius), span(1, size.planes - 1, radius + 1)];
    let spans = if size.planes == 1 { &spans[..1] } else { &spans[..] };
    let dst = window::record(rec, src, [size.nx, size.ny], spans);
    let all = oracle::wide4(&values);
    let expected = spans.iter().flat_map(|s| {
        let rows = s.first * size.pixels()..(s.first + s.planes) * size.pixels();
        let part = all.slice(s![rows, ..]).to_owned();
        let part = part.into_shape_with_order((s.planes, size.pixels(), 4)).expect("shape");
        oracle::flat_real(&oracle::window(&part, [size.nx, size.ny], s.radius))
    });
    vec![Expect::in_buffer(dst, expected.collect(), 1e-6)]
}

fn weigh(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let products: Vec<[f32; 4]> = (0..n).map(|_| std::array::from_fn(|_| rng.f32())).collect();
    let residual: Vec<f32> = (0..n).map(|_| rng.f32()).collect();
    let trust = oracle::blot(rng, size.ny, size.nx);
    let from = [
        rec.constant("products", &products),
        rec.constant("residual", &residual),
        rec.constant("trust", &trust),
    ];
    // Written from plane 2 of 5: the others must stay as they were, which is NaN.
    let dst = rec.output::<[f32; 4]>("planes", 5 * n);
    window::record_weigh(rec, from, dst, 2, n);
    let planes = oracle::weigh(&oracle::wide4(&products), &oracle::wide(&residual), &oracle::wide(&trust));
    let expected = [vec![f64::NAN; 8 * n], oracle::flat_real(&planes)].concat();
    vec![Expect::in_buffer(dst, expected, 1e-7)]
}

fn erode(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mask = oracle::blot(rng, size.ny, size.nx);
    let src = rec.constant("mask", &mask);
    let dst = window::record_erode(rec, src, [size.nx, size.ny], size.planes);
    let expected = oracle::erode(&oracle::wide(&mask), [size.nx, size.ny], size.planes);
    vec![Expect::in_buffer(dst, expected.to_vec(), 0.0)]
}
