//! The weights for the data gradient of a convolution: `kernels/nn/flip.wgsl`.

use super::convolve::Geometry;
use crate::plan::{Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct FlipParams { taps: u32, ci4: u32, co4: u32, src_first: u32, reverse: u32 }
}

/// The row of the table of kernels.
pub static FLIP: Kernel = Kernel {
    name: "flip",
    source: include_str!("../../../kernels/nn/flip.wgsl"),
    bindings: &[read("src", "f32"), write("dst", "vec4f")],
    params: FlipParams::LAYOUT,
    specs: || vec![Spec::new(&FLIP, &[])],
    native: None,
};

/// Records the weights `[taps][ci][co]` of a convolution of `geometry` as those of its data gradient, `[taps][co][ci]`.
pub(crate) fn record(rec: &mut Recorder, weights: Tensor, geometry: Geometry) -> Tensor {
    let Shape { n, w, c, .. } = weights.shape;
    let dst = Tensor::scratch(rec, "flipped weights", Shape::new(n, 1, c.next_multiple_of(4), w));
    let params = FlipParams {
        taps: n as u32,
        ci4: (w / 4) as u32,
        co4: weights.shape.quads() as u32,
        src_first: weights.first,
        reverse: u32::from(geometry == Geometry::Three),
    };
    let threads = dst.shape.floats() / 4;
    let resources = [weights.bound(), dst.bound()];
    rec.linear(Spec::new(&FLIP, &[]), &params, &resources, threads, Cost::each(threads, 0, 32));
    dst
}
