//! Gradient of the total variation; `kernels/total_variation_grad.wgsl`.

use super::mse::{SIZES, made_up, outside, spec, specs};
use super::params::params;
use super::total_variation::EPSILON;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/total_variation_grad.wgsl`.
    struct Uniform {
        n: u32, quads: u32, h: u32, w: u32,
        src_first: u32, src_pitch: u32,
        weights_first: u32, weights_pitch: u32,
        weight_first: u32, up_first: u32,
        dst_first: u32, dst_pitch: u32,
        epsilon: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "total_variation_grad",
    source: include_str!("../../kernels/total_variation_grad.wgsl"),
    bindings: &[uniform("p"), read("src"), read("weights"), read("weight"), read("up"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || specs(&KERNEL),
    sizes: &SIZES,
    trial: try_out,
};

/// Records the gradient of [`super::total_variation`]'s image into `dst`. `weight` is the scalar number of
/// values that [`super::total_variation::record`] left, `up` the scalar gradient of the loss.
pub fn record(
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
    let params = Uniform {
        n: n as u32,
        quads: quads as u32,
        h: src.shape.h as u32,
        w: src.shape.w as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        weights_first: w.first,
        weights_pitch: w.pitch,
        weight_first: weight.first,
        up_first: up.first,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
        epsilon,
    };
    let resources = [src, w, weight, up, dst].map(|t| t.buf.into());
    rec.linear(spec(&KERNEL, weights), &params, &resources, n, Cost::each(n, 4 * 27, 36));
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = trial::random(rng, shape);
    let (weights, w) = made_up(rec, spec, size, rng);
    let src = trial::upload(rec, "image", &outside(&values, w.as_ref()));
    // The weight is an input of its own here, whatever its value.
    let (weight, up) = (7.0, -1.5);
    let [weight_, up_] =
        [("weight", weight), ("up", up)].map(|(label, v)| trial::upload(rec, label, &oracle::scalar(v)));
    let dst = trial::room(rec, "gradient", shape);
    record(rec, src, weights, EPSILON, weight_, up_, dst);
    let expected = oracle::total_variation_grad(&values, w.as_ref(), f64::from(EPSILON), weight, up);
    vec![trial::expect(dst, &expected, 1e-6)]
}
