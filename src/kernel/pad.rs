//! Padding by reflection; `kernels/pad.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/pad.wgsl`.
    struct Uniform {
        count: u32, h: u32, w: u32, quads: u32, src_h: u32, src_w: u32,
        src_first: u32, src_pitch: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "pad",
    source: include_str!("../../kernels/pad.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records `src` into `dst`, which has so many rows and columns or more: those at the bottom and the right
/// mirror `src` about its last row and column. An axis grows by less than its length, so that one to be
/// padded by a pixel has at least two; callers refuse what does not.
pub fn record(rec: &mut Recorder, src: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src_h: src.shape.h as u32,
        src_w: src.shape.w as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let cost = Cost { flops: 0.0, bytes: (16 * (src.shape.pixels() * dst.shape.quads() + count)) as f64 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.buf.into(), dst.buf.into()], count, cost);
}

/// A pixel more along odd axes, as the network wants it, but none where there is only one.
pub(super) fn evened(shape: Shape) -> Shape {
    let even = |n: usize| if n == 1 { 1 } else { n.next_multiple_of(2) };
    Shape { h: even(shape.h), w: even(shape.w), ..shape }
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let x = trial::random(rng, size.shape(size.channels[0]));
    let src = trial::upload(rec, "input", &x);
    let dst = trial::room(rec, "padded", evened(src.shape));
    record(rec, src, dst);
    vec![trial::expect(dst, &oracle::pad(&x, [dst.shape.h, dst.shape.w]), 0.0)]
}
