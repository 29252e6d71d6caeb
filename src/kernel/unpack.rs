//! To PyTorch's layout; `kernels/unpack.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/unpack.wgsl`.
    struct Uniform { count: u32, quads: u32, c: u32, plane: u32, src_first: u32, src_pitch: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "unpack",
    source: include_str!("../../kernels/unpack.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records `src` as f32 `[n][c][h][w]` into `dst`, `src.shape.len()` of them.
pub fn record(rec: &mut Recorder, src: Tensor, dst: Buf) {
    let Shape { h, w, c, .. } = src.shape;
    let count = src.shape.pixels() * src.shape.quads();
    let params = Uniform {
        count: count as u32,
        quads: src.shape.quads() as u32,
        c: c as u32,
        plane: (h * w) as u32,
        src_first: src.first,
        src_pitch: src.pitch,
    };
    let cost = Cost { flops: 0.0, bytes: (16 * count + 4 * src.shape.len()) as f64 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.buf.into(), dst.into()], count, cost);
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let x = trial::random(rng, size.shape(size.channels[0]));
    let src = trial::upload(rec, "packed", &x);
    let dst = rec.output::<f32>("plain", x.len());
    record(rec, src, dst);
    vec![Expect::in_buffer(dst, oracle::unpack(&x).iter().copied().collect(), 0.0)]
}
