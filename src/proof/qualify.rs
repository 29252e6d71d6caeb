//! Qualification: a form is used on a device only if its results agree with the oracle there.

use super::trial::{At, Expect, TrialSize, trial};
use crate::error::{Error, Result};
use crate::kernel::form::{Chooser, Form};
use crate::kernel::nn::convolve::{Finish, Geometry};
use crate::plan::{Pipelines, Plan, Recorder, Spec};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The kernels of the forms.
const FORMS: [&str; 6] = [
    "convolve",
    "convolve_half",
    "convolve_weights",
    "winograd_input",
    "winograd_weights",
    "winograd_output",
];

/// Qualifies forms on one device and remembers the verdicts. Clones share them.
#[derive(Clone)]
pub struct Qualifier {
    pipelines: Pipelines,
    /// By label: the reason for a refusal, or `None` if the form was accepted.
    verdicts: Arc<Mutex<BTreeMap<String, Option<String>>>>,
}

impl Qualifier {
    /// A qualifier without verdicts.
    pub fn new(pipelines: &Pipelines) -> Self {
        Self { pipelines: pipelines.clone(), verdicts: Arc::default() }
    }

    /// Returns `chooser` without the forms that compute wrongly. `specs` returns the specialisations that a chooser's
    /// choices need; it is called again after each refusal.
    ///
    /// # Errors
    /// [`Error::Kernel`] if no form is left, [`Error::DeviceLost`], [`Error::OutOfMemory`], and any error of `specs`.
    pub fn chooser(
        &self,
        chooser: &Chooser,
        specs: &dyn Fn(&Chooser) -> Result<Vec<Spec>>,
    ) -> Result<Chooser> {
        let mut chooser = chooser.clone();
        loop {
            let mut refused = Vec::new();
            for spec in specs(&chooser)? {
                if let Some(why) = self.verdict(&spec)? {
                    refused.push((spec, why));
                }
            }
            if refused.is_empty() {
                return Ok(chooser);
            }
            chooser = chooser.without(refused);
        }
    }

    /// Returns `chooser` with convolutions in half precision on matrix units, after trying the units of the device.
    ///
    /// # Errors
    /// [`Error::Units`] if the device has no matrix units that palpate can use, was opened without them
    /// ([`Device::open_with_units`](crate::device::Device::open_with_units)), or computes wrongly on them.
    pub fn in_half(&self, chooser: &Chooser) -> Result<Chooser> {
        let caps = self.pipelines.device().caps();
        let mut failures = Vec::new();
        for form in Form::in_half(caps) {
            match self.verdicts(&form.convolves(Geometry::Three, Finish::Plain))? {
                None => return Ok(chooser.with_half(form)),
                Some(what) => failures.push(what),
            }
        }
        Err(Error::Units { adapter: caps.info.name.clone(), failures })
    }

    /// The reason to refuse the first of `specs` that computes wrongly, if any.
    pub(super) fn verdicts(&self, specs: &[Spec]) -> Result<Option<String>> {
        for spec in specs {
            if let Some(what) = self.verdict(spec)? {
                return Ok(Some(format!("{}: {what}", spec.label())));
            }
        }
        Ok(None)
    }

    /// The reason to refuse `spec` on this device, if any. A lost device is an error, not a verdict.
    fn verdict(&self, spec: &Spec) -> Result<Option<String>> {
        if !FORMS.contains(&spec.kernel.name) {
            return Ok(None);
        }
        let lock = || self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = lock().get(&spec.label()) {
            return Ok(verdict.clone());
        }
        let mut verdict = None;
        // Small sizes, with tiles that are not full, are enough, because a driver's faults show there too.
        let sizes = trial(spec.kernel).sizes;
        for size in &sizes[1..4.min(sizes.len())] {
            match qualify(&self.pipelines, spec, *size) {
                Ok(()) => {}
                Err(error @ (Error::DeviceLost { .. } | Error::OutOfMemory { .. })) => return Err(error),
                Err(error) => {
                    verdict = Some(error.to_string());
                    break;
                }
            }
        }
        lock().insert(spec.label(), verdict.clone());
        Ok(verdict)
    }
}

/// Runs the trial of `spec` at `size` against its oracle.
///
/// # Errors
/// [`Error::Kernel`] if they differ by more than rounding explains.
pub fn qualify(pipelines: &Pipelines, spec: &Spec, size: TrialSize) -> Result<()> {
    let mut rec = Recorder::new();
    let expected = (trial(spec.kernel).record)(&mut rec, spec, size, &mut fastrand::Rng::with_seed(1));
    for place in expected.iter().map(|e| &e.place) {
        if let At::Buffer(buf) = place {
            rec.keep(*buf);
        }
    }
    let plan = Plan::compile(rec, pipelines, &|_, _| {})?;
    plan.poison()?;
    plan.run()?;
    expected.iter().try_for_each(|e| compare(&plan, spec, e))
}

fn compare(plan: &Plan, spec: &Spec, expect: &Expect) -> Result<()> {
    let At::Buffer(buf) = expect.place else { return Ok(()) };
    let got: Vec<f32> = plan.read(buf)?;
    let (mut off, mut norm) = (0.0, 0.0);
    for (got, expected) in got.iter().zip(&expect.values).filter(|(_, e)| !e.is_nan()) {
        off += (f64::from(*got) - expected).powi(2);
        norm += expected.powi(2);
    }
    // The comparison refuses a NaN error.
    let error = if off == 0.0 { 0.0 } else { (off / norm).sqrt() };
    if error <= expect.tolerance {
        return Ok(());
    }
    Err(Error::kernel(spec.label(), format!("differs from its oracle by {error:.1e} on this adapter")))
}
