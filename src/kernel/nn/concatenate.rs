//! Concatenation of the channels of two tensors (`kernels/nn/concatenate.wgsl`), and extraction of consecutive channels
//! (`kernels/nn/extract.wgsl`).

use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
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
    native: None,
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
    native: None,
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
