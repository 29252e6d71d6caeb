//! The memory's ceiling: every quad of a buffer once, read and written; `kernels/copy.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use ndarray::Array1;

params! {
    /// `Params` of `kernels/copy.wgsl`.
    struct Uniform { n: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "copy",
    source: include_str!("../../kernels/copy.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 1, 1), Size::new(1, 41, 47), Size::new(1, 1024, 1024)],
    trial,
};

/// Records a copy of the first `n` vec4f of `src` to `dst`, another buffer.
pub fn record(rec: &mut Recorder, [src, dst]: [Buf; 2], n: usize) {
    let params = Uniform { n: n as u32 };
    let resources = [src.into(), dst.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, n, Cost::each(n, 0, 32));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let values = Array1::from_shape_simple_fn(4 * size.pixels(), || f64::from(rng.f32()));
    let src = rec.constant("source", &values.mapv(|v| v as f32).to_vec());
    let dst = rec.output::<[f32; 4]>("copy", size.pixels());
    record(rec, [src, dst], size.pixels());
    vec![Expect::in_buffer(dst, oracle::copy(&values).to_vec(), 0.0)]
}
