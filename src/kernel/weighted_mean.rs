//! A mean from partial sums, the second pass of the losses; `kernels/weighted_mean.wgsl`.

use super::params::params;
use super::reduce::LANES;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/weighted_mean.wgsl`.
    struct Uniform { n: u32, value_first: u32, weight_first: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "weighted_mean",
    source: include_str!("../../kernels/weighted_mean.wgsl"),
    bindings: &[uniform("p"), read("src"), write("value"), write("weight")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    // No images at all: the weight is 0.
    sizes: &[
        Size::batch(0, [1, 1], 1, 1),
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [1, 13], 1, 1),
        Size::batch(1, [41, 47], 1, 1),
    ],
    trial: try_out,
};

/// Records Σ a / Σ b into the scalar `value`, 0 where Σ b is 0, and Σ b into the scalar `weight`, another
/// buffer. `src` is vec4f `[n]`: a, b, 0, 0.
pub fn record(rec: &mut Recorder, src: Buf, n: usize, value: Tensor, weight: Tensor) {
    let params = Uniform { n: n as u32, value_first: value.first, weight_first: weight.first };
    let resources = [src.into(), value.buf.into(), weight.buf.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, LANES, Cost::each(n, 2, 16));
}

fn try_out(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.planes * size.pixels();
    let values: Vec<[f32; 4]> = (0..n).map(|_| [rng.f32(), rng.f32() + 0.1, 0.0, 0.0]).collect();
    let src = rec.constant("partial sums", &values);
    let dst = ["value", "weight"].map(|label| trial::room(rec, label, Shape::SCALAR));
    record(rec, src, n, dst[0], dst[1]);
    let expected = oracle::weighted_mean(&oracle::wide4(&values));
    dst.iter().zip(expected).map(|(&d, e)| trial::expect(d, &oracle::scalar(e), 1e-6)).collect()
}
