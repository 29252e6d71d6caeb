//! Multiplication of a spectrum by real weights: `kernels/signal/spectral.wgsl`.

use crate::kernel::lines::lines;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use num_complex::Complex32;

params! {
    struct SpectralParams { n: u32, planes: u32, fields: u32 }
}

/// The row of the table of kernels.
pub static SPECTRAL: Kernel = Kernel {
    name: "spectral",
    source: include_str!("../../../kernels/signal/spectral.wgsl"),
    bindings: &[read("src", "vec2f"), read("weights", "f32"), write("dst", "vec2f")],
    params: SpectralParams::LAYOUT,
    specs: || vec![Spec::new(&SPECTRAL, &[])],
    native: Some(native),
};

/// Records `dst[f][b] = src[f] weights[b]`: src vec2f `[fields][n]`, weights f32 `[planes][n]`, result vec2f
/// `[fields][planes][n]`.
pub fn record(rec: &mut Recorder, src: Buf, weights: Buf, [fields, planes]: [usize; 2], n: usize) -> Buf {
    let all = fields * planes * n;
    let dst = rec.scratch::<Complex32>("filtered spectra", all);
    let params = SpectralParams { n: n as u32, planes: planes as u32, fields: fields as u32 };
    let cost = Cost { flops: (2 * all) as f64, bytes: ((8 * fields + (4 + 8 * fields) * planes) * n) as f64 };
    let resources =
        [src.first::<Complex32>(fields * n), weights.first::<f32>(planes * n), dst.first::<Complex32>(all)];
    rec.linear(Spec::new(&SPECTRAL, &[]), &params, &resources, all, cost);
    dst
}

fn native(call: &mut Call) {
    let p: SpectralParams = call.params();
    let [n, planes] = [p.n, p.planes].map(|n| n as usize);
    let (src, weights): (&[[f32; 2]], &[f32]) = (call.read(0), call.read(1));
    let dst: &mut [[f32; 2]] = call.write(2);
    call.team().split(
        dst,
        1,
        #[inline(always)]
        |first, part| {
            for (line, at, dst) in lines(part, first, n) {
                let src = &src[line / planes * n + at..][..dst.len()];
                let weights = &weights[line % planes * n + at..][..dst.len()];
                let values = src.iter().zip(weights);
                dst.iter_mut().zip(values).for_each(|(dst, (u, w))| *dst = [u[0] * w, u[1] * w]);
            }
        },
    );
}
