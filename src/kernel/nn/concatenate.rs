//! Concatenation of the channels of two tensors (`kernels/nn/concatenate.wgsl`), and extraction of consecutive channels
//! (`kernels/nn/extract.wgsl`).

use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

params! {
    struct ConcatenateParams { a: Place, b: Place, dst: Place, count: u32, quads: u32, c: u32, a_c: u32 }
}

/// The row of the table of kernels.
pub static CONCATENATE: Kernel = Kernel {
    name: "concatenate",
    source: include_str!("../../../kernels/nn/concatenate.wgsl"),
    bindings: &[read("a", "vec4f"), read("b", "vec4f"), write("dst", "vec4f")],
    params: ConcatenateParams::LAYOUT,
    specs: || vec![Spec::new(&CONCATENATE, &[])],
    native: Some(concatenate),
};

/// Records the channels of `a`, then those of `b`, into `dst`, which has as many channels as both. All have the same
/// images. The channels of `a` need not fill their quads. If they do, `a` and `b` can be computed into windows of one
/// tensor, and no copy is needed.
pub(crate) fn record(rec: &mut Recorder, a: Tensor, b: Tensor, dst: Tensor) {
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = ConcatenateParams {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        c: dst.shape.c as u32,
        a_c: a.shape.c as u32,
        a: a.place(),
        b: b.place(),
        dst: dst.place(),
    };
    let resources = [a.bound(), b.bound(), dst.bound()];
    rec.linear(Spec::new(&CONCATENATE, &[]), &params, &resources, count, Cost::each(count, 0, 32));
}

params! {
    struct ExtractParams { src: Place, dst: Place, count: u32, quads: u32, c: u32, skip: u32 }
}

/// The row of the table of kernels.
pub static EXTRACT: Kernel = Kernel {
    name: "extract",
    source: include_str!("../../../kernels/nn/extract.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: ExtractParams::LAYOUT,
    specs: || vec![Spec::new(&EXTRACT, &[])],
    native: Some(extract),
};

/// Records channels `from` to `from + dst.shape.c - 1` of `src` into `dst`, with the same images. This is the gradient
/// of
/// [`record`], once for each part. If `from` is a multiple of four and the channels need no zeros behind the last one,
/// [`Tensor::window`] avoids the copy.
pub(crate) fn record_extract(rec: &mut Recorder, src: Tensor, from: usize, dst: Tensor) {
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = ExtractParams {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        c: dst.shape.c as u32,
        skip: from as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let cost = Cost::each(count, 0, 32);
    rec.linear(Spec::new(&EXTRACT, &[]), &params, &[src.bound(), dst.bound()], count, cost);
}

fn concatenate(call: &mut Call) {
    let p: ConcatenateParams = call.params();
    let (a, b): (&[f32], &[f32]) = (call.read(0), call.read(1));
    let [quads, c, a_c] = [p.quads, p.c, p.a_c].map(|n| n as usize);
    let count = p.count as usize / quads;
    p.dst.strips(
        call.team(),
        call.write(2),
        [count, quads],
        count,
        #[inline(always)]
        |_, pixels, dst| {
            for (i, dst) in pixels.zip(dst.chunks_mut(p.dst.step())) {
                dst[..a_c].copy_from_slice(&a[p.a.at(i)..][..a_c]);
                dst[a_c..c].copy_from_slice(&b[p.b.at(i)..][..c - a_c]);
                dst[c..4 * quads].fill(0.0);
            }
        },
    );
}

fn extract(call: &mut Call) {
    let p: ExtractParams = call.params();
    let src: &[f32] = call.read(0);
    let [quads, c, skip] = [p.quads, p.c, p.skip].map(|n| n as usize);
    let count = p.count as usize / quads;
    p.dst.strips(
        call.team(),
        call.write(1),
        [count, quads],
        count,
        #[inline(always)]
        |_, pixels, dst| {
            for (i, dst) in pixels.zip(dst.chunks_mut(p.dst.step())) {
                dst[..c].copy_from_slice(&src[p.src.at(i) + skip..][..c]);
                dst[c..4 * quads].fill(0.0);
            }
        },
    );
}
