//! The operations that users wait for: a training step, a forward pass, and a slice.

use super::ceilings::Ceilings;
use super::report::{NetworkRow, Part, SliceRow};
use super::timer::{Runs, Timer};
use crate::dime::{Dime, DimeSettings, DimeWeights, MseTv};
use crate::error::Result;
use crate::kernel::form::{Chooser, Question};
use crate::kernel::signal::harmonic::Frames;
use crate::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use crate::nn::{Forward, Network as _, NormKind, Unet, UnetSettings, Weights};
use crate::plan::{Checks, Pipelines, Plan, Timing};
use crate::proof::Qualifier;
use crate::size::Size;
use crate::train::{Learned, TrainStep};
use std::collections::BTreeMap;
use std::time::Instant;

/// Rows and columns of the slice, and the number of its phases.
const SIDE: usize = 256;
const PHASES: usize = 8;
/// The radius of the disc that stands for a liver, and the wavelength in it, px.
const RADIUS: f32 = 40.0;
const WAVELENGTH: f32 = 25.0;
const OBJECTIVE: MseTv = MseTv { total_variation: 0.01 };
const MIB: f64 = 1048576.0;

fn unet(chans: usize) -> Result<Unet> {
    Unet::new(UnetSettings { chans, norm: NormKind::Batch, ..Default::default() })
}

/// The size of the patches of a network.
const PATCH: Size = Size::square(30);

/// The questions that a training step asks of a chooser.
///
/// # Errors
/// The errors of [`step`].
pub fn questions([chans, batch]: [usize; 2]) -> Result<Vec<Question>> {
    TrainStep::questions(&unet(chans)?, (batch, PATCH), &OBJECTIVE)
}

/// Measures a training step of a network of `chans` channels on `batch` patches, with its `parts` on request.
///
/// # Errors
/// [`Error::OutOfMemory`](crate::Error::OutOfMemory) if it does not fit the device.
pub fn step(
    chooser: &Chooser,
    qualifier: &Qualifier,
    timer: &Timer,
    runs: Runs,
    ceilings: &Ceilings,
    [chans, batch]: [usize; 2],
    parts: bool,
) -> Result<NetworkRow> {
    let learned = Learned::new(chooser.pipelines().device(), &Weights::random(unet(chans)?, 1))?;
    let size = (batch, PATCH);
    let chooser = &qualifier.chooser(chooser, &|c| TrainStep::specs(c, &learned, size, &OBJECTIVE))?;
    let step = TrainStep::new(chooser, &learned, size, &OBJECTIVE, Default::default(), &|_, _| {})?;
    let mut rng = fastrand::Rng::with_seed(1);
    let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
    let pixels = batch * PATCH.pixels();
    let (input, truth, mask) = (random(2 * pixels), random(pixels), vec![1.0; pixels]);
    step.run(&[&input, &truth, &mask], 1, 1, 3e-4)?;
    network(step.plan(), timer, runs, ceilings, [chans, batch], step.memory() + learned.memory(), parts)
}

/// Measures a forward pass of a network of `chans` channels on `batch` patches, with its `parts` on request.
///
/// # Errors
/// The errors of [`step`].
pub fn forward(
    chooser: &Chooser,
    qualifier: &Qualifier,
    timer: &Timer,
    runs: Runs,
    ceilings: &Ceilings,
    [chans, batch]: [usize; 2],
    parts: bool,
) -> Result<NetworkRow> {
    let weights = Weights::random(unet(chans)?, 1);
    let chooser = &qualifier.chooser(chooser, &|c| Forward::specs(c, &weights, PATCH, batch))?;
    let forward = Forward::new(chooser, &weights, PATCH, batch, &|_, _| {})?;
    let mut rng = fastrand::Rng::with_seed(1);
    let images: Vec<f32> = (0..2 * forward.batch() * PATCH.pixels()).map(|_| rng.f32() - 0.5).collect();
    forward.run(&images, &|_| {})?;
    network(forward.plan(), timer, runs, ceilings, [chans, forward.batch()], forward.memory(), parts)
}

fn network(
    plan: &Plan,
    timer: &Timer,
    runs: Runs,
    ceilings: &Ceilings,
    [chans, batch]: [usize; 2],
    memory: u64,
    with_parts: bool,
) -> Result<NetworkRow> {
    let time = timer.whole(plan, runs)?;
    let convolves = |t: &Timing| t.label.starts_with("convolve");
    let flops: f64 = plan.timings().filter(convolves).map(|t| t.cost.flops).sum();
    let gflops = flops / time.seconds() / 1e9;
    Ok(NetworkRow {
        chans,
        batch,
        time,
        patches_per_second: batch as f64 / time.seconds(),
        gflops,
        share_of_ceiling: gflops / ceilings.fma_gflops,
        memory_mib: memory as f64 / MIB,
        parts: if with_parts && timer.by_device() { parts(&plan.profile()?) } else { Vec::new() },
    })
}

/// The time of each stage and kernel, the longest first.
fn parts(timings: &[Timing]) -> Vec<Part> {
    let all: f64 = timings.iter().map(|t| t.seconds).sum();
    let mut sums: BTreeMap<(&str, &str), [f64; 2]> = BTreeMap::new();
    for timing in timings {
        let kernel = timing.label.split(' ').next().unwrap_or_default();
        let [seconds, flops] = sums.entry((timing.stage, kernel)).or_default();
        *seconds += timing.seconds;
        *flops += timing.cost.flops;
    }
    let part = |((stage, kernel), [seconds, flops]): ((&str, &str), [f64; 2])| Part {
        stage: stage.into(),
        kernel: kernel.into(),
        ms: 1e3 * seconds,
        share_of_time: seconds / all,
        gflops: flops / seconds.max(1e-12) / 1e9,
    };
    let mut parts: Vec<Part> = sums.into_iter().map(part).collect();
    parts.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    parts
}

/// Phases of a plane wave in a disc of the size of a liver, and the disc.
fn disc() -> (Vec<f32>, Vec<bool>) {
    let at = |i: usize| ((i % SIDE) as f32, (i / SIDE % SIDE) as f32, (i / (SIDE * SIDE)) as f32);
    let middle = (SIDE - 1) as f32 / 2.0;
    let inside = |i: usize| (at(i).0 - middle).hypot(at(i).1 - middle) < RADIUS;
    let wave = |i: usize| {
        let (x, y, t) = at(i);
        (std::f32::consts::TAU * (t / PHASES as f32 - (0.9 * x + 0.4 * y) / WAVELENGTH)).cos()
    };
    let plane = SIDE * SIDE;
    let frames = (0..PHASES * plane).map(|i| if inside(i % plane) { wave(i) } else { 0.0 });
    (frames.collect(), (0..plane).map(inside).collect())
}

/// Measures DIME with the built-in network on one slice.
///
/// # Errors
/// The errors of [`Dime::new`].
pub fn slice(chooser: &Chooser, qualifier: &Qualifier, runs: Runs, stride: usize) -> Result<SliceRow> {
    let (frames, mask) = disc();
    let settings = DimeSettings {
        size: Size::square(SIDE),
        spacing_mm: [1.0; 2],
        frames: Frames::Phases(PHASES),
        conjugated: false,
        frequency_hz: 60.0,
        density: 1000.0,
        stride,
        batch: 128,
        patch: None,
        pixel_mm: None,
    };
    let weights = DimeWeights::default().weights()?;
    let chooser = &qualifier.chooser(chooser, &|c| Dime::specs(c, &weights, &settings))?;
    // The pipelines are fresh, so that the cold run includes compilation.
    let (chooser, start) = (&chooser.on(&fresh(chooser)), Instant::now());
    let mut dime = Dime::new(chooser, &weights, &settings, &|_, _| {})?;
    let memory = dime.plan().memory();
    let made = Made { method: "DIME".into(), stride: Some(stride), start, memory };
    made.measure(runs, &mask, || dime.invert(&frames, &mask).map(drop))
}

/// Measures the direct inversion on one slice, in `mode`.
///
/// # Errors
/// The errors of [`Mmdi::new`].
pub fn mmdi(chooser: &Chooser, runs: Runs, mode: MmdiMode) -> Result<SliceRow> {
    let (frames, mask) = disc();
    let settings =
        MmdiSettings { mode, ..MmdiSettings::new(Size::square(SIDE), [1.0; 2], Frames::Phases(PHASES)) };
    let (pipelines, start) = (fresh(chooser), Instant::now());
    let mmdi = Mmdi::new(&pipelines, &settings, &|_, _| {})?;
    let memory = mmdi.plan().memory();
    let made = Made { method: format!("MMDI, {mode}"), stride: None, start, memory };
    made.measure(runs, &mask, || mmdi.invert(&frames, &mask).map(drop))
}

/// Fresh pipelines of the same device, without compiled kernels.
fn fresh(chooser: &Chooser) -> Pipelines {
    Pipelines::new(chooser.pipelines().device(), Checks::Off)
}

/// An inversion that is compiled and has not run yet.
struct Made {
    method: String,
    stride: Option<usize>,
    /// The time when its construction began.
    start: Instant,
    memory: u64,
}

impl Made {
    fn measure(self, runs: Runs, mask: &[bool], mut invert: impl FnMut() -> Result<()>) -> Result<SliceRow> {
        let mut cold_ms = None;
        let time = runs.measure(|| {
            let again = Instant::now();
            invert()?;
            cold_ms.get_or_insert_with(|| 1e3 * self.start.elapsed().as_secs_f64());
            Ok(again.elapsed().as_secs_f64())
        })?;
        Ok(SliceRow {
            method: self.method,
            side: SIDE,
            inside: mask.iter().filter(|m| **m).count(),
            stride: self.stride,
            cold_ms: cold_ms.unwrap_or_default(),
            time,
            memory_mib: self.memory as f64 / MIB,
        })
    }
}
