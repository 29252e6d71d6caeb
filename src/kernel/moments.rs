//! Moments of the field under the mask; `kernels/moments.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/moments.wgsl`.
    struct Uniform { n: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "moments",
    source: include_str!("../../kernels/moments.wgsl"),
    bindings: &[uniform("p"), read("field"), read("mask"), write("moments_")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[
        Size::new(1, 1, 3),
        Size::new(1, 41, 47),
        // Beyond 65 535 workgroups, where the dispatch folds to two axes.
        Size::new(1, 2051, 2053),
        Size::new(1, 256, 256),
    ],
    trial,
};

/// Records `mask (Re u, Im u, |u|², 1)`: field vec2f `[n]`, mask f32 `[n]`, result vec4f `[n]`.
pub fn record(rec: &mut Recorder, field: Buf, mask: Buf, n: usize) -> Buf {
    let dst = rec.scratch::<[f32; 4]>("moments", n);
    let resources = [field.into(), mask.into(), dst.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &Uniform { n: n as u32 }, &resources, n, Cost::each(n, 3, 28));
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let (field, mask) = (oracle::waves(rng, n), oracle::blot(rng, size.ny, size.nx));
    let (src, inside) = (rec.constant("field", &field), rec.constant("mask", &mask));
    let dst = record(rec, src, inside, n);
    let expected = oracle::moments(&oracle::wide_complex(&field), &oracle::wide(&mask));
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-7)]
}
