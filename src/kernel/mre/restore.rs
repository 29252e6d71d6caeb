//! Restores the known field inside the mask: `kernels/mre/restore.wgsl`.

use crate::kernel::lines::lines;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use num_complex::Complex32;

params! {
    struct RestoreParams { count: u32, pixels: u32 }
}

/// The row of the table of kernels.
pub static RESTORE: Kernel = Kernel {
    name: "restore",
    source: include_str!("../../../kernels/mre/restore.wgsl"),
    bindings: &[
        read("field", "vec2f"),
        read("mask", "f32"),
        read("continued", "vec2f"),
        write("dst", "vec2f"),
    ],
    params: RestoreParams::LAYOUT,
    specs: || vec![Spec::new(&RESTORE, &[])],
    native: Some(native),
};

/// Records `field` inside the mask and `continued` outside it, all vec2f `[fields][pixels]`; mask f32 `[pixels]`.
pub fn record(rec: &mut Recorder, [field, mask, continued]: [Buf; 3], [fields, pixels]: [usize; 2]) -> Buf {
    let n = fields * pixels;
    let dst = rec.scratch::<Complex32>("continued field", n);
    let resources = [
        field.first::<Complex32>(n),
        mask.first::<f32>(pixels),
        continued.first::<Complex32>(n),
        dst.first::<Complex32>(n),
    ];
    rec.linear(
        Spec::new(&RESTORE, &[]),
        &RestoreParams { count: n as u32, pixels: pixels as u32 },
        &resources,
        n,
        Cost::each(n, 0, 28),
    );
    dst
}

fn native(call: &mut Call) {
    let p: RestoreParams = call.params();
    let (field, mask, continued): (&[[f32; 2]], &[f32], &[[f32; 2]]) =
        (call.read(0), call.read(1), call.read(2));
    call.team().split(
        call.write(3),
        1,
        #[inline(always)]
        |first, part: &mut [[f32; 2]]| {
            for (line, at, dst) in lines(part, first, p.pixels as usize) {
                let start = line * p.pixels as usize + at;
                let [field, continued] = [field, continued].map(|values| &values[start..][..dst.len()]);
                let values = field.iter().zip(continued).zip(&mask[at..]);
                for (dst, ((field, continued), mask)) in dst.iter_mut().zip(values) {
                    *dst = if *mask > 0.0 { *field } else { *continued };
                }
            }
        },
    );
}
