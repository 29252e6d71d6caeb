//! The isotropic total variation (`kernels/learning/total_variation.wgsl`) and its gradient
//! (`kernels/learning/total_variation_grad.wgsl`).

use super::combine_losses;
use super::mse::{each_pixel, spec, specs, weights_of};
use crate::kernel::core::reduce::{LANES, run};
use crate::kernel::quads::{Quad, zip};
use crate::plan::{Call, Cost, Kernel, Params, Place, Recorder, params, read, write};
use crate::tensor::Tensor;

params! {
    struct TotalVariationParams { src: Place, weights: Place, n: u32, quads: u32, c: u32, h: u32, w: u32, run: u32, epsilon: f32 }
}

/// The row of the table of kernels.
pub static TOTAL_VARIATION: Kernel = Kernel {
    name: "total_variation",
    source: include_str!("../../../kernels/learning/total_variation.wgsl"),
    bindings: &[read("src", "vec4f"), read("weights", "vec4f"), write("dst", "vec4f")],
    params: TotalVariationParams::LAYOUT,
    specs: || specs(&TOTAL_VARIATION),
    native: Some(native),
};

/// The number ε that keeps the root differentiable where the image is flat.
pub const EPSILON: f32 = 1e-8;

/// Records the mean over pixels and channels of √(dx² + dy² + ε) into the scalar `dst`. The forward differences dx and
/// dy are 0 in the last column and in the last row. The number of values averaged goes into the scalar `weight` in
/// another buffer, for [`record_grad`].
///
/// With `weights`, `[n, h, w, 1]`, only pixels of a weight above 0 count, and differences between two such pixels. If
/// there are none, the result is 0.
pub(crate) fn record(
    rec: &mut Recorder,
    src: Tensor,
    weights: Option<Tensor>,
    epsilon: f32,
    dst: Tensor,
    weight: Tensor,
) {
    let quads = src.shape.quads();
    let n = src.shape.pixels() * quads;
    let (run, runs) = (run(n), n.div_ceil(run(n)));
    let w = weights.unwrap_or(src);
    let params = TotalVariationParams {
        n: n as u32,
        quads: quads as u32,
        c: src.shape.c as u32,
        h: src.shape.h as u32,
        w: src.shape.w as u32,
        run: run as u32,
        src: src.place(),
        weights: w.place(),
        epsilon,
    };
    let partial = rec.scratch::<[f32; 4]>("partial variations", runs);
    let resources = [src.bound(), w.bound(), partial.first::<[f32; 4]>(runs)];
    let cost = Cost::each(n, 4 * 8, 20);
    rec.linear(spec(&TOTAL_VARIATION, weights), &params, &resources, runs * LANES, cost);
    combine_losses::record_mean(rec, partial, runs, dst, weight);
}

fn native(call: &mut Call) {
    let p: TotalVariationParams = call.params();
    let [n, quads, c, h, w, run] = [p.n, p.quads, p.c, p.h, p.w, p.run].map(|n| n as usize);
    let src = call.read::<Quad>(0);
    let image =
        Image { src, place: p.src, weights: weights_of(call, 1, p.weights), h, w, epsilon: p.epsilon };
    call.team().split_reading(
        call.write::<Quad>(2),
        1,
        size_of_val(src),
        #[inline(always)]
        |first, dst| {
            for (i, dst) in (first..).zip(dst) {
                let (mut sums, mut count) = ([0.0; 4], 0);
                let begin = i * run / quads;
                let (mut y, mut x) = (begin / w % h, begin % w);
                each_pixel(i * run..n.min((i + 1) * run), quads, |pixel, own| {
                    if image.counts(pixel) {
                        for q in own {
                            let [_, _, root] = image.differences(pixel, [y, x], q);
                            let there = 4.min(c - 4 * q);
                            (0..there).for_each(|c| sums[c] += f64::from(root[c]));
                            count += there;
                        }
                    }
                    x += 1;
                    if x == w {
                        (y, x) = (if y + 1 == h { 0 } else { y + 1 }, 0);
                    }
                });
                *dst = [sums.iter().sum::<f64>() as f32, count as f32, 0.0, 0.0];
            }
        },
    );
}

/// An image whose pixels count if their weight is above 0.
struct Image<'a, W> {
    src: &'a [Quad],
    place: Place,
    weights: W,
    h: usize,
    w: usize,
    epsilon: f32,
}

impl<W: Fn(usize) -> f32> Image<'_, W> {
    #[inline(always)]
    fn counts(&self, pixel: usize) -> bool {
        (self.weights)(pixel) > 0.0
    }

    /// Forward differences dx and dy of quad `q` of a pixel in row y and column x, and √(dx² + dy² + ε). A difference is
    /// 0 towards a pixel that does not exist or does not count.
    #[inline(always)]
    fn differences(&self, pixel: usize, [y, x]: [usize; 2], q: usize) -> [Quad; 3] {
        let value = |pixel: usize| self.place.of(self.src, pixel, q + 1)[q];
        let own = value(pixel);
        let towards = |exists: bool, there: usize| match exists && self.counts(there) {
            true => zip(value(there), own, |a, b| a - b),
            false => [0.0; 4],
        };
        let [dx, dy] = [towards(x + 1 < self.w, pixel + 1), towards(y + 1 < self.h, pixel + self.w)];
        [dx, dy, zip(dx, dy, |dx, dy| (dx * dx + dy * dy + self.epsilon).sqrt())]
    }
}

params! {
    struct TotalVariationGradParams { src: Place, weights: Place, dst: Place, n: u32, quads: u32, h: u32, w: u32, weight_first: u32, up_first: u32, epsilon: f32 }
}

/// The row of the table of kernels.
pub static TOTAL_VARIATION_GRAD: Kernel = Kernel {
    name: "total_variation_grad",
    source: include_str!("../../../kernels/learning/total_variation_grad.wgsl"),
    bindings: &[
        read("src", "vec4f"),
        read("weights", "vec4f"),
        read("weight", "vec4f"),
        read("up", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: TotalVariationGradParams::LAYOUT,
    specs: || specs(&TOTAL_VARIATION_GRAD),
    native: Some(native_grad),
};

/// Records the gradient of [`record`] in its image into `dst`. `weight` is the scalar number of values from [`record`],
/// and `up` is the scalar upstream gradient.
pub(crate) fn record_grad(
    rec: &mut Recorder,
    src: Tensor,
    weights: Option<Tensor>,
    epsilon: f32,
    weight: Tensor,
    up: Tensor,
    dst: Tensor,
) {
    let quads = src.shape.quads();
    let n = src.shape.pixels() * quads;
    let w = weights.unwrap_or(src);
    let params = TotalVariationGradParams {
        n: n as u32,
        quads: quads as u32,
        h: src.shape.h as u32,
        w: src.shape.w as u32,
        src: src.place(),
        weights: w.place(),
        weight_first: weight.first,
        up_first: up.first,
        dst: dst.place(),
        epsilon,
    };
    let resources = [src, w, weight, up, dst].map(Tensor::bound);
    rec.linear(spec(&TOTAL_VARIATION_GRAD, weights), &params, &resources, n, Cost::each(n, 4 * 27, 36));
}

fn native_grad(call: &mut Call) {
    let p: TotalVariationGradParams = call.params();
    let [n, quads, h, w] = [p.n, p.quads, p.h, p.w].map(|n| n as usize);
    let src = call.read(0);
    let image =
        Image { src, place: p.src, weights: weights_of(call, 1, p.weights), h, w, epsilon: p.epsilon };
    let [weight, up] =
        [(2, p.weight_first), (3, p.up_first)].map(|(i, at)| call.read::<Quad>(i)[at as usize][0]);
    let pitch = p.dst.pitch as usize;
    let rows = Place { pitch: p.dst.pitch * p.w, ..p.dst };
    rows.each(
        call.team(),
        call.write(4),
        [n / quads / w, (w - 1) * pitch + quads],
        #[inline(always)]
        |row, dst| {
            let y = row % h;
            for (x, dst) in dst.chunks_mut(pitch).enumerate() {
                let pixel = row * w + x;
                if !image.counts(pixel) {
                    dst[..quads].fill([0.0; 4]);
                    continue;
                }
                for (q, dst) in dst[..quads].iter_mut().enumerate() {
                    let [dx, dy, root] = image.differences(pixel, [y, x], q);
                    let mut slope: Quad = std::array::from_fn(|c| -(dx[c] + dy[c]) / root[c]);
                    if x > 0 && image.counts(pixel - 1) {
                        let [dx, _, root] = image.differences(pixel - 1, [y, x - 1], q);
                        (0..4).for_each(|c| slope[c] += dx[c] / root[c]);
                    }
                    if y > 0 && image.counts(pixel - w) {
                        let [_, dy, root] = image.differences(pixel - w, [y - 1, x], q);
                        (0..4).for_each(|c| slope[c] += dy[c] / root[c]);
                    }
                    *dst = slope.map(|slope| slope * (up / weight));
                }
            }
        },
    );
}
