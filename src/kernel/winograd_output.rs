//! From Winograd's products back to images; `kernels/winograd_output.wgsl`.

use super::convolve::Finish;
use super::params::params;
use super::winograd_input::tiles;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};
use ndarray::Array3;

params! {
    /// `Params` of `kernels/winograd_output.wgsl`.
    struct Uniform {
        count: u32, quads: u32, h: u32, w: u32, tiles_h: u32, tiles_w: u32, src_first: u32, src_pitch: u32,
        shift_first: u32, scale_first: u32, statistics_first: u32, statistics_pitch: u32,
        dst_first: u32, dst_pitch: u32, slope: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "winograd_output",
    source: include_str!("../../kernels/winograd_output.wgsl"),
    bindings: &[uniform("p"), read("src"), read("weights"), read("statistics"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || (0..3).map(spec).collect(),
    sizes: trial::SIZES,
    trial,
};

/// The specialisation for a [`Finish`] of this number.
pub(super) fn spec(finish: u32) -> Spec {
    Spec::new(&KERNEL, &[("FINISH", finish)])
}

/// Records the images that the products `src` `[tiles, 16, 1, c]` are of, and what becomes of each sum. `weights` are those
/// of the convolution, in whose buffer a bias lies, or scale and shift.
pub fn record(rec: &mut Recorder, src: Tensor, (weights, finish): (Tensor, Finish), dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = src.shape.n * src.shape.quads();
    let (statistics, [scale, shift], slope) = finish.places();
    let params = Uniform {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        h: h as u32,
        w: w as u32,
        tiles_h: h.div_ceil(2) as u32,
        tiles_w: w.div_ceil(2) as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        shift_first: shift,
        scale_first: scale,
        statistics_first: statistics.map_or(0, |s| s.first),
        statistics_pitch: statistics.map_or(0, |s| s.pitch),
        dst_first: dst.first,
        dst_pitch: dst.pitch,
        slope,
    };
    let bytes = 4.0 * (src.shape.floats() + dst.shape.floats()) as f64;
    let cost = Cost { flops: (count * 4 * 24) as f64, bytes };
    let resources = [src, weights, statistics.unwrap_or(weights), dst].map(|t| t.buf.into());
    rec.linear(spec(finish.constant()), &params, &resources, count, cost);
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = size.shape(size.channels[0]);
    let values = trial::random(rng, tiles(shape));
    let products = oracle::winograd_output(&values, [shape.n, shape.h, shape.w]);
    let finish = trial::finish(rec, rng, spec.constant("FINISH"), &Array3::zeros((1, 1, shape.c)));
    let src = trial::upload(rec, "products", &values);
    let dst = trial::room(rec, "images", shape);
    record(rec, src, (finish.weights, finish.finish), dst);
    vec![trial::expect(dst, &finish.oracle(products), 1e-6)]
}
