//! The calibrated confidence (`kernels/mre/confidence.wgsl`), and the local mean of ln μ under the mask
//! (`kernels/mre/local_mean.wgsl`).

use super::planes::MmdiMap;
use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;

params! {
    struct ConfidenceParams { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table of kernels.
pub static CONFIDENCE: Kernel = Kernel {
    name: "confidence",
    source: include_str!("../../../kernels/mre/confidence.wgsl"),
    bindings: &[read("trace", "vec4f"), read("mean", "f32"), read("mask", "f32"), write("maps", "f32")],
    params: ConfidenceParams::LAYOUT,
    specs: || vec![Spec::new(&CONFIDENCE, &[])],
    native: None,
};

/// Records the confidence into its plane of `maps`, f32 `[plane][ny][nx]`, from the trace of
/// [`super::combine::record`], vec4f `[ny][nx]`, over the box of `2 radius + 1` pixels.
pub fn record(rec: &mut Recorder, trace: Buf, mask: Buf, maps: Buf, size: Size, radius: usize) {
    let Size { nx, ny } = size;
    let mean = record_local_mean(rec, trace, mask, size, radius);
    let params = ConfidenceParams { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    let cost = Cost::each(nx * ny, 4 * (2 * radius + 1).pow(2) + 15, 28);
    let resources = [
        trace.first::<[f32; 4]>(nx * ny),
        mean.first::<f32>(nx * ny),
        mask.first::<f32>(nx * ny),
        maps.first::<f32>((MmdiMap::Confidence as usize + 1) * nx * ny),
    ];
    rec.linear(Spec::new(&CONFIDENCE, &[]), &params, &resources, nx * ny, cost);
}

params! {
    struct LocalMeanParams { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table of kernels.
pub static LOCAL_MEAN: Kernel = Kernel {
    name: "local_mean",
    source: include_str!("../../../kernels/mre/local_mean.wgsl"),
    bindings: &[read("trace", "vec4f"), read("mask", "f32"), write("dst", "f32")],
    params: LocalMeanParams::LAYOUT,
    specs: || vec![Spec::new(&LOCAL_MEAN, &[])],
    native: None,
};

/// Records the mean of the trace's first value over the box of `2 radius + 1` pixels under the mask. Trace vec4f, mask
/// and result f32, all `[ny][nx]`.
pub fn record_local_mean(
    rec: &mut Recorder,
    trace: Buf,
    mask: Buf,
    Size { nx, ny }: Size,
    radius: usize,
) -> Buf {
    let n = nx * ny;
    let dst = rec.scratch::<f32>("local mean", n);
    let params = LocalMeanParams { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    let cost = Cost::each(n, 2 * (2 * radius + 1).pow(2), 24);
    let bound = [trace.first::<[f32; 4]>(n), mask.first::<f32>(n), dst.first::<f32>(n)];
    rec.linear(Spec::new(&LOCAL_MEAN, &[]), &params, &bound, n, cost);
    dst
}
