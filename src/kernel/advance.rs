//! Which repetition it is; `kernels/advance.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/advance.wgsl`.
    struct Uniform { by: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "advance",
    source: include_str!("../../kernels/advance.wgsl"),
    bindings: &[uniform("p"), write("counter")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 1, 1), Size::new(1, 3, 5)],
    trial,
};

/// Records that `counter`, one u32, grows by `by`.
pub fn record(rec: &mut Recorder, counter: Buf, by: usize) {
    let params = Uniform { by: by as u32 };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[counter.into()], 1, Cost::each(1, 0, 8));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, _: &mut fastrand::Rng) -> Vec<Expect> {
    // Counted up to the bits of a normal f32, which tests can read.
    let bits = 1.5f32.to_bits() as usize;
    let counter = rec.output::<u32>("counter", 4);
    super::clear::record(rec, counter, 4);
    let by = size.pixels();
    record(rec, counter, bits - by);
    record(rec, counter, by);
    let counted = oracle::advance(oracle::advance(0, bits - by), by);
    vec![Expect::in_buffer(counter, vec![f32::from_bits(counted as u32).into(), 0.0, 0.0, 0.0], 0.0)]
}
