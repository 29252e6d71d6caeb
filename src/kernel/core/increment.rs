//! A counter on the device, by which a plan counts its repetitions: `kernels/core/increment.wgsl`.

use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, write};

params! {
    struct IncrementParams { by: u32 }
}

/// The row of the table of kernels.
pub static INCREMENT: Kernel = Kernel {
    name: "increment",
    source: include_str!("../../../kernels/core/increment.wgsl"),
    bindings: &[write("counter", "u32")],
    params: IncrementParams::LAYOUT,
    specs: || vec![Spec::new(&INCREMENT, &[])],
    native: Some(native),
};

/// Records that `counter`, one u32, increases by `by`.
pub fn record(rec: &mut Recorder, counter: Buf, by: usize) {
    let params = IncrementParams { by: by as u32 };
    rec.linear(Spec::new(&INCREMENT, &[]), &params, &[counter.first::<u32>(1)], 1, Cost::each(1, 0, 8));
}

fn native(call: &mut Call) {
    let p: IncrementParams = call.params();
    let counter = &mut call.write::<u32>(0)[0];
    *counter = counter.wrapping_add(p.by);
}
