//! Trials of `combine`.

use super::super::*;
use crate::kernel::mre::combine::{self, *};

/// The trials of this file.
pub static TRIALS: &[Trial] = &[
    // One plane: clinical; two: corrected.
    Trial { kernel: &combine::COMBINE, sizes: &[Size::new(1, 3, 5), Size::new(1, 41, 47), Size::new(2, 41, 47), Size::new(2, 256, 256)], record: combine },
];

fn combine(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let n = size.pixels();
    let curve = |i: usize| i as f64 / (SAMPLES - 1) as f64;
    let curves = (0..3 * SAMPLES).map(|i| {
        let (model, x) = (i / SAMPLES, curve(i % SAMPLES));
        // Shaped as real ones are: the wavenumber bends up, the bias grows with its square.
        [(1.1 * x + 0.2 * x * x * model as f64) as f32, (0.1 * x * x * (model + 1) as f64) as f32]
    });
    let models = Models {
        unit: 142.1,
        density: 1040.0,
        corrected: size.planes == 2,
        noise: [[1.169, -1.251, 1.884], [0.671, -0.412, 0.355], [0.230, -0.049, 0.0145]],
        reach: [1.1, 0.9, 0.8],
        widest: 1.5,
        curves: curves.collect(),
    };
    let fractions = [0.0, 0.01, 0.03, 0.3, 1.0];
    let mut sums = vec![[0f32; 4]; 12 * n];
    for group in 0..4 {
        for i in 0..n {
            for (plane, scale) in [(0, 1.0), (2, 1.3)] {
                let power = scale * (0.5 + rng.f32());
                let k2 = 0.01 + 0.3 * rng.f32();
                let loss = 0.3 * rng.f32();
                let (re, im) = (-k2 * power, k2 * loss * power);
                let square = (re * re + im * im) / power * (1.0 + 0.2 * rng.f32());
                sums[(group * 3 + plane) * n + i] = [power, re, im, square];
            }
            let fraction = fractions[rng.usize(..fractions.len())];
            sums[(group * 3 + 1) * n + i] = [0.02 * rng.f32(), fraction, 0.03 * rng.f32(), 0.0];
        }
    }
    let mask = oracle::blot(rng, size.ny, size.nx);
    let from = [rec.constant("sums", &sums), rec.constant("mask", &mask)];
    let maps = rec.output::<f32>("maps", Plane::ALL.len() * n);
    let trace = combine::record(rec, [from[0], from[1], maps], &models, n);
    let expected = oracle::combine(&oracle::wide4(&sums), &oracle::wide(&mask), &models);
    vec![
        Expect::in_buffer(maps, expected.maps, 2e-5),
        Expect::in_buffer(trace, oracle::flat_real(&expected.trace), 2e-5),
    ]
}
