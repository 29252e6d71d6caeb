//! Padding by reflection (`kernels/nn/pad.wgsl`) and its gradient (`kernels/nn/pad_grad.wgsl`).

use crate::kernel::quads::{channels, lanes, load, store};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct PadParams { src: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32, src_h: u32, src_w: u32 }
}

/// The row of the table of kernels.
pub static PAD: Kernel = Kernel {
    name: "pad",
    source: include_str!("../../../kernels/nn/pad.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: PadParams::LAYOUT,
    specs: || vec![Spec::new(&PAD, &[])],
    native: Some(native_pad),
};

/// Records `src` into `dst`, which has at least as many rows and columns. The rows and columns added at the bottom and
/// the right mirror `src` about its last row and column. An axis must grow by less than its length; callers refuse
/// larger padding.
pub(crate) fn record(rec: &mut Recorder, src: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PadParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src_h: src.shape.h as u32,
        src_w: src.shape.w as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let cost = Cost { flops: 0.0, bytes: (16 * (src.shape.pixels() * dst.shape.quads() + count)) as f64 };
    rec.linear(Spec::new(&PAD, &[]), &params, &[src.bound(), dst.bound()], count, cost);
}

params! {
    struct PadGradParams { grad: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32, grad_h: u32, grad_w: u32 }
}

/// The row of the table of kernels.
pub static PAD_GRAD: Kernel = Kernel {
    name: "pad_grad",
    source: include_str!("../../../kernels/nn/pad_grad.wgsl"),
    bindings: &[read("grad", "vec4f"), write("dst", "vec4f")],
    params: PadGradParams::LAYOUT,
    specs: || vec![Spec::new(&PAD_GRAD, &[])],
    native: Some(native_pad_grad),
};

/// Records the gradient of [`record`] in its input into `dst`, of the shape of the input. `grad` is the gradient of the
/// padded result. The conditions of [`record`] hold.
pub(crate) fn record_grad(rec: &mut Recorder, grad: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PadGradParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        grad_h: grad.shape.h as u32,
        grad_w: grad.shape.w as u32,
        grad: grad.place(),
        dst: dst.place(),
    };
    let quads = grad.shape.pixels() * grad.shape.quads();
    let cost = Cost { flops: (4 * (quads - count)) as f64, bytes: (16 * (quads + count)) as f64 };
    rec.linear(Spec::new(&PAD_GRAD, &[]), &params, &[grad.bound(), dst.bound()], count, cost);
}

/// `i`, mirrored at the last of `n`.
fn mirror(i: usize, n: usize) -> usize {
    if i < n { i } else { 2 * (n - 1) - i }
}

fn native_pad(call: &mut Call) {
    let p: PadParams = call.params();
    let src: &[f32] = call.read(0);
    let [h, w, quads, src_h, src_w] = [p.h, p.w, p.quads, p.src_h, p.src_w].map(|n| n as usize);
    p.dst.rows(
        call.team(),
        call.write(1),
        [p.count as usize / quads, quads],
        w,
        #[inline(always)]
        |row, dst| {
            let src = &src[p.src.at((row / h * src_h + mirror(row % h, src_h)) * src_w)..];
            lanes!(quads, |from, L| {
                for x in 0..w {
                    let value: [f32; L] = load(src, mirror(x, src_w) * p.src.step() + from);
                    store(dst, x * p.dst.step() + from, value);
                }
            });
        },
    );
}

fn native_pad_grad(call: &mut Call) {
    let p: PadGradParams = call.params();
    let grad: &[f32] = call.read(0);
    let [h, w, quads, grad_h, grad_w] = [p.h, p.w, p.quads, p.grad_h, p.grad_w].map(|n| n as usize);
    // The mirror image of place i, if it is another place of the `padded` ones.
    let image = |i: usize, n: usize, padded: usize| {
        let mirrored = 2 * (n - 1) - i;
        (mirrored > i && mirrored < padded).then_some(mirrored)
    };
    p.dst.rows(
        call.team(),
        call.write(1),
        [p.count as usize / quads, quads],
        w,
        #[inline(always)]
        |row, dst| {
            let (n, y) = (row / h, row % h);
            let line = |y| &grad[p.grad.at((n * grad_h + y) * grad_w)..];
            let lines = [Some(line(y)), image(y, h, grad_h).map(line)];
            lanes!(quads, |from, L| {
                for x in 0..w {
                    let mut sum = [0.0; L];
                    for line in lines.iter().flatten() {
                        for x in [Some(x), image(x, w, grad_w)].into_iter().flatten() {
                            let value: [f32; L] = load(line, x * p.grad.step() + from);
                            sum = channels(|c| sum[c] + value[c]);
                        }
                    }
                    store(dst, x * p.dst.step() + from, sum);
                }
            });
        },
    );
}
