//! Putting back what is known inside the mask; `kernels/restore.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use num_complex::Complex32;

params! {
    /// `Params` of `kernels/restore.wgsl`.
    struct Uniform { n: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "restore",
    source: include_str!("../../kernels/restore.wgsl"),
    bindings: &[uniform("p"), read("field"), read("mask"), read("continued"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 1, 3), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// Records `field` inside the mask and `continued` outside it, all vec2f `[n]`; mask f32 `[n]`.
pub fn record(rec: &mut Recorder, field: Buf, mask: Buf, continued: Buf, n: usize) -> Buf {
    let dst = rec.scratch::<Complex32>("continued field", n);
    let resources = [field.into(), mask.into(), continued.into(), dst.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &Uniform { n: n as u32 }, &resources, n, Cost::each(n, 0, 28));
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let (field, continued) = (oracle::waves(rng, n), oracle::waves(rng, n));
    let mask = oracle::blot(rng, size.ny, size.nx);
    let buffers = [rec.constant("field", &field), rec.constant("mask", &mask)];
    let src = rec.constant("continued", &continued);
    let dst = record(rec, buffers[0], buffers[1], src, n);
    let [field, continued] = [&field, &continued].map(|a| oracle::wide_complex(a));
    let expected = oracle::restore(&field, &oracle::wide(&mask), &continued);
    vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-7)]
}
