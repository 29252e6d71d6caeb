//! Merging of overlapping predictions (`kernels/tiles/overlap.wgsl`), and their statistics
//! (`kernels/tiles/overlap_statistics.wgsl`).

use super::cut::LatticeBuffers;
use crate::plan::{Buf, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::size::Size;
use crate::tensor::{Shape, Tensor};

params! {
    struct OverlapParams { src: Place, nx: u32, ny: u32, side: u32, stride: u32, batch: u32 }
}

/// The row of the table of kernels.
pub static OVERLAP: Kernel = Kernel {
    name: "overlap",
    source: include_str!("../../../kernels/tiles/overlap.wgsl"),
    bindings: &[
        read("image", "vec4f"),
        read("patches", "vec4f"),
        read("lattice", "i32"),
        read("window", "f32"),
        read("counter", "u32"),
        read("src", "vec4f"),
        write("state", "vec4f"),
    ],
    params: OverlapParams::LAYOUT,
    specs: || vec![Spec::new(&OVERLAP, &[])],
    native: None,
};

/// The image, the lattice and the weights over which predictions are merged.
#[derive(Clone, Copy, Debug)]
pub struct Overlap {
    /// Columns and rows of the image.
    pub size: Size,
    /// The stride of the patches, in pixels.
    pub stride: usize,
    /// vec4f `[ny][nx]`; pixels with z above 0 are inside.
    pub image: Buf,
    /// f32 `[side]`: the weight of each row, and of each column, of a patch.
    pub window: Buf,
    /// The patches and their lattice.
    pub lattice: LatticeBuffers,
}

/// Records the merging of `src`, the predictions of the batch's patches `[n, side, side, 1]`, into `state`, vec4f
/// `[ny][nx]` of (mean, squares, weights, count).
pub(crate) fn record(rec: &mut Recorder, over: Overlap, src: Tensor, state: Buf) {
    let Overlap { size: Size { nx, ny }, stride, image, window, lattice } = over;
    let Shape { n: batch, h: side, .. } = src.shape;
    let [wide, high, side, stride, batch] = [nx, ny, side, stride, batch].map(|n| n as u32);
    let params = OverlapParams { nx: wide, ny: high, side, stride, batch, src: src.place() };
    let LatticeBuffers { patches, lattice, counter, most } = lattice;
    let bound = [
        image.first::<[f32; 4]>(nx * ny),
        patches.first::<[f32; 4]>(most[0]),
        lattice.first::<i32>(most[1]),
        window.first::<f32>(src.shape.h),
        counter.first::<u32>(1),
        src.bound(),
        state.first::<[f32; 4]>(nx * ny),
    ];
    // The cost counts each prediction once, and the loads of every pixel.
    let predictions = src.shape.pixels();
    let cost = Cost { flops: (10 * predictions) as f64, bytes: (24 * predictions + 48 * nx * ny) as f64 };
    rec.linear(Spec::new(&OVERLAP, &[]), &params, &bound, nx * ny, cost);
}

params! {
    struct OverlapStatisticsParams { count: u32, scale: f32, floor: f32, slope: f32 }
}

/// The row of the table of kernels.
pub static OVERLAP_STATISTICS: Kernel = Kernel {
    name: "overlap_statistics",
    source: include_str!("../../../kernels/tiles/overlap_statistics.wgsl"),
    bindings: &[read("state", "vec4f"), write("dst", "vec4f")],
    params: OverlapStatisticsParams::LAYOUT,
    specs: || vec![Spec::new(&OVERLAP_STATISTICS, &[])],
    native: None,
};

/// The conversion of merged predictions to a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapSettings {
    /// The factor of the predictions.
    pub scale: f64,
    /// The uncertainty where all predictions agree, before scaling.
    pub floor: f64,
    /// The increase of the uncertainty with the spread of the predictions.
    pub slope: f64,
}

/// Records (mean, uncertainty, inside, spread), vec4f `[n]`, from a state of [`record`].
pub(crate) fn record_statistics(rec: &mut Recorder, state: Buf, how: OverlapSettings, n: usize) -> Buf {
    let dst = rec.scratch::<[f32; 4]>("settled", n);
    let [scale, floor, slope] = [how.scale, how.floor, how.slope].map(|v| v as f32);
    let params = OverlapStatisticsParams { count: n as u32, scale, floor, slope };
    let bound = [state, dst].map(|buf| buf.first::<[f32; 4]>(n));
    rec.linear(Spec::new(&OVERLAP_STATISTICS, &[]), &params, &bound, n, Cost::each(n, 9, 32));
    dst
}
