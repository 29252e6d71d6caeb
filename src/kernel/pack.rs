//! From PyTorch's layout; `kernels/pack.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/pack.wgsl`.
    struct Uniform { count: u32, quads: u32, c: u32, plane: u32, dst_first: u32, dst_pitch: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "pack",
    source: include_str!("../../kernels/pack.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records f32 `[n][c][h][w]`, of the shape of `dst`, into `dst`.
pub fn record(rec: &mut Recorder, src: Buf, dst: Tensor) {
    let Shape { h, w, c, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        c: c as u32,
        plane: (h * w) as u32,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let cost = Cost { flops: 0.0, bytes: (16 * count + 4 * dst.shape.len()) as f64 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.into(), dst.buf.into()], count, cost);
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    // [n][c][h][w]
    let x = trial::random(rng, Shape::new(shape.n, shape.c, shape.h, shape.w));
    let values: Vec<f32> = x.iter().map(|&v| v as f32).collect();
    let src = rec.constant("plain", &values);
    let dst = trial::room(rec, "packed", shape);
    record(rec, src, dst);
    vec![trial::expect(dst, &oracle::pack(&x), 0.0)]
}
