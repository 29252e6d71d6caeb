//! Zeros; `kernels/clear.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/clear.wgsl`.
    struct Uniform { n: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "clear",
    source: include_str!("../../kernels/clear.wgsl"),
    bindings: &[uniform("p"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 1, 1), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// Records zeros into the first `n` words of `dst`, whatever they are read as.
pub fn record(rec: &mut Recorder, dst: Buf, n: usize) {
    let params = Uniform { n: n as u32 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[dst.into()], n, Cost::each(n, 0, 4));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, _: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let dst = rec.output::<f32>("zeros", n);
    record(rec, dst, n);
    vec![Expect::in_buffer(dst, oracle::clear(n).to_vec(), 0.0)]
}
