//! The calibrated confidence; `kernels/confidence.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Plane, Size, Spec, local_mean, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/confidence.wgsl`.
    struct Uniform { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "confidence",
    source: include_str!("../../kernels/confidence.wgsl"),
    bindings: &[uniform("p"), read("trace"), read("mean"), read("mask"), write("maps")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// Records the confidence into its plane of `maps`, from the trace of [`super::combine`], vec4f
/// `[ny][nx]`, over the box of `2 radius + 1` pixels.
pub fn record(rec: &mut Recorder, trace: Buf, mask: Buf, maps: Buf, [nx, ny]: [usize; 2], radius: usize) {
    let mean = local_mean::record(rec, trace, mask, [nx, ny], radius);
    let params = Uniform { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    let cost = Cost::each(nx * ny, 4 * (2 * radius + 1).pow(2) + 15, 28);
    let resources = [trace.into(), mean.into(), mask.into(), maps.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, nx * ny, cost);
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    // Now and then nothing: no trusted pixel, no wave.
    let some = |rng: &mut fastrand::Rng| if rng.u8(..) < 20 { 0.0 } else { rng.f32() };
    let trace: Vec<[f32; 4]> =
        (0..n).map(|_| [0.2 * rng.f32() + 1.0, 1.2 * rng.f32(), some(rng), 1.1 * some(rng)]).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let (src, inside) = (rec.constant("trace", &trace), rec.constant("mask", &mask));
    let maps = rec.output::<f32>("maps", Plane::ALL.len() * n);
    record(rec, src, inside, maps, [size.nx, size.ny], 4);
    let values = oracle::confidence(&oracle::wide4(&trace), &oracle::wide(&mask), [size.nx, size.ny], 4);
    let mut expected = vec![f64::NAN; Plane::ALL.len() * n];
    expected[Plane::Confidence as usize * n..][..n].copy_from_slice(&values.to_vec());
    vec![Expect::in_buffer(maps, expected, 1e-5)]
}
