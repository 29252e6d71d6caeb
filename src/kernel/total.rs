//! Deterministic sums over an array, in two passes; `kernels/total.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/total.wgsl`.
    struct Uniform { n: u32, run: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "total",
    source: include_str!("../../kernels/total.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 1, 1), Size::new(1, 5, 13), Size::new(1, 47, 113), Size::new(1, 256, 256)],
    trial,
};

/// Values of one run, and so partial sums left for the second pass.
const RUN: usize = 1024;
/// Threads of a workgroup, which shares one run.
const LANES: usize = 64;

/// Records the sum of all of `src`, vec4f `[n]`: result vec4f `[1]`.
pub fn record(rec: &mut Recorder, src: Buf, n: usize) -> Buf {
    let mut pass = |src: Buf, n: usize, run: usize| {
        let runs = n.div_ceil(run);
        let dst = rec.scratch::<[f32; 4]>("total", runs);
        let params = Uniform { n: n as u32, run: run as u32 };
        let cost = Cost::each(n, 4, 16);
        rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.into(), dst.into()], runs * LANES, cost);
        dst
    };
    let partial = pass(src, n, RUN);
    let runs = n.div_ceil(RUN);
    pass(partial, runs, runs)
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let values: Vec<[f32; 4]> = (0..size.pixels()).map(|_| std::array::from_fn(|_| rng.f32())).collect();
    let src = rec.constant("values", &values);
    let dst = record(rec, src, values.len());
    let expected = oracle::total(&oracle::wide4(&values));
    vec![Expect::in_buffer(dst, expected.to_vec(), 1e-6)]
}
