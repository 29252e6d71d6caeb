//! Fills buffers with zeros: `kernels/core/clear.wgsl`.

use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, write};

params! {
    struct ClearParams { count: u32 }
}

/// The row of the table of kernels.
pub static CLEAR: Kernel = Kernel {
    name: "clear",
    source: include_str!("../../../kernels/core/clear.wgsl"),
    bindings: &[write("dst", "u32")],
    params: ClearParams::LAYOUT,
    specs: || vec![Spec::new(&CLEAR, &[])],
    native: Some(native),
};

/// Records zeros into the first `n` words (4 bytes each) of `dst`, which may hold values of any type.
pub fn record(rec: &mut Recorder, dst: Buf, n: usize) {
    let params = ClearParams { count: n as u32 };
    rec.linear(Spec::new(&CLEAR, &[]), &params, &[dst.first::<u32>(n)], n, Cost::each(n, 0, 4));
}

fn native(call: &mut Call) {
    call.team().split(
        call.write::<u32>(0),
        1024,
        #[inline(always)]
        |_, dst| dst.fill(0),
    );
}
