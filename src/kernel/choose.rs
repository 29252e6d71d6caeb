//! Which form of a kernel a device runs: the most promising one whose results agree with the oracle there.

use super::convolve::{Form, Geometry};
use super::{Expect, Pipelines, Place, Size, Spec, convolve, convolve_weights};
use crate::error::{Error, Result};
use crate::plan::{Plan, Recorder};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Chooses among forms for one device. Cloning shares what it has found out.
#[derive(Clone)]
pub struct Chooser {
    pipelines: Pipelines,
    /// Only these, where a caller insists.
    only: Option<Form>,
    verdicts: Arc<Mutex<HashMap<Spec, Option<String>>>>,
}

impl Chooser {
    /// Chooses what suits the device best.
    pub fn new(pipelines: &Pipelines) -> Self {
        Self { pipelines: pipelines.clone(), only: None, verdicts: Arc::default() }
    }

    /// Insists on one form: for tests and benches.
    pub fn only(pipelines: &Pipelines, form: Form) -> Self {
        Self { only: Some(form), ..Self::new(pipelines) }
    }

    /// The pipelines it chooses for.
    pub fn pipelines(&self) -> &Pipelines {
        &self.pipelines
    }

    /// How many workgroups keep the device busy, roughly.
    pub fn workgroups(&self) -> usize {
        // Software adapters have a thread a core; a GPU has some hundred units that hold several each.
        if self.pipelines.gpu().caps().software() { 64 } else { 1024 }
    }

    /// The form of a convolution to `co` channels.
    ///
    /// # Errors
    /// [`Error::Kernel`] when no form computes correctly on this device.
    pub fn convolve(&self, geometry: Geometry, bias: bool, co: usize) -> Result<Form> {
        self.first(co, &|form| convolve::spec(form, geometry, bias))
    }

    /// The form of a weight gradient of `ci` and `co` channels.
    ///
    /// # Errors
    /// [`Error::Kernel`] when no form computes correctly on this device.
    pub fn convolve_weights(&self, geometry: Geometry, [ci, co]: [usize; 2]) -> Result<Form> {
        self.first(co, &|form| convolve_weights::spec(form, geometry, [ci, co]))
    }

    fn first(&self, co: usize, spec: &dyn Fn(Form) -> Spec) -> Result<Form> {
        let mut failures = Vec::new();
        let candidates = Form::candidates(self.pipelines.gpu().caps(), co);
        for form in candidates.into_iter().filter(|form| self.only.is_none_or(|only| only == *form)) {
            let spec = spec(form);
            match self.verdict(&spec)? {
                None => return Ok(form),
                Some(what) => failures.push(format!("{}: {what}", spec.label())),
            }
        }
        Err(Error::kernel(
            "convolve",
            format!(
                "no form of it computes correctly on this adapter; try another with --adapter, or update its driver \
                 ({})",
                failures.join("; ")
            ),
        ))
    }

    /// What is wrong with `spec` on this device, if anything. Devices that are lost are errors, not verdicts.
    fn verdict(&self, spec: &Spec) -> Result<Option<String>> {
        let lock = || self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = lock().get(spec) {
            return Ok(verdict.clone());
        }
        let mut verdict = None;
        // Small sizes, with ends that fill no tile: what goes wrong on a driver shows there as well.
        for size in &spec.kernel.sizes[1..4.min(spec.kernel.sizes.len())] {
            match qualify(&self.pipelines, spec, *size) {
                Ok(()) => {}
                Err(error @ (Error::DeviceLost(_) | Error::OutOfMemory(_))) => return Err(error),
                Err(error) => {
                    verdict = Some(error.to_string());
                    break;
                }
            }
        }
        lock().insert(spec.clone(), verdict.clone());
        Ok(verdict)
    }
}

/// Runs the trial of `spec` at `size` against its oracle.
///
/// # Errors
/// [`Error::Kernel`] when they differ by more than rounding explains.
pub fn qualify(pipelines: &Pipelines, spec: &Spec, size: Size) -> Result<()> {
    let mut rec = Recorder::new();
    let expected = (spec.kernel.trial)(&mut rec, spec, size, &mut fastrand::Rng::with_seed(1));
    for place in expected.iter().map(|e| &e.place) {
        if let Place::Buffer(buf) = place {
            rec.keep(*buf);
        }
    }
    let plan = Plan::compile(rec, pipelines, &|_, _| {})?;
    plan.poison()?;
    plan.run()?;
    expected.iter().try_for_each(|e| compare(&plan, spec, e))
}

fn compare(plan: &Plan, spec: &Spec, expect: &Expect) -> Result<()> {
    let Place::Buffer(buf) = expect.place else { return Ok(()) };
    let got: Vec<f32> = plan.read(buf)?;
    let (mut off, mut norm) = (0.0, 0.0);
    for (got, expected) in got.iter().zip(&expect.values).filter(|(_, e)| !e.is_nan()) {
        off += (f64::from(*got) - expected).powi(2);
        norm += expected.powi(2);
    }
    // A NaN among the results is no less than anything.
    let error = if off == 0.0 { 0.0 } else { (off / norm).sqrt() };
    if error <= expect.tolerance {
        return Ok(());
    }
    Err(Error::kernel(spec.label(), format!("differs from its oracle by {error:.1e} on this adapter")))
}
