//! Copies every quad of a buffer, to measure the memory's ceiling: `kernels/core/copy.wgsl`.

use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};

params! {
    struct CopyParams { count: u32 }
}

/// Threads take multiples of so many quads on the processor, so that they share no cache line.
const CHUNK: usize = 256;

/// The row of the table of kernels.
pub static COPY: Kernel = Kernel {
    name: "copy",
    source: include_str!("../../../kernels/core/copy.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: CopyParams::LAYOUT,
    specs: || vec![Spec::new(&COPY, &[])],
    native: Some(native),
};

/// Records a copy of the first `n` vec4f of `src` to `dst`, which must be another buffer.
pub fn record(rec: &mut Recorder, [src, dst]: [Buf; 2], n: usize) {
    let params = CopyParams { count: n as u32 };
    let resources = [src, dst].map(|buf| buf.first::<[f32; 4]>(n));
    rec.linear(Spec::new(&COPY, &[]), &params, &resources, n, Cost::each(n, 0, 32));
}

fn native(call: &mut Call) {
    let src = call.read::<Quad>(0);
    call.team().split(
        call.write(1),
        CHUNK,
        #[inline(always)]
        |first, dst| {
            let first = first * CHUNK;
            dst.copy_from_slice(&src[first..first + dst.len()]);
        },
    );
}
