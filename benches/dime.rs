//! DIME on one slice of 256 × 256 px at stride 3. The slice is an in-vivo liver if `PALPATE_DATA` names the authors'
//! samples, and otherwise a disc of the size of a liver. It prints the time from upload to maps, cold (only device,
//! kernels and weights in memory) and warm, the memory, and the difference of the maps at other batch sizes.
//!
//! `cargo bench --bench dime`; the environment variable `STRIDE` sets another stride.

#[path = "../tests/common/mod.rs"]
mod common;

use palpate::Result;
use palpate::Size;
use palpate::lowlevel::dime::{Dime, DimeMap, DimeSettings, DimeWeights};
use palpate::lowlevel::io::{self, Samples};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::plan::{Checks, Pipelines};
use std::path::PathBuf;
use std::time::Instant;

const SIDE: usize = 256;
const PHASES: usize = 8;
const RUNS: usize = 3;

fn main() -> Result<()> {
    let Some(device) = common::gpu() else { return Ok(()) };
    println!("adapter: {} ({})", device.caps().info.name, device.caps().info.driver_info);
    let stride = std::env::var("STRIDE").ok().and_then(|s| s.parse().ok()).unwrap_or(3);
    let (what, frames, spacing) = match in_vivo()? {
        Some(frames) => ("an in-vivo liver", frames, 360.0 / 256.0),
        None => ("a disc", disc(), 1.0),
    };
    let plane = SIDE * SIDE;
    let mask: Vec<bool> = (0..plane).map(|i| (0..PHASES).any(|t| frames[t * plane + i] != 0.0)).collect();
    let settings = DimeSettings {
        size: Size::square(SIDE),
        spacing_mm: [spacing; 2],
        frames: Frames::Phases(PHASES),
        conjugated: false,
        frequency_hz: 60.0,
        density: 1000.0,
        stride,
        batch: 128,
        patch: None,
        pixel_mm: None,
    };
    let chooser = Chooser::new(&Pipelines::new(&device, Checks::Off));
    let weights = DimeWeights::default().weights()?;
    let start = Instant::now();
    let mut dime = Dime::new(&chooser, &weights, &settings, &|_, _| {})?;
    let compiled = start.elapsed().as_secs_f64();
    let maps = dime.invert(&frames, &mask)?;
    let cold = start.elapsed().as_secs_f64();
    let mut warm: Vec<f64> = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        assert_eq!(dime.invert(&frames, &mask)?, maps, "the same slice, the same bits");
        warm.push(start.elapsed().as_secs_f64());
    }
    warm.sort_by(f64::total_cmp);
    println!(
        "{what}, {} px inside, stride {stride}: cold {cold:.2} s ({compiled:.2} s of it compiling), warm {:.2} s \
         (median of {RUNS}, {:.2} to {:.2}); {:.0} MiB of device memory",
        mask.iter().filter(|m| **m).count(),
        warm[RUNS / 2],
        warm[0],
        warm[RUNS - 1],
        dime.plan().memory() as f64 / 1048576.0
    );
    for batch in [1, 37] {
        let other = Dime::new(&chooser, &weights, &DimeSettings { batch, ..settings.clone() }, &|_, _| {})?
            .invert(&frames, &mask)?;
        let off = DimeMap::Modulus.of(&maps).iter().zip(DimeMap::Modulus.of(&other));
        let off = off.map(|(a, b)| ((a - b) / a.max(0.1)).abs()).fold(0.0, f32::max);
        println!("in batches of {batch}: at most {off:.1e} off, relative");
    }
    Ok(())
}

/// The frames of the authors' first slice, `[8][256][256]`; `None` without `PALPATE_DATA`.
fn in_vivo() -> Result<Option<Vec<f32>>> {
    let Some(folder) = std::env::var_os("PALPATE_DATA") else { return Ok(None) };
    let folder = PathBuf::from(folder).join("study3/wave");
    let files = std::fs::read_dir(&folder)
        .map_err(|e| palpate::Error::File { path: folder.clone(), what: e.to_string() })?;
    let mut files: Vec<_> = files.filter_map(|f| Some(f.ok()?.path())).collect();
    files.sort();
    let Some(first) = files.first() else { return Ok(None) };
    Ok(match io::read(first)?.data {
        Samples::Real(values) => Some(values.into_iter().map(|v| v as f32).collect()),
        Samples::Complex(_) => None,
    })
}

/// Phases of a plane wave with a wavelength of 25 px in a disc of 40 px radius, `[8][256][256]`.
fn disc() -> Vec<f32> {
    let at = |i: usize| ((i % SIDE) as f32, (i / SIDE % SIDE) as f32, (i / (SIDE * SIDE)) as f32);
    let wave = (0..PHASES * SIDE * SIDE).map(|i| {
        let (x, y, t) = at(i);
        let phase = std::f32::consts::TAU * (t / PHASES as f32 - (0.9 * x + 0.4 * y) / 25.0);
        if (x - 127.5).hypot(y - 127.5) < 40.0 { phase.cos() } else { 0.0 }
    });
    wave.collect()
}
