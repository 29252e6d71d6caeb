//! Pooling over windows of 2 × 2 pixels (`kernels/nn/pool.wgsl`) and its gradient (`kernels/nn/pool_grad.wgsl`).

use crate::kernel::quads::{channels, lanes, load, store};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

/// The reduction of a window of 2 × 2 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The greatest value; NaN is greater than everything.
    Max,
    /// The mean of the values.
    #[serde(rename = "avg")]
    Average,
}

impl std::fmt::Display for Pooling {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Max { "max" } else { "avg" })
    }
}

impl Pooling {
    /// Both variants.
    pub const ALL: [Self; 2] = [Self::Max, Self::Average];

    pub(crate) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
        Self::ALL.map(|mode| mode.spec(kernel)).to_vec()
    }

    pub(crate) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("MODE", self as u32)])
    }

    /// The shape of the result: half the rows and columns, rounded down. It is empty if `shape` has an axis of one
    /// pixel, which callers refuse.
    pub const fn shape(self, shape: Shape) -> Shape {
        Shape { h: shape.h / 2, w: shape.w / 2, ..shape }
    }
}

params! {
    struct PoolParams { src: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32, src_h: u32, src_w: u32 }
}

/// The row of the table of kernels.
pub static POOL: Kernel = Kernel {
    name: "pool",
    source: include_str!("../../../kernels/nn/pool.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: PoolParams::LAYOUT,
    specs: || Pooling::specs(&POOL),
    native: Some(native_pool),
};

/// Records the pooling of `src` by `mode` into `dst` of shape `mode.shape(src.shape)`.
pub(crate) fn record(rec: &mut Recorder, src: Tensor, mode: Pooling, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PoolParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src_h: src.shape.h as u32,
        src_w: src.shape.w as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let cost = Cost::each(count, 16, 5 * 16);
    rec.linear(mode.spec(&POOL), &params, &[src.bound(), dst.bound()], count, cost);
}

params! {
    struct PoolGradParams { input: Place, grad: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32 }
}

/// The row of the table of kernels.
pub static POOL_GRAD: Kernel = Kernel {
    name: "pool_grad",
    source: include_str!("../../../kernels/nn/pool_grad.wgsl"),
    bindings: &[read("input", "vec4f"), read("grad", "vec4f"), write("dst", "vec4f")],
    params: PoolGradParams::LAYOUT,
    specs: || Pooling::specs(&POOL_GRAD),
    native: Some(native_pool_grad),
};

/// Records the gradient of [`record`] in `input` into `dst`, of the shape of `input`. `grad` is the gradient of the
/// result, of shape `mode.shape(input.shape)`. The average does not read `input`.
pub(crate) fn record_grad(rec: &mut Recorder, input: Tensor, grad: Tensor, mode: Pooling, dst: Tensor) {
    // The average does not read the input. Not binding it lets its memory be reused earlier.
    let input = if mode == Pooling::Max { input } else { grad };
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PoolGradParams {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        input: input.place(),
        grad: grad.place(),
        dst: dst.place(),
    };
    let cost = match mode {
        Pooling::Max => Cost::each(count, 16, 16 + 4 + 16),
        Pooling::Average => Cost::each(count, 4, 4 + 16),
    };
    let resources = [input.bound(), grad.bound(), dst.bound()];
    rec.linear(mode.spec(&POOL_GRAD), &params, &resources, count, cost);
}

/// Reports whether a is greater than b; NaN is greater than everything.
#[inline(always)]
fn greater(a: f32, b: f32) -> bool {
    (a > b) | a.is_nan()
}

#[inline(always)]
fn maximum(a: f32, b: f32) -> f32 {
    if greater(b, a) { b } else { a }
}

fn native_pool(call: &mut Call) {
    let p: PoolParams = call.params();
    let maximal = call.constant("MODE") == 0;
    let src: &[f32] = call.read(0);
    let [h, w, quads, src_h, src_w] = [p.h, p.w, p.quads, p.src_h, p.src_w].map(|n| n as usize);
    p.dst.rows(
        call.team(),
        call.write(1),
        [p.count as usize / quads, quads],
        w,
        #[inline(always)]
        |row, dst| {
            let corner = (row / h * src_h + 2 * (row % h)) * src_w;
            let [upper, lower] = [corner, corner + src_w].map(|pixel| &src[p.src.at(pixel)..]);
            lanes!(quads, |from, L| {
                for x in 0..w {
                    let at = 2 * x * p.src.step() + from;
                    let [a, b]: [[f32; L]; 2] = [load(upper, at), load(upper, at + p.src.step())];
                    let [c, d]: [[f32; L]; 2] = [load(lower, at), load(lower, at + p.src.step())];
                    let value = if maximal {
                        channels::<L>(|k| maximum(maximum(a[k], b[k]), maximum(c[k], d[k])))
                    } else {
                        channels(|k| 0.25 * ((a[k] + b[k]) + (c[k] + d[k])))
                    };
                    store(dst, x * p.dst.step() + from, value);
                }
            });
        },
    );
}

fn native_pool_grad(call: &mut Call) {
    let p: PoolGradParams = call.params();
    let maximal = call.constant("MODE") == 0;
    let (input, grad): (&[f32], &[f32]) = (call.read(0), call.read(1));
    let [h, w, quads] = [p.h, p.w, p.quads].map(|n| n as usize);
    p.dst.rows(
        call.team(),
        call.write(2),
        [p.count as usize / quads, quads],
        w,
        #[inline(always)]
        |row, dst| {
            let (n, y, windows) = (row / h, row % h / 2, w / 2);
            // An odd last row or column lies in no window.
            if y == h / 2 || windows == 0 {
                return dst.chunks_mut(p.dst.step()).for_each(|pixel| pixel[..4 * quads].fill(0.0));
            }
            if w % 2 == 1 {
                dst[(w - 1) * p.dst.step()..][..4 * quads].fill(0.0);
            }
            let grad = &grad[p.grad.at((n * (h / 2) + y) * windows)..];
            let pixel = (n * h + 2 * y) * w;
            lanes!(quads, |from, L| {
                for x in 0..windows {
                    let value: [f32; L] = load(grad, x * p.grad.step() + from);
                    let shares = if maximal {
                        let input = |x| -> [f32; L] { load(input, p.input.at(pixel + x) + from) };
                        let above = [input(2 * x), input(2 * x + 1)];
                        let below = [input(w + 2 * x), input(w + 2 * x + 1)];
                        shares(above, below, row % h % 2 == 0, value)
                    } else {
                        [channels(|c| 0.25 * value[c]); 2]
                    };
                    let to = 2 * x * p.dst.step() + from;
                    store(dst, to, shares[0]);
                    store(dst, to + p.dst.step(), shares[1]);
                }
            });
        },
    );
}

/// The gradient `value` of a window, in the two pixels of its upper or lower row: the first greatest pixel of the window
/// has it. Masks of bits choose, because they need no branches.
#[inline(always)]
fn shares<const L: usize>(
    [a, b]: [[f32; L]; 2],
    [c, d]: [[f32; L]; 2],
    upper: bool,
    value: [f32; L],
) -> [[f32; L]; 2] {
    let flip = if upper { u32::MAX } else { 0 };
    let [mut left, mut right] = [[0.0; L]; 2];
    for k in 0..L {
        // The lower row has it only if it has something greater.
        let lower = mask(greater(maximum(c[k], d[k]), maximum(a[k], b[k])));
        let row = value[k].to_bits() & (lower ^ flip);
        let [above, below] = [mask(greater(b[k], a[k])), mask(greater(d[k], c[k]))];
        let second = (above & flip) | (below & !flip);
        left[k] = f32::from_bits(row & !second);
        right[k] = f32::from_bits(row & second);
    }
    [left, right]
}

/// All bits if `condition` holds, else none.
#[inline(always)]
fn mask(condition: bool) -> u32 {
    0u32.wrapping_sub(u32::from(condition))
}
