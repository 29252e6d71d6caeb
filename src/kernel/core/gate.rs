//! A gate before the repeated part of a plan: `kernels/core/gate.wgsl`.

use crate::plan::{Buf, Call, Kernel, Params, Recorder, Spec, params, read, write};

params! {
    struct GateParams { count: u32 }
}

/// The row of the table of kernels.
pub static GATE: Kernel = Kernel {
    name: "gate",
    source: include_str!("../../../kernels/core/gate.wgsl"),
    bindings: &[
        read("counter", "u32"),
        read("limit", "i32"),
        read("groups", "u32"),
        write("arguments", "u32"),
    ],
    params: GateParams::LAYOUT,
    specs: || vec![Spec::new(&GATE, &[])],
    native: Some(native),
};

/// Records that a repetition does nothing unless `counter`, one u32, is below `limit`, one i32. The device decides it
/// before each repetition. Call it after [`Recorder::repeat_to_here`]. Returns the buffer of the numbers of workgroups,
/// u32 `[dispatches][3]`.
pub fn record(rec: &mut Recorder, counter: Buf, limit: Buf) -> Buf {
    let groups = rec.repeated_groups();
    let table = rec.constant("workgroups", &groups);
    let n = 3 * groups.len();
    let arguments = rec.output::<u32>("gated workgroups", n);
    let params = GateParams { count: n as u32 };
    let bound =
        [counter.first::<u32>(1), limit.first::<i32>(1), table.first::<u32>(n), arguments.first::<u32>(n)];
    rec.gate(Spec::new(&GATE, &[]), &params, &bound, n, arguments);
    arguments
}

fn native(call: &mut Call) {
    let (counter, limit, groups) = (call.read::<u32>(0), call.read::<i32>(1), call.read::<u32>(2));
    let open = counter[0].cast_signed() < limit[0];
    call.write::<u32>(3).iter_mut().zip(groups).for_each(|(dst, n)| *dst = if open { *n } else { 0 });
}
