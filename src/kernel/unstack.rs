//! Planes of an image under a mask; `kernels/unstack.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/unstack.wgsl`.
    struct Uniform { n: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "unstack",
    source: include_str!("../../kernels/unstack.wgsl"),
    bindings: &[uniform("p"), read("src"), read("mask"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// Planes that are written.
pub const PLANES: usize = 3;

/// Records x, y and w of `src`, vec4f `[n]`, as planes f32 `[3][n]` into `dst`; z tells what is inside, beside the mask
/// f32 `[n]`.
pub fn record(rec: &mut Recorder, [src, mask, dst]: [Buf; 3], n: usize) {
    let params = Uniform { n: n as u32 };
    let resources = [src.into(), mask.into(), dst.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, n, Cost::each(n, 0, 32));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let src: Vec<[f32; 4]> = (0..n)
        .map(|_| {
            let inside = f32::from(u8::from(rng.u8(..9) > 0));
            [rng.f32(), -rng.f32(), inside, 1.0 + rng.f32()]
        })
        .collect();
    let [a, b] = [rec.constant("image", &src), rec.constant("mask", &mask)];
    let dst = rec.output::<f32>("planes", PLANES * n);
    record(rec, [a, b, dst], n);
    let expected = oracle::unstack(&oracle::wide4(&src), &oracle::wide(&mask));
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 0.0)]
}
