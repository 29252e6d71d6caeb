//! The channels of two tensors one after another; `kernels/concatenate.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/concatenate.wgsl`.
    struct Uniform {
        count: u32, quads: u32, c: u32, a_c: u32, a_first: u32, a_pitch: u32, b_first: u32, b_pitch: u32,
        dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "concatenate",
    source: include_str!("../../kernels/concatenate.wgsl"),
    bindings: &[uniform("p"), read("a"), read("b"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records the channels of `a`, then those of `b`, into `dst`, which has as many as both; all of the same
/// images. The channels of `a` need not fill their quads. Where they do, `a` and `b` can be computed into
/// windows of one tensor, and nothing has to be copied.
pub fn record(rec: &mut Recorder, a: Tensor, b: Tensor, dst: Tensor) {
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        c: dst.shape.c as u32,
        a_c: a.shape.c as u32,
        a_first: a.first,
        a_pitch: a.pitch,
        b_first: b.first,
        b_pitch: b.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let resources = [a.buf.into(), b.buf.into(), dst.buf.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, count, Cost::each(count, 0, 32));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [x, y] = size.channels.map(|c| trial::random(rng, size.shape(c)));
    let (a, b) = (trial::upload(rec, "first", &x), trial::upload(rec, "second", &y));
    let dst = trial::room(rec, "both", size.shape(a.shape.c + b.shape.c));
    record(rec, a, b, dst);
    vec![trial::expect(dst, &oracle::concatenate(&x, &y), 0.0)]
}
