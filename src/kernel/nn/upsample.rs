//! Upsampling to twice the size (`kernels/nn/upsample.wgsl`) and its gradient (`kernels/nn/upsample_grad.wgsl`).

use crate::kernel::quads::{channels, lanes, load, store};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

/// The method of upsampling to twice the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Upsampling {
    /// Copies each pixel four times.
    Nearest,
    /// Interpolates linearly between pixel centres along both axes, and is constant beyond the outermost centres
    /// (PyTorch's `align_corners=False`).
    Bilinear,
}

impl std::fmt::Display for Upsampling {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Nearest { "nearest" } else { "bilinear" })
    }
}

impl Upsampling {
    /// Both variants.
    pub const ALL: [Self; 2] = [Self::Nearest, Self::Bilinear];

    pub(crate) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
        Self::ALL.map(|mode| mode.spec(kernel)).to_vec()
    }

    pub(crate) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("MODE", self as u32)])
    }

    /// The shape of the result: twice the rows and columns.
    pub const fn shape(self, shape: Shape) -> Shape {
        Shape { h: 2 * shape.h, w: 2 * shape.w, ..shape }
    }
}

params! {
    struct UpsampleParams { src: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static UPSAMPLE: Kernel = Kernel {
    name: "upsample",
    source: include_str!("../../../kernels/nn/upsample.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: UpsampleParams::LAYOUT,
    specs: || Upsampling::specs(&UPSAMPLE),
    native: Some(native_upsample),
};

/// Records `src` at twice its size into `dst` of shape `mode.shape(src.shape)`.
pub(crate) fn record(rec: &mut Recorder, src: Tensor, mode: Upsampling, dst: Tensor) {
    let Shape { h, w, .. } = src.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = UpsampleParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let flops = if mode == Upsampling::Nearest { 0 } else { 36 };
    let cost = Cost::each(count, flops, 4 + 16);
    rec.linear(mode.spec(&UPSAMPLE), &params, &[src.bound(), dst.bound()], count, cost);
}

params! {
    struct UpsampleGradParams { grad: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static UPSAMPLE_GRAD: Kernel = Kernel {
    name: "upsample_grad",
    source: include_str!("../../../kernels/nn/upsample_grad.wgsl"),
    bindings: &[read("grad", "vec4f"), write("dst", "vec4f")],
    params: UpsampleGradParams::LAYOUT,
    specs: || Upsampling::specs(&UPSAMPLE_GRAD),
    native: Some(native_upsample_grad),
};

/// Records the gradient of [`record`] in its input into `dst`, of the shape of the input. `grad` is the gradient of the
/// result, of shape `mode.shape(dst.shape)`.
pub(crate) fn record_grad(rec: &mut Recorder, grad: Tensor, mode: Upsampling, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = UpsampleGradParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        grad: grad.place(),
        dst: dst.place(),
    };
    let flops = if mode == Upsampling::Nearest { 12 } else { 100 };
    let cost = Cost::each(count, flops, 4 * 16 + 16);
    rec.linear(mode.spec(&UPSAMPLE_GRAD), &params, &[grad.bound(), dst.bound()], count, cost);
}

/// 3/4 of `near` and 1/4 of `far`.
#[inline(always)]
fn blend<const L: usize>(near: [f32; L], far: [f32; L]) -> [f32; L] {
    channels(|c| 0.75 * near[c] + 0.25 * far[c])
}

#[inline(always)]
fn sum<const L: usize>(a: [f32; L], b: [f32; L]) -> [f32; L] {
    channels(|c| a[c] + b[c])
}

/// 3/4 of two rows and 1/4 of the rows around them, at index `at`.
#[inline(always)]
fn column<const L: usize>([before, upper, lower, after]: [&[f32]; 4], at: usize) -> [f32; L] {
    blend(sum(load(upper, at), load(lower, at)), sum(load(before, at), load(after, at)))
}

fn native_upsample(call: &mut Call) {
    let p: UpsampleParams = call.params();
    let nearest = call.constant("MODE") == 0;
    let src: &[f32] = call.read(0);
    let [h, w, quads] = [p.h, p.w, p.quads].map(|n| n as usize);
    p.dst.rows(
        call.team(),
        call.write(1),
        [p.count as usize / quads, quads],
        2 * w,
        #[inline(always)]
        |row, dst| {
            let (n, y) = (row / (2 * h), row % (2 * h));
            let other = if y % 2 == 1 { (y / 2 + 1).min(h - 1) } else { (y / 2).max(1) - 1 };
            let [near, far] = [y / 2, other].map(|y| &src[p.src.at((n * h + y) * w)..]);
            let step = p.src.step();
            lanes!(quads, |from, L| {
                if nearest {
                    for x in 0..w {
                        let (own, to): ([f32; L], _) = (load(near, x * step + from), 2 * x * p.dst.step());
                        store(dst, to + from, own);
                        store(dst, to + p.dst.step() + from, own);
                    }
                } else {
                    let mut own: [f32; L] = blend(load(near, from), load(far, from));
                    let mut before = own;
                    for x in 0..w {
                        // The last column is its own neighbour.
                        let at = (x + 1).min(w - 1) * step + from;
                        let after: [f32; L] = blend(load(near, at), load(far, at));
                        let to = 2 * x * p.dst.step() + from;
                        store(dst, to, blend(own, before));
                        store(dst, to + p.dst.step(), blend(own, after));
                        (before, own) = (own, after);
                    }
                }
            });
        },
    );
}

fn native_upsample_grad(call: &mut Call) {
    let p: UpsampleGradParams = call.params();
    let nearest = call.constant("MODE") == 0;
    let grad: &[f32] = call.read(0);
    let [h, w, quads] = [p.h, p.w, p.quads].map(|n| n as usize);
    p.dst.rows(
        call.team(),
        call.write(1),
        [p.count as usize / quads, quads],
        w,
        #[inline(always)]
        |row, dst| {
            let (n, y) = (row / h, row % h);
            let [before, upper, lower, after] =
                [(2 * y).max(1) - 1, 2 * y, 2 * y + 1, (2 * y + 2).min(2 * h - 1)]
                    .map(|y| &grad[p.grad.at((2 * h * n + y) * 2 * w)..]);
            let step = p.grad.step();
            lanes!(quads, |from, L| {
                if nearest {
                    for x in 0..w {
                        let at = 2 * x * step + from;
                        let left: [f32; L] = sum(load(upper, at), load(lower, at));
                        let right = sum(load(upper, at + step), load(lower, at + step));
                        store(dst, x * p.dst.step() + from, sum(left, right));
                    }
                } else {
                    // Each column serves two pixels, so it is kept.
                    let mut left: [f32; L] = column([before, upper, lower, after], from);
                    let mut outer = left;
                    for x in 0..w {
                        let at = (2 * x + 1) * step + from;
                        let right = column([before, upper, lower, after], at);
                        // The last column is repeated beyond the edge.
                        let next = (2 * x + 2).min(2 * w - 1) * step + from;
                        let next = column([before, upper, lower, after], next);
                        let value = blend(sum(left, right), sum(outer, next));
                        store(dst, x * p.dst.step() + from, value);
                        (outer, left) = (right, next);
                    }
                }
            });
        },
    );
}
