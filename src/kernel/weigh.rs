//! What is averaged over the box, with and without trust; `kernels/weigh.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/weigh.wgsl`.
    struct Uniform { n: u32, first: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "weigh",
    source: include_str!("../../kernels/weigh.wgsl"),
    bindings: &[uniform("p"), read("products"), read("residual"), read("trust"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(3, 1, 3), Size::new(3, 41, 47), Size::new(3, 256, 256)],
    trial,
};

/// Planes written for each model.
pub const PLANES: usize = 3;

/// Records the three planes of one model into `dst`, vec4f `[planes][n]`, from plane `first`.
/// products vec4f `[n]` is that of [`super::fit`]; residual and trust are f32 `[n]`.
pub fn record(rec: &mut Recorder, [products, residual, trust]: [Buf; 3], dst: Buf, first: usize, n: usize) {
    let params = Uniform { n: n as u32, first: first as u32 };
    let resources = [products.into(), residual.into(), trust.into(), dst.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, n, Cost::each(n, 5, 72));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let products: Vec<[f32; 4]> = (0..n).map(|_| std::array::from_fn(|_| rng.f32())).collect();
    let residual: Vec<f32> = (0..n).map(|_| rng.f32()).collect();
    let trust = oracle::blot(rng, size.ny, size.nx);
    let from = [
        rec.constant("products", &products),
        rec.constant("residual", &residual),
        rec.constant("trust", &trust),
    ];
    // Written from plane 2 of 5: the others must stay as they were, which is NaN.
    let dst = rec.output::<[f32; 4]>("planes", 5 * n);
    record(rec, from, dst, 2, n);
    let planes = oracle::weigh(&oracle::wide4(&products), &oracle::wide(&residual), &oracle::wide(&trust));
    let expected = [vec![f64::NAN; 8 * n], oracle::flat_real(&planes)].concat();
    vec![Expect::in_buffer(dst, expected, 1e-7)]
}
