//! The placing of patches on a mask, on the device: `kernels/tiles/lattice_*.wgsl`.

pub(super) mod native;

use super::cut::LatticeBuffers;
use crate::kernel::core::clear;
use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;

params! {
    struct BoundsParams { nx: u32, ny: u32, side: u32, stride: u32 }
}

/// The row of the table of kernels.
pub static LATTICE_BOUNDS: Kernel = Kernel {
    name: "lattice_bounds",
    source: include_str!("../../../kernels/tiles/lattice_bounds.wgsl"),
    bindings: &[read("image", "vec4f"), write("lattice", "i32")],
    params: BoundsParams::LAYOUT,
    specs: || vec![Spec::new(&LATTICE_BOUNDS, &[])],
    native: Some(native::bounds),
};

params! {
    struct OpenParams { count: u32, nx: u32, side: u32, stride: u32 }
}

/// The row of the table of kernels.
pub static LATTICE_OPEN: Kernel = Kernel {
    name: "lattice_open",
    source: include_str!("../../../kernels/tiles/lattice_open.wgsl"),
    bindings: &[read("image", "vec4f"), read("lattice", "i32"), read("points", "u32"), write("open", "u32")],
    params: OpenParams::LAYOUT,
    specs: || vec![Spec::new(&LATTICE_OPEN, &[])],
    native: Some(native::open),
};

params! {
    struct TakeParams { count: u32, nx: u32, ny: u32, side: u32, stride: u32, least: u32 }
}

/// The row of the table of kernels.
pub static LATTICE_TAKE: Kernel = Kernel {
    name: "lattice_take",
    source: include_str!("../../../kernels/tiles/lattice_take.wgsl"),
    bindings: &[read("image", "vec4f"), read("lattice", "i32"), read("open", "u32"), write("points", "u32")],
    params: TakeParams::LAYOUT,
    specs: || vec![Spec::new(&LATTICE_TAKE, &[])],
    native: Some(native::take),
};

params! {
    struct NumberParams { side: u32, stride: u32, views: u32 }
}

/// The row of the table of kernels.
pub static LATTICE_NUMBER: Kernel = Kernel {
    name: "lattice_number",
    source: include_str!("../../../kernels/tiles/lattice_number.wgsl"),
    bindings: &[read("points", "u32"), write("lattice", "i32"), write("patches", "vec4f")],
    params: NumberParams::LAYOUT,
    specs: || vec![Spec::new(&LATTICE_NUMBER, &[])],
    native: Some(native::number),
};

/// The rule by which patches are placed.
#[derive(Clone, Debug, PartialEq)]
pub struct Placing {
    /// The size of the image.
    pub size: Size,
    /// Rows and columns of a patch.
    pub side: usize,
    /// Pixels between neighbouring patches.
    pub stride: usize,
    /// The number of views that neighbouring patches take in turn; see `kernels/lib/view.wgsl`.
    pub views: u32,
    /// The smallest numbers of pixels inside a patch. They are tried in turn, until every pixel is in some patch.
    pub least: Vec<usize>,
}

impl Placing {
    /// Columns and rows of the largest lattice.
    pub fn points(&self) -> [usize; 2] {
        self.size.axes().map(|n| (n + self.side - 2) / self.stride + 1)
    }
}

/// Records the placing of patches on the pixels of `image`, vec4f `[ny][nx]`, with z above 0. Writes `patches` and
/// `lattice` of `to`; its counter is not touched.
pub(crate) fn record(rec: &mut Recorder, image: Buf, how: &Placing, to: LatticeBuffers) {
    let [columns, rows] = how.points();
    let points = rec.scratch::<u32>("points of the lattice", columns * rows);
    let open = rec.scratch::<u32>("open pixels", how.size.pixels());
    record_bounds(rec, image, how, to.lattice);
    clear::record(rec, points, columns * rows);
    for &least in &how.least {
        record_open(rec, [image, to.lattice, points, open], how);
        record_take(rec, [image, to.lattice, open, points], how, least);
    }
    record_number(rec, points, how, to);
}

/// Records rows, columns, first row and first column of the lattice into `lattice`.
pub(crate) fn record_bounds(rec: &mut Recorder, image: Buf, how: &Placing, lattice: Buf) {
    let n = how.size.pixels();
    let [nx, ny, side, stride] = [how.size.nx, how.size.ny, how.side, how.stride].map(|n| n as u32);
    let bound = [image.first::<[f32; 4]>(n), lattice.first::<i32>(5)];
    let params = BoundsParams { nx, ny, side, stride };
    rec.groups(Spec::new(&LATTICE_BOUNDS, &[]), &params, &bound, [1; 3], Cost::each(n, 4, 16));
}

/// Records which pixels of `image` are in no patch that is taken. The buffers are image, lattice, points, open.
pub(crate) fn record_open(rec: &mut Recorder, [image, lattice, points, open]: [Buf; 4], how: &Placing) {
    let n = how.size.pixels();
    let [columns, rows] = how.points();
    let [count, nx, side, stride] = [n, how.size.nx, how.side, how.stride].map(|n| n as u32);
    let bound = [
        image.first::<[f32; 4]>(n),
        lattice.first::<i32>(5),
        points.first::<u32>(columns * rows),
        open.first::<u32>(n),
    ];
    let each = how.side.div_ceil(how.stride).pow(2);
    let params = OpenParams { count, nx, side, stride };
    rec.linear(Spec::new(&LATTICE_OPEN, &[]), &params, &bound, n, Cost::each(n, each, 20));
}

/// Records the taking of patches with at least `least` pixels inside. The buffers are image, lattice, open, points.
pub(crate) fn record_take(
    rec: &mut Recorder,
    [image, lattice, open, points]: [Buf; 4],
    how: &Placing,
    least: usize,
) {
    let n = how.size.pixels();
    let [columns, rows] = how.points();
    let all = columns * rows;
    let [count, nx, ny] = [all, how.size.nx, how.size.ny].map(|n| n as u32);
    let [side, stride, least] = [how.side, how.stride, least].map(|n| n as u32);
    let bound =
        [image.first::<[f32; 4]>(n), lattice.first::<i32>(5), open.first::<u32>(n), points.first::<u32>(all)];
    let params = TakeParams { count, nx, ny, side, stride, least };
    let cost = Cost::each(all, 2 * how.side * how.side, 4);
    rec.linear(Spec::new(&LATTICE_TAKE, &[]), &params, &bound, all, cost);
}

/// Records the numbers of the patches, and the patches.
pub(crate) fn record_number(rec: &mut Recorder, points: Buf, how: &Placing, to: LatticeBuffers) {
    let [columns, rows] = how.points();
    let [most, table] = to.most;
    let bound = [
        points.first::<u32>(columns * rows),
        to.lattice.first::<i32>(table),
        to.patches.first::<[f32; 4]>(most),
    ];
    let [side, stride] = [how.side, how.stride].map(|n| n as u32);
    let params = NumberParams { side, stride, views: how.views };
    rec.groups(Spec::new(&LATTICE_NUMBER, &[]), &params, &bound, [1; 3], Cost::each(columns * rows, 4, 28));
}
