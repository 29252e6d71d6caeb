//! Trials of `cut`.

use super::super::*;
use crate::patches::Normalisation;
use crate::kernel::tiles::cut::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    Trial { kernel: &cut::CUT, sizes: &[Size::new(1, 3, 5), Size::new(5, 41, 47), Size::new(128, 256, 256)], record: cut },
];

fn cut(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let (n, side) = (size.planes, size.ny.min(30) - 1);
    let how = if constant(spec, "PATCH") == 1 { Normalisation::Patch } else { Normalisation::None };
    let mask = oracle::blot(rng, size.ny, size.nx);
    let src: Vec<[f32; 4]> = mask
        .iter()
        .map(|m| if *m > 0.0 { [3.0 + rng.f32(), rng.f32(), 1.0, 0.0] } else { [0.0; 4] })
        .collect();
    // Some lie partly outside of the image, and the last of the batch is beyond the last patch.
    let count = n + 2;
    let patches: Vec<[f32; 4]> = (0..count)
        .map(|_| {
            let [x, y] = [size.nx, size.ny].map(|n| rng.i32(-(side as i32) / 2..n as i32 - side as i32 / 2));
            [x as f32, y as f32, 1.0, rng.u32(..32) as f32]
        })
        .collect();
    let lattice = Lattice {
        patches: rec.constant("patches", &patches),
        lattice: rec.constant("lattice", &[count as i32, 0, 0, 0, 0]),
        counter: rec.constant("counter", &[3u32; 4]),
        most: [count, 5],
    };
    let image = rec.constant("image", &src);
    let dst = made_up::room(rec, "cut", Shape::new(n, side, side, 2));
    cut::record(rec, image, [size.nx, size.ny], lattice, how, dst);
    let expected = oracle::cut(&oracle::wide4(&src), [size.nx, size.ny], &patches[3..], [n, side], how);
    vec![made_up::expect(dst, &expected, 1e-5)]
}
