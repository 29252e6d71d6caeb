//! The arithmetic ceiling: nothing but multiply-adds; `kernels/fma.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/fma.wgsl`.
    struct Uniform { n: u32, steps: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "fma",
    source: include_str!("../../kernels/fma.wgsl"),
    bindings: &[uniform("p"), read("factors"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 1, 1), Size::new(7, 5, 41), Size::new(2000, 64, 64)],
    trial,
};

/// Records `threads` threads of `steps` times twelve vec4f multiply-adds s a + b each: vec4f `[threads]`.
pub fn record(rec: &mut Recorder, [a, b]: [f32; 2], threads: usize, steps: usize) -> Buf {
    let factors = rec.constant("factors", &[[a; 4], [b; 4]]);
    let dst = rec.scratch::<[f32; 4]>("chains", threads);
    let params = Uniform { n: threads as u32, steps: steps as u32 };
    let cost = Cost { flops: (threads * steps) as f64 * 96.0, bytes: 16.0 * threads as f64 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[factors.into(), dst.into()], threads, cost);
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let factors = [0.5 + 0.4 * rng.f32(), rng.f32()];
    let dst = record(rec, factors, size.pixels(), size.planes);
    let expected = oracle::fma(factors.map(f64::from), size.planes);
    vec![Expect::in_buffer(dst, vec![expected; 4 * size.pixels()], 1e-6)]
}
