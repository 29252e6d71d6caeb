//! Isotropic total variation; `kernels/total_variation.wgsl`.

use super::mse::{SIZES, made_up, outside, spec, specs};
use super::params::params;
use super::reduce::{LANES, run};
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, weighted_mean, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/total_variation.wgsl`.
    struct Uniform {
        n: u32, quads: u32, c: u32, h: u32, w: u32, run: u32,
        src_first: u32, src_pitch: u32,
        weights_first: u32, weights_pitch: u32,
        epsilon: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "total_variation",
    source: include_str!("../../kernels/total_variation.wgsl"),
    bindings: &[uniform("p"), read("src"), read("weights"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || specs(&KERNEL),
    sizes: &SIZES,
    trial: try_out,
};

/// What keeps the root differentiable where the image is flat.
pub const EPSILON: f32 = 1e-8;

/// Records the mean over pixels and channels of √(dx² + dy² + ε) into the scalar `dst`, with forward
/// differences dx, 0 in the last column, and dy, 0 in the last row; and into the scalar `weight`, another
/// buffer, the number of values averaged, which [`super::total_variation_grad`] reads. With `weights`,
/// `[n, h, w, 1]`, only pixels of a weight above 0 count, and differences between two such; where there are
/// none, the result is 0.
pub fn record(
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
    let params = Uniform {
        n: n as u32,
        quads: quads as u32,
        c: src.shape.c as u32,
        h: src.shape.h as u32,
        w: src.shape.w as u32,
        run: run as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        weights_first: w.first,
        weights_pitch: w.pitch,
        epsilon,
    };
    let partial = rec.scratch::<[f32; 4]>("partial variations", runs);
    let resources = [src.buf.into(), w.buf.into(), partial.into()];
    let cost = Cost::each(n, 4 * 8, 20);
    rec.linear(spec(&KERNEL, weights), &params, &resources, runs * LANES, cost);
    weighted_mean::record(rec, partial, runs, dst, weight);
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = trial::random(rng, shape);
    let (weights, w) = made_up(rec, spec, size, rng);
    let src = trial::upload(rec, "image", &outside(&values, w.as_ref()));
    let [dst, weight] = ["variation", "weight"].map(|label| trial::room(rec, label, Shape::SCALAR));
    record(rec, src, weights, EPSILON, dst, weight);
    let (expected, count) = oracle::total_variation(&values, w.as_ref(), f64::from(EPSILON));
    vec![
        trial::expect(dst, &oracle::scalar(expected), 1e-6),
        trial::expect(weight, &oracle::scalar(count), 1e-6),
    ]
}
