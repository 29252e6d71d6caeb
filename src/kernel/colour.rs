//! A map in colour, in a texture; `kernels/colour.wgsl`.

use super::params::params;
use super::{Access, Binding, Cost, Expect, Kernel, Params, Place, Plane, Size, Spec, read, uniform};
use crate::colour::ColourMap;
use crate::oracle;
use crate::plan::{Buf, Recorder, Tex};

params! {
    /// `Params` of `kernels/colour.wgsl`.
    struct Uniform { nx: u32, ny: u32, plane: u32, low: f32, high: f32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "colour",
    source: include_str!("../../kernels/colour.wgsl"),
    bindings: &[
        uniform("p"),
        read("maps"),
        read("mask"),
        read("table"),
        Binding { name: "picture", access: Access::Texture },
    ],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)],
    trial,
};

/// What is coloured how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colouring {
    /// Which map.
    pub plane: Plane,
    /// In which colours.
    pub map: ColourMap,
    /// The value that has the first colour, in the map's unit.
    pub low: f32,
    /// The value that has the last colour.
    pub high: f32,
}

impl Default for Colouring {
    /// Stiffness on the field's usual scale, 0 to 8 kPa.
    fn default() -> Self {
        Self { plane: Plane::Stiffness, map: ColourMap::Stiffness, low: 0.0, high: 8.0 }
    }
}

/// Records `picture`, rgba8unorm of `nx` × `ny`, from a plane of `maps` f32 `[plane][ny][nx]`.
pub fn record(
    rec: &mut Recorder,
    [maps, mask]: [Buf; 2],
    picture: Tex,
    [nx, ny]: [usize; 2],
    how: Colouring,
) {
    let table = rec.constant("colours", &how.map.table());
    let params =
        Uniform { nx: nx as u32, ny: ny as u32, plane: how.plane as u32, low: how.low, high: how.high };
    let resources = [maps.into(), mask.into(), table.into(), picture.into()];
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, nx * ny, Cost::each(nx * ny, 4, 12));
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    // Half-way values would round either way; sixteenths of a step off them do not.
    let how = Colouring { high: 255.0, ..Default::default() };
    let value = |rng: &mut fastrand::Rng| rng.i32(-40..300) as f32 + (rng.f32() - 0.5) * 0.8;
    let maps: Vec<f32> = (0..Plane::ALL.len() * n).map(|_| value(rng)).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let from = [rec.constant("maps", &maps), rec.constant("mask", &mask)];
    let picture = rec.texture("picture", size.nx as u32, size.ny as u32);
    record(rec, from, picture, [size.nx, size.ny], how);
    let map = oracle::wide(how.plane.of(&maps));
    let values = oracle::colour(&map, &oracle::wide(&mask), &how.map.table(), [0.0, 255.0]).to_vec();
    vec![Expect { place: Place::Texture(picture), values, tolerance: 0.0 }]
}
