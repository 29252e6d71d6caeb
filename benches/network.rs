//! The network's arithmetic against this adapter's own ceiling: every form of the 3 × 3 convolution, forward, data
//! gradient and weight gradient, at the shapes of the U-Net and batch 128.
//!
//! `cargo bench --bench network` prints a table of useful GFLOP/s, 2 n h w ci co 9 / time, medians of several runs;
//! each row is measured beside the ceiling, so that a noisy machine shows. `-- register` runs the forms so called.

#[path = "../tests/common/mod.rs"]
mod common;

use palpate::gpu::Gpu;
use palpate::kernel::convolve::{self, Filter, Form, Geometry};
use palpate::kernel::{Checks, Pipelines, convolve_weights, fma};
use palpate::plan::{Plan, Recorder};
use palpate::tensor::{Shape, Tensor};
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
    let ceiling = Bench::new(&pipelines, &|rec| {
        fma::record(rec, [0.999, 0.001], 1 << 14, 20_000);
    })?;
    let heads: Vec<_> = SHAPES.iter().map(|(c, side)| format!("{c}@{side}²")).collect();
    println!("{:<30} {:>8}  {}", "GFLOP/s, batch 128", "ceiling", heads.map_width());
    for (name, work) in [("forward", forward as Work), ("data gradient", data), ("weight gradient", weights)]
    {
        for form in Form::candidates(gpu.caps(), 64) {
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
    convolve::record(rec, form, Geometry::Three, src, Filter { weights, bias: None }, dst);
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
