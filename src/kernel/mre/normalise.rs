//! Removal of the mean where the zero level is lost, and scaling to unit power (`kernels/mre/normalise.wgsl`), from
//! moments of the field under the mask (`kernels/mre/moments.wgsl`) and their deterministic sums
//! (`kernels/mre/total.wgsl`).

use super::planes::MmdiMap;
use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use num_complex::Complex32;

params! {
    struct NormaliseParams { count: u32, pixels: u32, lost: f32 }
}

/// The row of the table of kernels.
pub static NORMALISE: Kernel = Kernel {
    name: "normalise",
    source: include_str!("../../../kernels/mre/normalise.wgsl"),
    bindings: &[
        read("harmonic", "vec2f"),
        read("mask", "f32"),
        read("total", "vec4f"),
        write("field", "vec2f"),
        write("maps", "f32"),
    ],
    params: NormaliseParams::LAYOUT,
    specs: || vec![Spec::new(&NORMALISE, &[])],
    native: None,
};

/// Records the fields of unit power under the mask, vec2f `[fields][pixels]`, and writes waves and amplitudes into `maps`,
/// f32 `[plane][fields][pixels]`. `from` is the harmonic vec2f `[fields][pixels]`, the mask f32 `[pixels]`, and the total
/// of [`record_total`] over [`record_moments`]. `lost` subtracts the mean, which is that of all fields.
pub fn record(
    rec: &mut Recorder,
    from: [Buf; 3],
    maps: Buf,
    lost: bool,
    [fields, pixels]: [usize; 2],
) -> Buf {
    let [harmonic, mask, total] = from;
    let n = fields * pixels;
    let field = rec.scratch::<Complex32>("field", n);
    let params = NormaliseParams { count: n as u32, pixels: pixels as u32, lost: f32::from(lost) };
    let resources = [
        harmonic.first::<Complex32>(n),
        mask.first::<f32>(pixels),
        total.first::<[f32; 4]>(1),
        field.first::<Complex32>(n),
        maps.first::<f32>((MmdiMap::Imaginary as usize + 1) * n),
    ];
    rec.linear(Spec::new(&NORMALISE, &[]), &params, &resources, n, Cost::each(n, 15, 36));
    field
}

params! {
    struct MomentsParams { count: u32, pixels: u32 }
}

/// The row of the table of kernels.
pub static MOMENTS: Kernel = Kernel {
    name: "moments",
    source: include_str!("../../../kernels/mre/moments.wgsl"),
    bindings: &[read("field", "vec2f"), read("mask", "f32"), write("moments_", "vec4f")],
    params: MomentsParams::LAYOUT,
    specs: || vec![Spec::new(&MOMENTS, &[])],
    native: None,
};

/// Records `mask (Re u, Im u, |u|², 1)`: field vec2f `[fields][pixels]`, mask f32 `[pixels]`, result vec4f
/// `[fields][pixels]`.
pub fn record_moments(rec: &mut Recorder, field: Buf, mask: Buf, [fields, pixels]: [usize; 2]) -> Buf {
    let n = fields * pixels;
    let dst = rec.scratch::<[f32; 4]>("moments", n);
    let resources = [field.first::<Complex32>(n), mask.first::<f32>(pixels), dst.first::<[f32; 4]>(n)];
    rec.linear(
        Spec::new(&MOMENTS, &[]),
        &MomentsParams { count: n as u32, pixels: pixels as u32 },
        &resources,
        n,
        Cost::each(n, 3, 28),
    );
    dst
}

params! {
    struct TotalParams { n: u32, run: u32 }
}

/// The row of the table of kernels.
pub static TOTAL: Kernel = Kernel {
    name: "total",
    source: include_str!("../../../kernels/mre/total.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: TotalParams::LAYOUT,
    specs: || vec![Spec::new(&TOTAL, &[])],
    native: None,
};

/// The number of values in one run of the first pass. The second pass sums the runs.
const TOTAL_RUN: usize = 1024;

/// Threads of the workgroup that sums a run.
const TOTAL_LANES: usize = 64;

/// Records the sum of all of `src`, vec4f `[n]`. Returns vec4f `[1]`.
pub fn record_total(rec: &mut Recorder, src: Buf, n: usize) -> Buf {
    let mut pass = |src: Buf, n: usize, run: usize| {
        let runs = n.div_ceil(run);
        let dst = rec.scratch::<[f32; 4]>("total", runs);
        let params = TotalParams { n: n as u32, run: run as u32 };
        let cost = Cost::each(n, 4, 16);
        let bound = [src.first::<[f32; 4]>(n), dst.first::<[f32; 4]>(runs)];
        rec.linear(Spec::new(&TOTAL, &[]), &params, &bound, runs * TOTAL_LANES, cost);
        dst
    };
    let partial = pass(src, n, TOTAL_RUN);
    let runs = n.div_ceil(TOTAL_RUN);
    pass(partial, runs, runs)
}
