//! Trials of `colour`.

use super::super::*;
use crate::kernel::mre::colour::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &colour::COLOUR, sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(1, 256, 256)], record: colour },
];

fn colour(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    // Half-way values would round either way; sixteenths of a step off them do not.
    let how = Colouring { high: 255.0, ..Default::default() };
    let value = |rng: &mut fastrand::Rng| rng.i32(-40..300) as f32 + (rng.f32() - 0.5) * 0.8;
    let maps: Vec<f32> = (0..Plane::ALL.len() * n).map(|_| value(rng)).collect();
    let mask = oracle::blot(rng, size.ny, size.nx);
    let from = [rec.constant("maps", &maps), rec.constant("mask", &mask)];
    let picture = rec.texture("picture", size.nx as u32, size.ny as u32);
    colour::record(rec, from, picture, [size.nx, size.ny], how);
    let map = oracle::wide(how.plane.of(&maps));
    let values = oracle::colour(&map, &oracle::wide(&mask), &how.map.table(), [0.0, 255.0]).to_vec();
    vec![Expect { place: At::Texture(picture), values, tolerance: 0.0 }]
}
