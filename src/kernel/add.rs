//! The sum of two tensors; `kernels/add.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/add.wgsl`.
    struct Uniform {
        count: u32, quads: u32, a_first: u32, a_pitch: u32, b_first: u32, b_pitch: u32,
        dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "add",
    source: include_str!("../../kernels/add.wgsl"),
    bindings: &[uniform("p"), read("a"), read("b"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records `dst = a + b`, all of one shape; `dst` is in neither's buffer.
pub fn record(rec: &mut Recorder, a: Tensor, b: Tensor, dst: Tensor) {
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        a_first: a.first,
        a_pitch: a.pitch,
        b_first: b.first,
        b_pitch: b.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let resources = [a.buf.into(), b.buf.into(), dst.buf.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, count, Cost::each(count, 4, 48));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let [x, y] = [(); 2].map(|()| trial::random(rng, shape));
    let (a, b) = (trial::upload(rec, "first", &x), trial::upload(rec, "second", &y));
    let dst = trial::room(rec, "sum", shape);
    record(rec, a, b, dst);
    vec![trial::expect(dst, &oracle::add(&x, &y), 1e-7)]
}
