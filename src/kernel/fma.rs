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
    specs: || vec![spec(false), spec(true)],
    sizes: &[Size::new(1, 1, 1), Size::new(7, 5, 41), Size::new(2000, 64, 64)],
    trial,
};

/// In f32, or in `half` precision.
pub fn spec(half: bool) -> Spec {
    let features = if half { wgpu::Features::SHADER_F16 } else { wgpu::Features::empty() };
    Spec { features, ..Spec::new(&KERNEL, &[("HALF", half.into())]) }
}

/// Records `threads` threads of `steps` times twelve multiply-adds s a + b of four numbers each, in f32 or in `half`
/// precision: vec4f `[threads]`.
pub fn record(rec: &mut Recorder, half: bool, [a, b]: [f32; 2], threads: usize, steps: usize) -> Buf {
    let factors = rec.constant("factors", &[[a; 4], [b; 4]]);
    let dst = rec.scratch::<[f32; 4]>("chains", threads);
    let params = Uniform { n: threads as u32, steps: steps as u32 };
    let cost = Cost { flops: (threads * steps) as f64 * 96.0, bytes: 16.0 * threads as f64 };
    rec.linear(spec(half), &params, &[factors.into(), dst.into()], threads, cost);
    dst
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let factors = [0.5 + 0.4 * rng.f32(), rng.f32()];
    let half = *spec == self::spec(true);
    let dst = record(rec, half, factors, size.pixels(), size.planes);
    let expected = oracle::fma(factors.map(f64::from), size.planes);
    // The chains forget their rounding at the rate of the factor, which is .9 at the most.
    let tolerance = if half { 1e-2 } else { 1e-6 };
    vec![Expect::in_buffer(dst, vec![expected; 4 * size.pixels()], tolerance)]
}
