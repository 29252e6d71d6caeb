//! An example of writing training patches. It makes a small set of them to try `palpate train` on.
//!
//! ```text
//! cargo run --release --example patches -- DIR [TRAIN [VALIDATION]]
//! cargo run --release -- train --data DIR --chans 8 --epochs 5 -o run
//! ```
//!
//! Each patch is a shear wave that meets a round inclusion: an exact solution of the wave equation in two dimensions,
//! with a few per cent of noise, scaled to a standard deviation of 1. Such waves are two-dimensional, and a network
//! trained on them shares the bias of all two-dimensional inversions. The set shows how training works; its networks
//! are not for use.

use num_complex::Complex64;
use palpate::Size;
use palpate::lowlevel::patches::{PatchWriter, Split};
use palpate::lowlevel::wave::analytic::{Medium, PlaneWave, Scatterer};
use std::f64::consts::TAU;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SIDE: usize = 30;
/// The number of patches cut from one field.
const CUTS: usize = 4;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give a folder to write to")?;
    let mut count = |default: usize| arguments.next().map_or(Ok(default), |n| n.parse());
    let counts = [count(4096)?, count(512)?];
    std::fs::create_dir_all(&folder)?;
    for (split, count) in [Split::Train, Split::Validation].into_iter().zip(counts) {
        // Each split has its own seed, so that no field has patches in two splits.
        let mut rng = fastrand::Rng::with_seed(split as u64 + 1);
        let about = [("from".to_string(), "examples/patches.rs".to_string())];
        let mut writer = PatchWriter::create(split.path(&folder), Size::square(SIDE), false, about.into())?;
        while (writer.len() as usize) < count {
            let field = field(&mut rng)?;
            for _ in 0..CUTS.min(count - writer.len() as usize) {
                let (input, truth) = cut(&field, &mut rng);
                writer.push(&input, &truth, None)?;
            }
        }
        println!("{}: {} patches", split.path(&folder).display(), writer.finish()?);
    }
    Ok(())
}

/// A wave from a random direction over a soft or stiff inclusion.
fn field(rng: &mut fastrand::Rng) -> Result<Scatterer> {
    let mut medium = || Medium {
        storage_kpa: 1.0 + 7.0 * rng.f64(),
        damping: 0.05 + 0.25 * rng.f64(),
        density: 1000.0,
        frequency_hz: 60.0,
    };
    let (around, inside) = (medium(), medium());
    let wave = PlaneWave {
        medium: around,
        direction: TAU * rng.f64(),
        amplitude: Complex64::from_polar(1.0, TAU * rng.f64()),
    };
    Ok(Scatterer::new(wave, inside, [0.0, 0.0], 8.0 + 16.0 * rng.f64())?)
}

/// Cuts a patch at a random place: the wave `[2][SIDE][SIDE]` and the storage modulus `[SIDE][SIDE]` in kPa, at 1 mm
/// per pixel.
fn cut(field: &Scatterer, rng: &mut fastrand::Rng) -> (Vec<f32>, Vec<f32>) {
    let mut corner = || 50.0 * (rng.f64() - 0.5) - SIDE as f64 / 2.0;
    let (left, top) = (corner(), corner());
    let places: Vec<_> =
        (0..SIDE * SIDE).map(|i| (left + (i % SIDE) as f64, top + (i / SIDE) as f64)).collect();
    let wave: Vec<Complex64> = places.iter().map(|&(x, y)| field.at(x, y)).collect();
    let deviation = (wave.iter().map(|u| u.norm_sqr()).sum::<f64>() / (2 * wave.len()) as f64).sqrt();
    let mut noisy = |part: f64| {
        // The sum of twelve uniform numbers is close enough to a normal distribution here.
        let normal = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        (part / deviation + 0.03 * normal) as f32
    };
    let mut input: Vec<f32> = wave.iter().map(|u| noisy(u.re)).collect();
    input.extend(wave.iter().map(|u| noisy(u.im)));
    let truth = places.iter().map(|&(x, y)| field.medium(x, y).storage_kpa as f32).collect();
    (input, truth)
}
