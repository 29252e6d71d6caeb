//! A map in colour, in a texture: `kernels/mre/colour.wgsl`.

use super::planes::MmdiMap;
use crate::colour::ColourMap;
use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, Tex, params, read, texture};
use crate::size::Size;

params! {
    struct ColourParams { nx: u32, ny: u32, plane: u32, low: f32, high: f32 }
}

/// The row of the table of kernels.
pub static COLOUR: Kernel = Kernel {
    name: "colour",
    source: include_str!("../../../kernels/mre/colour.wgsl"),
    bindings: &[read("maps", "f32"), read("mask", "f32"), read("table", "u32"), texture("picture")],
    params: ColourParams::LAYOUT,
    specs: || vec![Spec::new(&COLOUR, &[])],
    native: None,
};

/// The choice of a map and its colours. `M` names the maps of an inversion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colouring<M> {
    /// The map.
    pub plane: M,
    /// The colour map.
    pub map: ColourMap,
    /// The value of the first colour, in the map's unit.
    pub low: f32,
    /// The value of the last colour, in the map's unit.
    pub high: f32,
}

impl<M> Colouring<M> {
    /// A map of stiffness or of a modulus on the scale that is usual in the field, 0 to 8 kPa.
    pub fn stiffness(plane: M) -> Self {
        Self { plane, map: ColourMap::Stiffness, low: 0.0, high: 8.0 }
    }
}

impl Default for Colouring<MmdiMap> {
    /// The stiffness of MMDI; see [`Colouring::stiffness`].
    fn default() -> Self {
        Self::stiffness(MmdiMap::Stiffness)
    }
}

/// Records `picture`, an rgba8unorm texture of `nx` × `ny`, from one plane of `maps` f32 `[plane][ny][nx]`. It is
/// transparent outside the `mask` f32 `[ny][nx]`.
pub fn record(
    rec: &mut Recorder,
    [maps, mask]: [Buf; 2],
    picture: Tex,
    size: Size,
    how: Colouring<impl Into<usize>>,
) {
    let Size { nx, ny } = size;
    let table = rec.constant("colours", &how.map.table());
    let plane = how.plane.into();
    let params =
        ColourParams { nx: nx as u32, ny: ny as u32, plane: plane as u32, low: how.low, high: how.high };
    let resources = [
        maps.first::<f32>((plane + 1) * nx * ny),
        mask.first::<f32>(nx * ny),
        table.first::<u32>(256),
        picture.first(size),
    ];
    rec.linear(Spec::new(&COLOUR, &[]), &params, &resources, nx * ny, Cost::each(nx * ny, 4, 12));
}
