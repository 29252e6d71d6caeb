//! Weights as Winograd's products want them; `kernels/winograd_weights.wgsl`.

use super::convolve::Geometry;
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/winograd_weights.wgsl`.
    struct Uniform { count: u32, first: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "winograd_weights",
    source: include_str!("../../kernels/winograd_weights.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(1, [1, 1], 5, 37),
        Size::batch(1, [1, 1], 18, 3),
        Size::batch(1, [1, 1], 64, 64),
    ],
    trial,
};

/// Records the weights of a 3 × 3 convolution for [`Geometry::Tiles`], in a buffer of their own.
pub fn record(rec: &mut Recorder, src: Tensor) -> Tensor {
    let (ci, co) = (src.shape.w, src.shape.c);
    let dst = Tensor::scratch(rec, "Winograd's weights", Geometry::Tiles.weights(ci, co));
    let count = ci * src.shape.quads();
    let params = Uniform { count: count as u32, first: src.first };
    let bytes = 4.0 * (src.shape.floats() + dst.shape.floats()) as f64;
    let cost = Cost { flops: (count * 4 * 42) as f64, bytes };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.buf.into(), dst.buf.into()], count, cost);
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let [ci, co] = size.channels;
    let values = trial::weights(rng, Geometry::Three, [ci, co]);
    let src = trial::upload_filter(rec, &values, &[vec![], vec![]]).weights;
    let dst = record(rec, src);
    vec![trial::expect_weights(dst, &oracle::winograd_weights(&values), 1e-6)]
}
