//! Oracles and trials of `colour`.

use ndarray::Array1;

/// Returns the map as RGBA bytes. Each value gets the table entry nearest to its position between `low` and `high`.
/// Pixels outside the mask are transparent.
pub fn colour(
    map: &Array1<f64>,
    mask: &Array1<f64>,
    table: &[[u8; 4]; 256],
    [low, high]: [f64; 2],
) -> Array1<f64> {
    let texel = |i: usize| {
        let t = ((map[i] - low) / (high - low)).clamp(0.0, 1.0);
        if mask[i] > 0.0 { table[(t * 255.0).round() as usize].map(f64::from) } else { [0.0; 4] }
    };
    (0..map.len()).flat_map(texel).collect()
}

pub(super) mod trial {
    use crate::kernel::mre::colour::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &colour::COLOUR,
        sizes: &[
            TrialSize::new(1, Size::new(5, 3)),
            TrialSize::new(1, Size::new(47, 41)),
            TrialSize::new(1, Size::square(256)),
        ],
        record: colour,
    }];

    fn colour(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        // Values half-way between two entries could round either way, so all values stay away from these.
        let how = Colouring { high: 255.0, ..Default::default() };
        let value = |rng: &mut fastrand::Rng| rng.i32(-40..300) as f32 + (rng.f32() - 0.5) * 0.8;
        let maps: Vec<f32> = (0..MmdiMap::ALL.len() * n).map(|_| value(rng)).collect();
        let mask = oracle::blot(rng, size.image);
        let from = [rec.constant("maps", &maps), rec.constant("mask", &mask)];
        let picture = rec.texture("picture", size.image);
        colour::record(rec, from, picture, size.image, how);
        let map = oracle::wide(how.plane.of(&maps));
        let values = oracle::colour(&map, &oracle::wide(&mask), &how.map.table(), [0.0, 255.0]).to_vec();
        vec![Expect { place: At::Texture(picture), values, tolerance: 0.0 }]
    }
}
