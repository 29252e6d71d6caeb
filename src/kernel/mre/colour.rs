//! A map in colour, in a texture: `kernels/mre/colour.wgsl`.

use super::planes::MmdiMap;
use crate::colour::ColourMap;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, Tex, params, read, texture};
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
    native: Some(native),
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

fn native(call: &mut Call) {
    let p: ColourParams = call.params();
    let nx = p.nx as usize;
    let n = nx * p.ny as usize;
    let map = &call.read::<f32>(0)[p.plane as usize * n..][..n];
    let (mask, table): (&[f32], &[[u8; 4]]) = (call.read(1), call.read(2));
    let (pitch, picture) = (call.texture_width(), call.write::<[u8; 4]>(3));
    call.team().split(
        &mut picture[..pitch * p.ny as usize],
        pitch,
        #[inline(always)]
        |first, part| {
            for (row, texels) in part.chunks_exact_mut(pitch).enumerate() {
                let line = (first + row) * nx..(first + row + 1) * nx;
                let values = map[line.clone()].iter().zip(&mask[line]);
                for (texel, (value, mask)) in texels.iter_mut().zip(values) {
                    let t = (value - p.low) / (p.high - p.low);
                    // NaN becomes 0.
                    let nearest = (t.clamp(0.0, 1.0) * 255.0).round_ties_even() as usize;
                    *texel = if *mask > 0.0 { table[nearest] } else { [0; 4] };
                }
            }
        },
    );
}
