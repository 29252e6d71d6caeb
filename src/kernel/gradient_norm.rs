//! The norm of all gradients; `kernels/gradient_norm.wgsl`.

use super::params::params;
use super::reduce::{LANES, run};
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/gradient_norm.wgsl`.
    struct Uniform { n: u32, run: u32, dst_first: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "gradient_norm",
    source: include_str!("../../kernels/gradient_norm.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || (0..2).map(|root| Spec::new(&KERNEL, &[("ROOT", root)])).collect(),
    sizes: &[
        Size::batch(1, [1, 1], 1, 1),
        Size::batch(5, [1, 7], 2, 2),
        Size::batch(1, [41, 47], 3, 3),
        Size::batch(2, [55, 47], 5, 5),
        Size::batch(128, [30, 30], 4, 4),
    ],
    trial: try_out,
};

/// Records √Σ g² of all `len` f32 of `gradients`, a multiple of 4, into the scalar `dst`. Like PyTorch's it is
/// infinite where a square or the sum exceeds an f32.
pub fn record(rec: &mut Recorder, gradients: Buf, len: usize, dst: Tensor) {
    let n = len / 4;
    let (run, runs) = (run(n), n.div_ceil(run(n)));
    let partial = rec.scratch::<[f32; 4]>("partial squares", runs);
    let mut pass = |root: u32, [src, dst]: [Buf; 2], first: u32, [n, run]: [usize; 2]| {
        let params = Uniform { n: n as u32, run: run as u32, dst_first: first };
        let spec = Spec::new(&KERNEL, &[("ROOT", root)]);
        let cost = if root == 0 { Cost::each(n, 8, 16) } else { Cost::each(n, 1, 16) };
        rec.linear(spec, &params, &[src.into(), dst.into()], n.div_ceil(run) * LANES, cost);
    };
    pass(0, [gradients, partial], 0, [n, run]);
    pass(1, [partial, dst.buf], dst.first, [runs, runs]);
}

fn try_out(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let len = size.shape(size.channels[0]).floats();
    let values: Vec<f32> = (0..len).map(|_| rng.f32() * 2.0 - 1.0).collect();
    // What lies behind the last is not to be read.
    let gradients = rec.constant("gradients", &[&values[..], &[f32::NAN; 4096]].concat());
    let dst = trial::room(rec, "norm", Shape::SCALAR);
    record(rec, gradients, len, dst);
    let expected = oracle::gradient_norm(&oracle::wide(&values));
    vec![trial::expect(dst, &oracle::scalar(expected), 1e-6)]
}
