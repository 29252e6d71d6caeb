//! The ceilings of a device, with which kernels are compared.

use super::timer::{Measured, Runs, Timer};
use crate::device::Caps;
use crate::error::{Error, Result};
use crate::kernel::core::{clear, copy, fma};
use crate::kernel::form::Form;
use crate::plan::{Cost, Pipelines, Plan, Recorder};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::time::Duration;

/// The number of dispatches from which the cost of one is computed.
const MANY: usize = 500;

/// The measured limits of a device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// Multiplications and additions in f32, 10⁹ per second; a multiply-add counts two. The median of many
    /// measurements, taken between those of the kernels.
    pub fma_gflops: f64,
    /// The same in half precision, if the device supports it.
    pub fma_f16_gflops: Option<f64>,
    /// The same by matrix units, with f16 factors and f32 sums, if the device was opened with them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub units_gflops: Option<f64>,
    /// Bytes read and written by a copy, 10⁹ per second.
    pub copy_gbs: f64,
    /// The time of one dispatch among many of one submission, μs.
    pub dispatch_us: f64,
    /// The time of a submission of one dispatch, from the call to its known end, μs.
    pub submit_us: f64,
}

impl Ceilings {
    /// Measures the ceilings. Calls `tell` before each measurement.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn measure(pipelines: &Pipelines, timer: &Timer, runs: Runs, tell: &dyn Fn(&str)) -> Result<Self> {
        let caps = pipelines.device().caps();
        tell("multiply-adds in f32");
        let fma_gflops = rate(pipelines, timer, runs, false)?;
        tell("multiply-adds in f16");
        let half = fma::spec(true).runs_on(caps);
        let fma_f16_gflops = half.then(|| rate(pipelines, timer, runs, true)).transpose()?;
        tell("matrix units");
        let units_gflops = units(pipelines, timer, runs)?;
        tell("memory");
        let copy_gbs = bandwidth(pipelines, timer, runs)?;
        tell("dispatches");
        let seconds = |count| -> Result<f64> {
            let plan = dispatches(pipelines, count)?;
            plan.run()?;
            Ok(timer.whole(&plan, Runs { least: 5, most: 15, ..runs })?.seconds())
        };
        let (one, many) = (seconds(1)?, seconds(MANY)?);
        let dispatch_us = 1e6 * (many - one).max(0.0) / (MANY - 1) as f64;
        Ok(Self { fma_gflops, fma_f16_gflops, units_gflops, copy_gbs, dispatch_us, submit_us: 1e6 * one })
    }

    /// The least seconds that `cost` can take here: the greater of the times of its arithmetic and of its bytes.
    pub fn least_seconds(&self, cost: Cost) -> f64 {
        (cost.flops / self.fma_gflops).max(cost.bytes / self.copy_gbs) / 1e9
    }
}

/// The number of threads, and of multiply-adds of four numbers of each thread. They fill the device and take some time.
fn work(caps: &Caps, half: bool) -> [usize; 2] {
    match (caps.software(), half) {
        (true, false) => [1 << 12, 12_000],
        // Software adapters convert between f16 and f32 at each step.
        (true, true) => [1 << 12, 1000],
        (false, _) => [1 << 18, 500],
    }
}

/// The rate of the first kind of units that works. A device may announce units and then refuse them.
fn units(pipelines: &Pipelines, timer: &Timer, runs: Runs) -> Result<Option<f64>> {
    for form in Form::in_half(pipelines.device().caps()) {
        let Form::Half(units) = form else { continue };
        let mut rec = Recorder::new();
        fma::record_units(&mut rec, units, [0.5, 0.25], 1 << 12, 1000);
        let flops: f64 = rec.dispatches().iter().map(|d| d.cost().flops).sum();
        match Plan::compile(rec, pipelines, &|_, _| {}).and_then(|plan| timer.dispatches(&plan, runs)) {
            Ok(time) => return Ok(Some(flops / time.seconds() / 1e9)),
            Err(error @ Error::DeviceLost { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(None)
}

fn rate(pipelines: &Pipelines, timer: &Timer, runs: Runs, half: bool) -> Result<f64> {
    let (plan, flops) = chains(pipelines, half)?;
    Ok(flops / timer.dispatches(&plan, runs)?.seconds() / 1e9)
}

/// A plan of multiply-adds only, and the number of its operations.
fn chains(pipelines: &Pipelines, half: bool) -> Result<(Plan, f64)> {
    let [threads, steps] = work(pipelines.device().caps(), half);
    let mut rec = Recorder::new();
    fma::record(&mut rec, half, [0.999, 0.001], threads, steps);
    let flops: f64 = rec.dispatches().iter().map(|d| d.cost().flops).sum();
    Ok((Plan::compile(rec, pipelines, &|_, _| {})?, flops))
}

/// Measures the rate of multiply-adds repeatedly, between the measurements of kernels. On a shared machine this rate
/// changes from minute to minute, and the rates of kernels change with it.
pub struct Probe<'a> {
    plan: Plan,
    flops: f64,
    timer: &'a Timer,
    taken: RefCell<Vec<f64>>,
}

impl<'a> Probe<'a> {
    /// A probe without measurements.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn new(pipelines: &Pipelines, timer: &'a Timer) -> Result<Self> {
        let (plan, flops) = chains(pipelines, false)?;
        plan.run()?;
        Ok(Self { plan, flops, timer, taken: RefCell::default() })
    }

    /// Takes one measurement.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn take(&self) -> Result<()> {
        let once = Runs { least: 1, most: 1, within: Duration::ZERO };
        self.taken.borrow_mut().push(self.timer.warm(&self.plan, once)?.seconds());
        Ok(())
    }

    /// The median of the measurements, 10⁹ per second; `None` without any.
    pub fn gflops(self) -> Option<f64> {
        let taken = self.taken.into_inner();
        (!taken.is_empty()).then(|| self.flops / Measured::of(taken).seconds() / 1e9)
    }
}

fn bandwidth(pipelines: &Pipelines, timer: &Timer, runs: Runs) -> Result<f64> {
    let quads = ((128 << 20).min(pipelines.device().caps().max_binding()) / 16) as usize;
    let mut rec = Recorder::new();
    let buffers = ["source", "copy"].map(|label| rec.output::<[f32; 4]>(label, quads));
    copy::record(&mut rec, buffers, quads);
    let plan = Plan::compile(rec, pipelines, &|_, _| {})?;
    Ok(32.0 * quads as f64 / timer.dispatches(&plan, runs)?.seconds() / 1e9)
}

/// A plan of `count` dispatches of one workgroup, each of which waits for the one before.
fn dispatches(pipelines: &Pipelines, count: usize) -> Result<Plan> {
    let mut rec = Recorder::new();
    let buf = rec.output::<u32>("a word", 1);
    (0..count).for_each(|_| clear::record(&mut rec, buf, 1));
    Plan::compile(rec, pipelines, &|_, _| {})
}
