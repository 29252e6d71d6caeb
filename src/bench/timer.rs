//! The timing of plans: warm, from memory and not from caches, as a median with its spread.

use crate::device::Device;
use crate::error::Result;
use crate::kernel::core::clear;
use crate::plan::{Pipelines, Plan, Recorder};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The bytes written between two runs, so that no run finds its data in a cache. They exceed the caches of a GPU, and
/// in software a core's part of the processor's caches.
const FLUSHED: u64 = 192 << 20;
const FLUSHED_IN_SOFTWARE: u64 = 64 << 20;

/// The time of several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The median, ms.
    pub ms: f64,
    /// (Slowest − fastest) / median.
    pub spread: f64,
    /// The number of runs that counted.
    pub runs: usize,
}

impl Measured {
    /// The statistics of the seconds of each run.
    ///
    /// # Panics
    /// If there was no run.
    pub fn of(mut seconds: Vec<f64>) -> Self {
        // A clock may be too coarse for a short run.
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

/// The number of runs: up to `most`, fewer if they take longer than `within` together, but at least `least`.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// The smallest number of runs.
    pub least: usize,
    /// The largest number of runs.
    pub most: usize,
    /// No further run begins after this time.
    pub within: Duration,
}

impl Runs {
    /// Calls `once` for a first run that does not count, which compiles and warms up, and then for the runs that count.
    /// `once` returns the seconds that it took.
    ///
    /// # Errors
    /// The errors of `once`.
    pub fn measure(self, mut once: impl FnMut() -> Result<f64>) -> Result<Measured> {
        once()?;
        self.measure_warm(once)
    }

    /// The same without a first run, for work that has run before.
    ///
    /// # Errors
    /// The errors of `once`.
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
    device: Device,
    flush: Plan,
}

impl Timer {
    /// A timer for plans of these `pipelines`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory) if the device has no memory for flushing its caches.
    pub fn new(pipelines: &Pipelines) -> Result<Self> {
        let device = pipelines.device().clone();
        let bytes = if device.caps().software() { FLUSHED_IN_SOFTWARE } else { FLUSHED };
        let words = bytes.min(device.caps().max_binding()) as usize / 4;
        let mut rec = Recorder::new();
        let buf = rec.scratch::<u32>("cache flush", words);
        clear::record(&mut rec, buf, words);
        let flush = Plan::compile(rec, pipelines, &|_, _| {})?;
        Ok(Self { device, flush })
    }

    /// Reports whether plans are timed by the device's own clock.
    pub fn by_device(&self) -> bool {
        self.device.caps().timestamps()
    }

    /// Times the dispatches of `plan` alone, by the device's own clock if it has one, otherwise from submission to the
    /// end.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn dispatches(&self, plan: &Plan, runs: Runs) -> Result<Measured> {
        plan.run()?;
        self.device.wait()?;
        self.warm(plan, runs)
    }

    /// The same for a plan that has run before.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn warm(&self, plan: &Plan, runs: Runs) -> Result<Measured> {
        if !self.by_device() {
            return self.whole(plan, runs);
        }
        runs.measure_warm(|| {
            self.flush()?;
            Ok(plan.profile()?.iter().map(|timing| timing.seconds).sum())
        })
    }

    /// Times all of `plan` from submission to the end. The plan must have run before.
    ///
    /// # Errors
    /// Any error of the device.
    pub fn whole(&self, plan: &Plan, runs: Runs) -> Result<Measured> {
        runs.measure_warm(|| {
            self.flush()?;
            let start = Instant::now();
            plan.run()?;
            self.device.wait()?;
            Ok(start.elapsed().as_secs_f64())
        })
    }

    fn flush(&self) -> Result<()> {
        self.flush.run()?;
        self.device.wait()
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
