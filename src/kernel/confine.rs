//! A wave confined to a mask; `kernels/confine.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/confine.wgsl`.
    struct Uniform { n: u32, sign: f32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "confine",
    source: include_str!("../../kernels/confine.wgsl"),
    bindings: &[uniform("p"), read("wave"), read("mask"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// Records (re, im, inside, 0) as vec4f `[n]` of a wave vec2f `[n]`, conjugated on demand, and a mask f32 `[n]`.
pub fn record(rec: &mut Recorder, [wave, mask]: [Buf; 2], conjugated: bool, n: usize) -> Buf {
    let dst = rec.scratch::<[f32; 4]>("field", n);
    let params = Uniform { n: n as u32, sign: if conjugated { -1.0 } else { 1.0 } };
    let resources = [wave.into(), mask.into(), dst.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, n, Cost::each(n, 1, 28));
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let mut wave = oracle::waves(rng, n);
    // What lies outside may be anything.
    wave.iter_mut().zip(&mask).filter(|(_, m)| **m == 0.0).for_each(|(u, _)| u.re = f32::NAN);
    let buffers = [rec.constant("wave", &wave), rec.constant("mask", &mask)];
    let conjugated = size.nx % 2 == 1;
    let dst = record(rec, buffers, conjugated, n);
    let expected = oracle::confine(&oracle::wide_complex(&wave), &oracle::wide(&mask), conjugated);
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 0.0)]
}
