//! Winograd's algorithm for 3 × 3 convolutions: the transforms of images to tiles (`kernels/nn/winograd_input.wgsl`),
//! of weights (`kernels/nn/winograd_weights.wgsl`), and of products back to images (`kernels/nn/winograd_output.wgsl`).

pub(crate) mod four;
mod native;

use super::convolve::{Finish, FinishKind, Geometry};
use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct WinogradInputParams { src: Place, dst: Place, count: u32, quads: u32, h: u32, w: u32, tiles_h: u32, tiles_w: u32 }
}

/// The row of the table of kernels.
pub static WINOGRAD_INPUT: Kernel = Kernel {
    name: "winograd_input",
    source: include_str!("../../../kernels/nn/winograd_input.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: WinogradInputParams::LAYOUT,
    specs: || vec![Spec::new(&WINOGRAD_INPUT, &[])],
    native: Some(native::input),
};

/// The shape of the tiles of images `[n, h, w, c]`: `[tiles, 16, 1, c]`.
pub fn tiles(Shape { n, h, w, c }: Shape) -> Shape {
    Shape::new(n * h.div_ceil(2) * w.div_ceil(2), 16, 1, c)
}

/// Records the tiles of `src` into `dst`, of shape [`tiles`].
pub(crate) fn record_input(rec: &mut Recorder, src: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = src.shape;
    let count = dst.shape.n * dst.shape.quads();
    let params = WinogradInputParams {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        h: h as u32,
        w: w as u32,
        tiles_h: h.div_ceil(2) as u32,
        tiles_w: w.div_ceil(2) as u32,
        src: src.place(),
        dst: dst.place(),
    };
    let bytes = 4.0 * (src.shape.floats() + dst.shape.floats()) as f64;
    let cost = Cost { flops: (count * 4 * 32) as f64, bytes };
    rec.linear(Spec::new(&WINOGRAD_INPUT, &[]), &params, &[src.bound(), dst.bound()], count, cost);
}

params! {
    struct WinogradWeightsParams { count: u32, first: u32 }
}

/// The row of the table of kernels.
pub static WINOGRAD_WEIGHTS: Kernel = Kernel {
    name: "winograd_weights",
    source: include_str!("../../../kernels/nn/winograd_weights.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: WinogradWeightsParams::LAYOUT,
    specs: || vec![Spec::new(&WINOGRAD_WEIGHTS, &[])],
    native: Some(native::weights),
};

/// Records the weights of a 3 × 3 convolution, transformed for [`Geometry::Tiles`], in a new buffer.
pub(crate) fn record_weights(rec: &mut Recorder, src: Tensor) -> Tensor {
    let (ci, co) = (src.shape.w, src.shape.c);
    let dst = Tensor::scratch(rec, "Winograd's weights", Geometry::Tiles.weights(ci, co));
    let count = ci * src.shape.quads();
    let params = WinogradWeightsParams { count: count as u32, first: src.first };
    let bytes = 4.0 * (src.shape.floats() + dst.shape.floats()) as f64;
    let cost = Cost { flops: (count * 4 * 42) as f64, bytes };
    rec.linear(Spec::new(&WINOGRAD_WEIGHTS, &[]), &params, &[src.bound(), dst.bound()], count, cost);
    dst
}

params! {
    struct WinogradOutputParams { src: Place, statistics: Place, dst: Place, count: u32, quads: u32, h: u32, w: u32, tiles_h: u32, tiles_w: u32, shift_first: u32, scale_first: u32, slope: f32 }
}

/// The row of the table of kernels.
pub static WINOGRAD_OUTPUT: Kernel = Kernel {
    name: "winograd_output",
    source: include_str!("../../../kernels/nn/winograd_output.wgsl"),
    bindings: &[
        read("src", "vec4f"),
        read("weights", "vec4f"),
        read("statistics", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: WinogradOutputParams::LAYOUT,
    specs: || FinishKind::ALL.map(spec_output).into(),
    native: Some(native::output),
};

/// The specialisation for a kind of [`Finish`].
pub(crate) fn spec_output(finish: FinishKind) -> Spec {
    Spec::new(&WINOGRAD_OUTPUT, &[finish.constant()])
}

/// Records the images `dst` from the products `src` `[tiles, 16, 1, c]`, and applies `finish` to each sum. `weights`
/// are those of the convolution; their buffer also holds the bias, or scale and shift.
pub(crate) fn record_output(
    rec: &mut Recorder,
    src: Tensor,
    (weights, finish): (Tensor, Finish),
    dst: Tensor,
) {
    let Shape { h, w, .. } = dst.shape;
    let count = src.shape.n * src.shape.quads();
    let (statistics, [scale, shift], slope) = finish.places();
    let params = WinogradOutputParams {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        h: h as u32,
        w: w as u32,
        tiles_h: h.div_ceil(2) as u32,
        tiles_w: w.div_ceil(2) as u32,
        src: src.place(),
        shift_first: shift,
        scale_first: scale,
        statistics: statistics.map_or(Place::default(), Tensor::place),
        dst: dst.place(),
        slope,
    };
    let bytes = 4.0 * (src.shape.floats() + dst.shape.floats()) as f64;
    let cost = Cost { flops: (count * 4 * 24) as f64, bytes };
    // Without statistics the binding is never read.
    let statistics = statistics.map_or_else(|| weights.buf.first::<u8>(0), Tensor::bound);
    let resources = [src.bound(), finish.bound_with(weights), statistics, dst.bound()];
    rec.linear(spec_output(finish.kind()), &params, &resources, count, cost);
}
