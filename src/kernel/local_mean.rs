//! The local mean of ln μ under the mask; `kernels/local_mean.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/local_mean.wgsl`.
    struct Uniform { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "local_mean",
    source: include_str!("../../kernels/local_mean.wgsl"),
    bindings: &[uniform("p"), read("trace"), read("mask"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// Records the mean of the trace's first value over the box of `2 radius + 1` pixels under the mask:
/// trace vec4f, mask and result f32, all `[ny][nx]`.
pub fn record(rec: &mut Recorder, trace: Buf, mask: Buf, [nx, ny]: [usize; 2], radius: usize) -> Buf {
    let n = nx * ny;
    let dst = rec.scratch::<f32>("local mean", n);
    let params = Uniform { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    let cost = Cost::each(n, 2 * (2 * radius + 1).pow(2), 24);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[trace.into(), mask.into(), dst.into()], n, cost);
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let trace: Vec<[f32; 4]> = (0..size.pixels()).map(|_| [rng.f32() - 0.3, f32::NAN, 0.0, 0.0]).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let (src, inside) = (rec.constant("trace", &trace), rec.constant("mask", &mask));
    let dst = record(rec, src, inside, [size.nx, size.ny], 4);
    let log = oracle::wide4(&trace).column(0).to_owned();
    let expected = oracle::local_mean(&log, &oracle::wide(&mask), [size.nx, size.ny], 4);
    vec![Expect::in_buffer(dst, expected.to_vec(), 1e-6)]
}
