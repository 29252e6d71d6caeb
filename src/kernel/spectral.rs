//! Real spectral weights on a spectrum; `kernels/spectral.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use num_complex::Complex32;

params! {
    /// `Params` of `kernels/spectral.wgsl`.
    struct Uniform { n: u32, planes: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "spectral",
    source: include_str!("../../kernels/spectral.wgsl"),
    bindings: &[uniform("p"), read("src"), read("weights"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 1, 3), Size::new(3, 41, 47), Size::new(4, 256, 256)],
    trial,
};

/// Records `dst[b] = src weights[b]`: src vec2f `[n]`, weights f32 `[planes][n]`, result vec2f `[planes][n]`.
pub fn record(rec: &mut Recorder, src: Buf, weights: Buf, planes: usize, n: usize) -> Buf {
    let dst = rec.scratch::<Complex32>("filtered spectra", planes * n);
    let params = Uniform { n: n as u32, planes: planes as u32 };
    let cost = Cost { flops: (2 * planes * n) as f64, bytes: ((8 + 12 * planes) * n) as f64 };
    let resources = [src.into(), weights.into(), dst.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, planes * n, cost);
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let spectrum = oracle::waves(rng, n);
    let weights: Vec<f32> = (0..size.planes * n).map(|_| rng.f32()).collect();
    let (src, w) = (rec.constant("spectrum", &spectrum), rec.constant("weights", &weights));
    let dst = record(rec, src, w, size.planes, n);
    let expected = oracle::spectral(&oracle::wide_complex(&spectrum), &oracle::wide(&weights));
    vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-7)]
}
