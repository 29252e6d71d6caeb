//! Some consecutive channels of a tensor; `kernels/extract.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/extract.wgsl`.
    struct Uniform {
        count: u32, quads: u32, c: u32, skip: u32, src_first: u32, src_pitch: u32,
        dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "extract",
    source: include_str!("../../kernels/extract.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records channels `from` to `from + dst.shape.c - 1` of `src`, which has them, into `dst` of the same
/// images: the gradient of [`super::concatenate`] is this, once for each part. Where `from` is a multiple of
/// four and nothing has to be zero behind the last channel, [`Tensor::window`] does without a copy.
pub fn record(rec: &mut Recorder, src: Tensor, from: usize, dst: Tensor) {
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        c: dst.shape.c as u32,
        skip: from as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let cost = Cost::each(count, 0, 32);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.buf.into(), dst.buf.into()], count, cost);
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [skip, c] = size.channels;
    // One channel more than is asked for, so that what lies behind the last one is not zero by chance.
    let x = trial::random(rng, size.shape(skip + c + 1));
    let src = trial::upload(rec, "input", &x);
    let dst = trial::room(rec, "part", size.shape(c));
    record(rec, src, skip, dst);
    vec![trial::expect(dst, &oracle::extract(&x, skip, c), 0.0)]
}
