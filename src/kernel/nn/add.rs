//! The sum of two tensors: `kernels/nn/add.wgsl`.

use crate::kernel::quads::zip;
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

params! {
    struct AddParams { a: Place, b: Place, dst: Place, count: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static ADD: Kernel = Kernel {
    name: "add",
    source: include_str!("../../../kernels/nn/add.wgsl"),
    bindings: &[read("a", "vec4f"), read("b", "vec4f"), write("dst", "vec4f")],
    params: AddParams::LAYOUT,
    specs: || vec![Spec::new(&ADD, &[])],
    native: Some(native),
};

/// Records `dst = a + b`, all of one shape. `dst` must lie in another buffer than `a` and `b`.
pub(crate) fn record(rec: &mut Recorder, a: Tensor, b: Tensor, dst: Tensor) {
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = AddParams {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        a: a.place(),
        b: b.place(),
        dst: dst.place(),
    };
    let resources = [a.bound(), b.bound(), dst.bound()];
    rec.linear(Spec::new(&ADD, &[]), &params, &resources, count, Cost::each(count, 4, 48));
}

fn native(call: &mut Call) {
    let p: AddParams = call.params();
    let (a, b, quads) = (call.read(0), call.read(1), p.quads as usize);
    p.dst.each(
        call.team(),
        call.write(2),
        [p.count as usize / quads, quads],
        #[inline(always)]
        |pixel, dst| {
            let terms = p.a.of(a, pixel, quads).iter().zip(p.b.of(b, pixel, quads));
            dst.iter_mut().zip(terms).for_each(|(dst, (a, b))| *dst = zip(*a, *b, |a, b| a + b));
        },
    );
}
