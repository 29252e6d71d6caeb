//! Patches of an image, cut and normalised: `kernels/tiles/cut.wgsl`.

use crate::plan::{Buf, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::size::Size;
use crate::tensor::{Shape, Tensor};

params! {
    struct CutParams { dst: Place, nx: u32, ny: u32, side: u32, faintest: f32 }
}

/// The row of the table of kernels.
pub static CUT: Kernel = Kernel {
    name: "cut",
    source: include_str!("../../../kernels/tiles/cut.wgsl"),
    bindings: &[
        read("src", "vec4f"),
        read("patches", "vec4f"),
        read("lattice", "i32"),
        read("counter", "u32"),
        write("dst", "vec4f"),
    ],
    params: CutParams::LAYOUT,
    specs: || [0, 1].map(|patch| Spec::new(&CUT, &[("PATCH", patch)])).into(),
    native: None,
};

/// The buffers that describe the patches of an image.
#[derive(Clone, Copy, Debug)]
pub struct LatticeBuffers {
    /// vec4f: first column, first row, weight and view of each patch.
    pub patches: Buf,
    /// i32: the number of patches and their places on the lattice; see `kernels/tiles/overlap.wgsl`.
    pub lattice: Buf,
    /// u32: the number of the batch's first patch.
    pub counter: Buf,
    /// The capacity of `patches`, and that of `lattice` in numbers.
    pub most: [usize; 2],
}

/// Records the batch's patches of `src`, vec4f `[ny][nx]` of (re, im, inside, –), into `dst`: one patch per image of
/// `dst`. With `faintest`, each channel of a patch is normalised by itself. A deviation of at most this share of the
/// mean counts as 0.
pub(crate) fn record(
    rec: &mut Recorder,
    src: Buf,
    Size { nx, ny }: Size,
    lattice: LatticeBuffers,
    faintest: Option<f32>,
    dst: Tensor,
) {
    let Shape { n, h: side, .. } = dst.shape;
    let params = CutParams {
        nx: nx as u32,
        ny: ny as u32,
        side: side as u32,
        faintest: faintest.unwrap_or_default(),
        dst: dst.place(),
    };
    let spec = Spec::new(&CUT, &[("PATCH", u32::from(faintest.is_some()))]);
    let LatticeBuffers { patches, lattice, counter, most: [most, _] } = lattice;
    let resources = [
        src.first::<[f32; 4]>(nx * ny),
        patches.first::<[f32; 4]>(most),
        lattice.first::<i32>(1),
        counter.first::<u32>(1),
        dst.bound(),
    ];
    let cost = Cost::each(n * side * side, 12, 64);
    rec.groups(spec, &params, &resources, [n, 1, 1], cost);
}
