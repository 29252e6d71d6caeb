//! The network's arithmetic against this adapter's own ceiling: every form of the 3 × 3 convolution, forward, data
//! gradient and weight gradient, at the shapes of the U-Net and batch 128.
//!
//! `cargo bench --bench network` prints a table of useful GFLOP/s, 2 n h w ci co 9 / time, medians of several runs;
//! each row is measured beside the ceiling, so that a noisy machine shows. Taps outside an image are skipped where all
//! pixels of a workgroup have them, and count as useful: at 3 × 3 pixels they are 40 %. `-- register` runs the forms so
//! called. Then a whole training step, part by part: `-- step` for that alone, `-- dispatches` for all it consists of,
//! `CHANS` in the environment for another width than 32.

#[path = "../tests/common/mod.rs"]
mod common;

use palpate::gpu::Gpu;
use palpate::kernel::choose::Chooser;
use palpate::kernel::convolve::{self, Finish, Form, Geometry};
use palpate::kernel::{Checks, Pipelines, convolve_weights, fma};
use palpate::nn::{Norm, Unet, UnetSettings, Weights};
use palpate::plan::{Plan, Recorder};
use palpate::tensor::{Shape, Tensor};
use palpate::train::{Learned, Objective, TrainStep};
use std::time::Instant;

/// Channels and side of the images.
const SHAPES: [(usize, usize); 6] = [(64, 30), (128, 15), (256, 7), (512, 3), (16, 30), (32, 15)];
const BATCH: usize = 128;
const RUNS: usize = 5;

fn main() -> palpate::Result<()> {
    let Some(gpu) = common::gpu() else { return Ok(()) };
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    println!("adapter: {} ({})", gpu.caps().info.name, gpu.caps().info.driver_info);
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    if wanted == "step" || wanted == "dispatches" {
        return step(&gpu, &pipelines, wanted == "dispatches");
    }
    let ceiling = Bench::new(&pipelines, &|rec| {
        fma::record(rec, false, [0.999, 0.001], 1 << 14, 20_000);
    })?;
    let heads: Vec<_> = SHAPES.iter().map(|(c, side)| format!("{c}@{side}²")).collect();
    println!("{:<30} {:>8}  {}", "GFLOP/s, batch 128", "ceiling", heads.map_width());
    for (name, work) in [("forward", forward as Work), ("data gradient", data), ("weight gradient", weights)]
    {
        for form in Form::candidates(gpu.caps(), 64, 1 << 17) {
            let label = format!("{name}, {form:?}");
            if !label.to_lowercase().contains(&wanted.to_lowercase()) {
                continue;
            }
            let peak = ceiling.gflops(&gpu)?;
            let cells = SHAPES.iter().map(|&(c, side)| {
                let shape = Shape::new(BATCH, side, side, c);
                Bench::new(&pipelines, &|rec| work(rec, form, shape))?.gflops(&gpu)
            });
            let cells = cells.collect::<palpate::Result<Vec<_>>>()?;
            let mut larger = cells[..4].to_vec();
            larger.sort_by(f64::total_cmp);
            let share = 50.0 * (larger[1] + larger[2]) / peak;
            let cells: Vec<_> = cells.iter().map(|v| format!("{v:.1}")).collect();
            println!("{label:<30} {peak:>8.1}  {}  median of four {share:.0} %", cells.map_width());
        }
    }
    if wanted.is_empty() { step(&gpu, &pipelines, false) } else { Ok(()) }
}

/// A training step of the U-Net at batch 128, 30 × 30; also `each` of its dispatches.
fn step(gpu: &Gpu, pipelines: &Pipelines, each: bool) -> palpate::Result<()> {
    let chans = std::env::var("CHANS").ok().and_then(|c| c.parse().ok()).unwrap_or(32);
    for norm in [Norm::Instance, Norm::Batch] {
        let unet = Unet::new(UnetSettings { chans, norm, ..Default::default() })?;
        let learned = Learned::new(gpu, &Weights::random(unet, 1))?;
        let chooser = Chooser::new(pipelines);
        let objective = Objective { total_variation: 0.01, masked: true };
        let settings = Default::default();
        let step = TrainStep::new(&chooser, &learned, [BATCH, 30, 30], objective, settings, &|_, _| {})?;
        let mut rng = fastrand::Rng::with_seed(1);
        let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
        let (input, truth, mask) = (random(2 * BATCH * 900), random(BATCH * 900), vec![1.0; BATCH * 900]);
        step.run([&input, &truth, &mask], 1, 1, 3e-4)?;
        let peak = Bench::new(pipelines, &|rec| {
            fma::record(rec, false, [0.999, 0.001], 1 << 14, 20_000);
        })?
        .gflops(gpu)?;
        let mut seconds = (2..2 + RUNS as u32)
            .map(|t| {
                let start = Instant::now();
                step.submit(1, t, 3e-4)?;
                gpu.wait()?;
                Ok(start.elapsed().as_secs_f64())
            })
            .collect::<palpate::Result<Vec<_>>>()?;
        seconds.sort_by(f64::total_cmp);
        let median = seconds[RUNS / 2];
        println!(
            "step, {chans} channels, {norm:?} norm, batch {BATCH}: {median:.3} s, {:.0} patches/s, {:.1} useful GFLOP/s \
             ({:.0} % of {peak:.1}), {} MiB of device memory",
            BATCH as f64 / median,
            step.flops() / median / 1e9,
            step.flops() / median / 1e7 / peak,
            (step.memory() + learned.memory()) >> 20
        );
        if !gpu.caps().timestamps() {
            continue;
        }
        let mut parts: Vec<(&str, f64, f64)> = Vec::new();
        for timing in step.plan().profile()? {
            let (flops, time) = (timing.cost.flops, timing.seconds);
            if each {
                println!(
                    "    {:<60} {:>8.2} ms {:>6.1} GFLOP/s",
                    timing.label,
                    1e3 * time,
                    flops / time / 1e9
                );
            }
            match parts.iter_mut().find(|(stage, ..)| *stage == timing.stage) {
                Some((_, f, t)) => (*f, *t) = (*f + flops, *t + time),
                None => parts.push((timing.stage, flops, time)),
            }
        }
        for (stage, flops, time) in parts {
            let rate = flops / time / 1e9;
            println!("  {stage:<22} {time:>7.3} s  {rate:>6.1} GFLOP/s  {:>3.0} %", 100.0 * rate / peak);
        }
    }
    Ok(())
}

type Work = fn(&mut Recorder, Form, Shape);

fn random(rec: &mut Recorder, label: &'static str, shape: Shape) -> Tensor {
    let mut rng = fastrand::Rng::with_seed(1);
    let values: Vec<f32> = (0..shape.floats()).map(|_| rng.f32() - 0.5).collect();
    Tensor::whole(rec.constant(label, &values), shape)
}

fn forward(rec: &mut Recorder, form: Form, shape: Shape) {
    let src = random(rec, "source", shape);
    let weights = random(rec, "weights", Geometry::Three.weights(shape.c, shape.c));
    let dst = Tensor::scratch(rec, "result", shape);
    convolve::record(rec, form, Geometry::Three, src, (weights, Finish::Plain), dst);
}

fn data(rec: &mut Recorder, form: Form, shape: Shape) {
    let grad = random(rec, "gradient", shape);
    let weights = random(rec, "weights", Geometry::Three.weights(shape.c, shape.c));
    let dst = Tensor::scratch(rec, "result", shape);
    convolve::record_gradient(rec, form, Geometry::Three, grad, weights, dst);
}

fn weights(rec: &mut Recorder, form: Form, shape: Shape) {
    let (src, grad) = (random(rec, "source", shape), random(rec, "gradient", shape));
    convolve_weights::record(rec, form, Geometry::Three, src, grad, 64);
}

struct Bench {
    plan: Plan,
    flops: f64,
}

impl Bench {
    fn new(pipelines: &Pipelines, record: &dyn Fn(&mut Recorder)) -> palpate::Result<Self> {
        let mut rec = Recorder::new();
        record(&mut rec);
        let flops = rec.dispatches().iter().map(|d| d.cost.flops).sum();
        Ok(Self { plan: Plan::compile(rec, pipelines, &|_, _| {})?, flops })
    }

    /// After a first run that does not count.
    fn gflops(&self, gpu: &Gpu) -> palpate::Result<f64> {
        let run = || -> palpate::Result<f64> {
            let start = Instant::now();
            self.plan.run()?;
            gpu.wait()?;
            Ok(start.elapsed().as_secs_f64())
        };
        run()?;
        let mut seconds = (0..RUNS).map(|_| run()).collect::<palpate::Result<Vec<_>>>()?;
        seconds.sort_by(f64::total_cmp);
        Ok(self.flops / seconds[RUNS / 2] / 1e9)
    }
}

trait Columns {
    fn map_width(&self) -> String;
}

impl Columns for Vec<String> {
    fn map_width(&self) -> String {
        self.iter().map(|cell| format!("{cell:>8}")).collect()
    }
}
