//! MMDI on one slice of 256 × 256 px from upload to maps, in both modes. Before the timing it prints a table of the
//! stages, by the device's own clock.
//!
//! `cargo bench --bench slice`

#[path = "../tests/common/mod.rs"]
mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use palpate::Size;
use palpate::lowlevel::device::Device;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::plan::{Checks, Pipelines};
use std::time::Duration;

const N: usize = 256;
/// The number of runs behind a stage's median.
const RUNS: usize = 15;

fn slice(c: &mut Criterion) {
    let Some(device) = common::gpu() else { return };
    println!("adapter: {}", device.caps().info.name);
    let pipelines = Pipelines::new(&device, Checks::Off);
    let mut group = c.benchmark_group("slice");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(4));
    for mode in [MmdiMode::Corrected, MmdiMode::Clinical] {
        let settings = MmdiSettings {
            mode,
            size: Size::square(N),
            spacing_mm: [1.0, 1.0],
            frames: Frames::Phases(8),
            directions: 1,
            zero_lost: false,
            frequency_hz: 60.0,
            density: 1000.0,
        };
        let mmdi = Mmdi::new(&pipelines, &settings, &|_, _| {}).unwrap_or_else(|e| panic!("{e}"));
        let (frames, mask) = wave();
        mmdi.invert(&frames, &mask).unwrap_or_else(|e| panic!("{e}"));
        stages(&device, &mmdi, mode);
        many(&device, &mmdi, &frames, &mask);
        group.bench_function(format!("{mode:?} {N}x{N}"), |b| {
            b.iter(|| mmdi.invert(&frames, &mask).unwrap_or_else(|e| panic!("{e}")));
        });
    }
    group.finish();
}

/// Eight phases of a plane wave with a wavelength of 25 px in a disc, and the disc.
fn wave() -> (Vec<f32>, Vec<bool>) {
    let at = |i: usize| ((i % N) as f32, (i / N % N) as f32, (i / (N * N)) as f32);
    let inside = |i: usize| {
        let (x, y, _) = at(i);
        (x - 127.5).hypot(y - 127.5) < 100.0
    };
    let frames = (0..8 * N * N).map(|i| {
        let (x, y, t) = at(i);
        let phase = std::f32::consts::TAU * (t / 8.0 - (0.9 * x + 0.4 * y) / 25.0);
        if inside(i) { phase.cos() } else { 0.0 }
    });
    (frames.collect(), (0..N * N).map(inside).collect())
}

fn stages(device: &Device, mmdi: &Mmdi, mode: MmdiMode) {
    println!(
        "{mode:?}: {} dispatches, {:.1} MiB",
        mmdi.plan().len(),
        mmdi.plan().memory() as f64 / 1048576.0
    );
    if !device.caps().timestamps() {
        println!("(no timestamps on this adapter)");
        return;
    }
    let mut rows: Vec<(&str, Vec<f64>, f64)> = Vec::new();
    for _ in 0..RUNS {
        let mut run: Vec<(&str, f64, f64)> = Vec::new();
        for t in mmdi.plan().profile().unwrap_or_else(|e| panic!("{e}")) {
            match run.iter_mut().find(|(stage, ..)| *stage == t.stage) {
                Some((_, seconds, flops)) => {
                    *seconds += t.seconds;
                    *flops += t.cost.flops;
                }
                None => run.push((t.stage, t.seconds, t.cost.flops)),
            }
        }
        for (stage, seconds, flops) in run {
            match rows.iter_mut().find(|(name, ..)| *name == stage) {
                Some((_, all, _)) => all.push(seconds),
                None => rows.push((stage, vec![seconds], flops)),
            }
        }
    }
    println!("| stage | ms (median of {RUNS}) | GFLOP/s |\n|---|---|---|");
    let mut total = 0.0;
    for (stage, seconds, flops) in &mut rows {
        seconds.sort_by(f64::total_cmp);
        let median = seconds[RUNS / 2];
        total += median;
        println!("| {stage} | {:.2} | {:.1} |", median * 1e3, *flops / median * 1e-9);
    }
    println!("| all | {:.2} | |", total * 1e3);
}

/// Times fifty slices one after another, to see that none is slower than the first warm one and that memory does not
/// grow.
fn many(device: &Device, mmdi: &Mmdi, frames: &[f32], mask: &[bool]) {
    let before = device.pool().allocated();
    let times: Vec<f64> = (0..50)
        .map(|_| {
            let start = std::time::Instant::now();
            mmdi.invert(frames, mask).unwrap_or_else(|e| panic!("{e}"));
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let mut sorted = times.clone();
    sorted.sort_by(f64::total_cmp);
    let (grown, peak) = (device.pool().allocated() - before, device.pool().peak() as f64 / 1048576.0);
    println!(
        "50 slices, upload to maps: first {:.1} ms, second {:.1}, median {:.1}, last {:.1}; device memory grew by \
         {grown} bytes, peak {peak:.1} MiB",
        times[0], times[1], sorted[25], times[49]
    );
}

criterion_group!(benches, slice);
criterion_main!(benches);
