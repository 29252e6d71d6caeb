//! Weights as the data gradient of a convolution wants them; `kernels/flip.wgsl`.

use super::convolve::Geometry;
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/flip.wgsl`.
    struct Uniform { taps: u32, ci4: u32, co4: u32, src_first: u32, reverse: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "flip",
    source: include_str!("../../kernels/flip.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(1, [1, 1], 2, 5),
        Size::batch(1, [1, 1], 13, 47),
        Size::batch(1, [1, 1], 64, 128),
    ],
    trial,
};

/// Records the weights `[taps][ci][co]` of a convolution of `geometry` as its gradient's, `[taps][co][ci]`.
pub fn record(rec: &mut Recorder, weights: Tensor, geometry: Geometry) -> Tensor {
    let Shape { n, w, c, .. } = weights.shape;
    let dst = Tensor::scratch(rec, "flipped weights", Shape::new(n, 1, c.next_multiple_of(4), w));
    let params = Uniform {
        taps: n as u32,
        ci4: (w / 4) as u32,
        co4: weights.shape.quads() as u32,
        src_first: weights.first,
        reverse: u32::from(geometry == Geometry::Three),
    };
    let threads = dst.shape.floats() / 4;
    let resources = [weights.buf.into(), dst.buf.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, threads, Cost::each(threads, 0, 32));
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let trials = [Geometry::Three, Geometry::Up].map(|geometry| {
        let weights = trial::weights(rng, geometry, size.channels);
        let src = trial::upload_filter(rec, &weights, &[vec![], vec![]]).weights;
        let dst = record(rec, src, geometry);
        trial::expect_weights(dst, &oracle::flip(&weights, geometry == Geometry::Three), 0.0)
    });
    trials.into()
}
