//! Erosion of the mask by the cross of five; `kernels/erode.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/erode.wgsl`.
    struct Uniform { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "erode",
    source: include_str!("../../kernels/erode.wgsl"),
    bindings: &[uniform("p"), read("mask"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    // Planes are the radius.
    sizes: &[Size::new(0, 3, 5), Size::new(3, 41, 47), Size::new(2, 3, 47), Size::new(7, 256, 256)],
    trial,
};

/// Records 1 where every pixel within `radius` steps is in the mask, f32 `[ny][nx]`, else 0.
pub fn record(rec: &mut Recorder, mask: Buf, [nx, ny]: [usize; 2], radius: usize) -> Buf {
    let dst = rec.scratch::<f32>("trust", nx * ny);
    let params = Uniform { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    rec.linear(
        Spec::new(&KERNEL, &[]),
        &params,
        &[mask.into(), dst.into()],
        nx * ny,
        Cost::each(nx * ny, 0, 8),
    );
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mask = oracle::blot(rng, size.ny, size.nx);
    let src = rec.constant("mask", &mask);
    let dst = record(rec, src, [size.nx, size.ny], size.planes);
    let expected = oracle::erode(&oracle::wide(&mask), [size.nx, size.ny], size.planes);
    vec![Expect::in_buffer(dst, expected.to_vec(), 0.0)]
}
