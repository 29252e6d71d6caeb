//! How long a plan takes: warm, from memory rather than from caches, as a median with its spread.

use crate::error::Result;
use crate::gpu::Gpu;
use crate::kernel::core::clear;
use crate::plan::{Pipelines, Plan, Recorder};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Bytes written between two runs, so that neither finds its data in a cache: more than the caches of a GPU hold, and more
/// than a core's part of a processor's.
const FLUSHED: u64 = 192 << 20;
const FLUSHED_IN_SOFTWARE: u64 = 64 << 20;

/// What several runs of one thing took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The median, ms.
    pub ms: f64,
    /// (Slowest − fastest) / median.
    pub spread: f64,
    /// Runs that counted.
    pub runs: usize,
}

impl Measured {
    /// Of the seconds that each run took.
    ///
    /// # Panics
    /// When there was no run.
    pub fn of(mut seconds: Vec<f64>) -> Self {
        // A clock may be too coarse for what it is to time.
        seconds.iter_mut().for_each(|s| *s = s.max(1e-9));
        seconds.sort_by(f64::total_cmp);
        let (n, median) =
            (seconds.len(), (seconds[(seconds.len() - 1) / 2] + seconds[seconds.len() / 2]) / 2.0);
        Self { ms: 1e3 * median, spread: (seconds[n - 1] - seconds[0]) / median, runs: n }
    }

    /// The median, s.
    pub fn seconds(self) -> f64 {
        self.ms / 1e3
    }
}

/// Runs of one thing: as many as `most`, fewer where they take longer than `within` together, `least` at any rate.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// Runs at the least.
    pub least: usize,
    /// Runs at the most.
    pub most: usize,
    /// When no further run is begun.
    pub within: Duration,
}

impl Runs {
    /// Runs `once` without counting it, which compiles and warms up, then as often as is wanted; `once` tells how many
    /// seconds it took.
    ///
    /// # Errors
    /// Those of `once`.
    pub fn measure(self, mut once: impl FnMut() -> Result<f64>) -> Result<Measured> {
        once()?;
        self.measure_warm(once)
    }

    /// The same of what has run before.
    ///
    /// # Errors
    /// Those of `once`.
    pub fn measure_warm(self, mut once: impl FnMut() -> Result<f64>) -> Result<Measured> {
        let start = Instant::now();
        let mut seconds = Vec::new();
        while seconds.len() < self.least.max(1)
            || (seconds.len() < self.most && start.elapsed() < self.within)
        {
            seconds.push(once()?);
        }
        Ok(Measured::of(seconds))
    }
}

/// Times plans on one device.
pub struct Timer {
    gpu: Gpu,
    flush: Plan,
}

impl Timer {
    /// A timer for plans of these `pipelines`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory) when the device has no room to flush its caches with.
    pub fn new(pipelines: &Pipelines) -> Result<Self> {
        let gpu = pipelines.gpu().clone();
        let bytes = if gpu.caps().software() { FLUSHED_IN_SOFTWARE } else { FLUSHED };
        let words = bytes.min(gpu.caps().max_binding()) as usize / 4;
        let mut rec = Recorder::new();
        let buf = rec.scratch::<u32>("what flushes caches", words);
        clear::record(&mut rec, buf, words);
        let flush = Plan::compile(rec, pipelines, &|_, _| {})?;
        Ok(Self { gpu, flush })
    }

    /// Whether the device has a clock of its own.
    pub fn by_device(&self) -> bool {
        self.gpu.caps().timestamps()
    }

    /// The dispatches of `plan` alone: by the device's own clock where it has one, from submission to the end otherwise.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn dispatches(&self, plan: &Plan, runs: Runs) -> Result<Measured> {
        plan.run()?;
        self.gpu.wait()?;
        self.warm(plan, runs)
    }

    /// The same of what has run before.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn warm(&self, plan: &Plan, runs: Runs) -> Result<Measured> {
        if !self.by_device() {
            return self.whole(plan, runs);
        }
        runs.measure_warm(|| {
            self.flush()?;
            Ok(plan.profile()?.iter().map(|timing| timing.seconds).sum())
        })
    }

    /// All of `plan`, from submission to the end; it is to have run before.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn whole(&self, plan: &Plan, runs: Runs) -> Result<Measured> {
        runs.measure_warm(|| {
            self.flush()?;
            let start = Instant::now();
            plan.run()?;
            self.gpu.wait()?;
            Ok(start.elapsed().as_secs_f64())
        })
    }

    fn flush(&self) -> Result<()> {
        self.flush.run()?;
        self.gpu.wait()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spreads() {
        let odd = Measured::of(vec![3.0, 1.0, 2.0]);
        assert_eq!(odd, Measured { ms: 2000.0, spread: 1.0, runs: 3 });
        assert_eq!(Measured::of(vec![1.0, 2.0]).ms, 1500.0);
        assert_eq!(Measured::of(vec![0.5]), Measured { ms: 500.0, spread: 0.0, runs: 1 });
    }

    #[test]
    fn the_first_run_does_not_count_and_time_bounds_the_rest() {
        let count = |runs: Runs| {
            let mut calls = 0;
            let measured = runs.measure(|| {
                calls += 1;
                Ok(if calls == 1 { 100.0 } else { 1.0 })
            });
            (calls, measured.expect("no error"))
        };
        let hour = Duration::from_secs(3600);
        let (calls, measured) = count(Runs { least: 1, most: 4, within: hour });
        assert_eq!((calls, measured.ms, measured.runs), (5, 1000.0, 4));
        assert_eq!(count(Runs { least: 2, most: 9, within: Duration::ZERO }).0, 3);
    }
}
