//! Mean removal where the zero level is lost, and unit power; `kernels/normalise.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Plane, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use num_complex::Complex32;

params! {
    /// `Params` of `kernels/normalise.wgsl`.
    struct Uniform { n: u32, lost: f32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "normalise",
    source: include_str!("../../kernels/normalise.wgsl"),
    bindings: &[uniform("p"), read("harmonic"), read("mask"), read("total"), write("field"), write("maps")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    // One plane: the zero level is known; two: it is lost.
    sizes: &[Size::new(1, 7, 5), Size::new(2, 41, 47), Size::new(2, 256, 256)],
    trial,
};

/// Records the field of unit power under the mask, vec2f `[n]`, and writes wave and amplitude into
/// `maps`. `total` is that of [`super::moments`]; `lost` says whether the mean is taken off.
pub fn record(rec: &mut Recorder, from: [Buf; 3], maps: Buf, lost: bool, n: usize) -> Buf {
    let [harmonic, mask, total] = from;
    let field = rec.scratch::<Complex32>("field", n);
    let params = Uniform { n: n as u32, lost: f32::from(lost) };
    let resources = [harmonic.into(), mask.into(), total.into(), field.into(), maps.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, n, Cost::each(n, 15, 36));
    field
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let (n, lost) = (size.pixels(), size.planes == 2);
    let wave = oracle::waves(rng, n);
    // A mean of several deviations, as files rescaled to 0..4095 have.
    let wave: Vec<_> = wave.iter().map(|u| u + Complex32::new(3.0, -2.0)).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let (wide, inside) = (oracle::wide_complex(&wave), oracle::wide(&mask));
    let sums = oracle::total(&oracle::moments(&wide, &inside));
    let narrow: [f32; 4] = std::array::from_fn(|i| sums[i] as f32);
    let from = [rec.constant("wave", &wave), rec.constant("mask", &mask), rec.constant("total", &[narrow])];
    let maps = rec.output::<f32>("maps", Plane::ALL.len() * n);
    let field = record(rec, from, maps, lost, n);
    let (expected, planes) = oracle::normalise(&wide, &inside, lost);
    vec![Expect::in_buffer(field, oracle::flat(&expected), 2e-6), Expect::in_buffer(maps, planes, 2e-6)]
}
