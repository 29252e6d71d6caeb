//! Which form of a kernel a device runs: the fastest that was measured there, or else the most promising one; in either
//! case one whose results agree with the oracle on that device.

use super::convolve::{Finish, Form, Geometry, Product};
use super::tune::{Answer, Question, Tuning, Work};
use super::{Checks, Expect, Pipelines, Place, Size, Spec, convolve, convolve_weights};
use crate::error::{Error, Result};
use crate::plan::{Plan, Recorder};
use crate::tensor::{Shape, Tensor};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Rounds of runs that forms are compared by, at the most.
const ROUNDS: usize = 5;
/// When no further round is begun, after two.
const LONG: Duration = Duration::from_secs(4);
/// A form that takes so many times what the best one took takes no part in the next round.
const FAR_BEHIND: f64 = 1.5;
/// How much faster than the most promising form another has to be, at its fastest and at its median: less may be noise.
const GAIN: f64 = 0.05;

/// Chooses among forms for one device. Cloning shares what it has found out.
#[derive(Clone)]
pub struct Chooser {
    pipelines: Pipelines,
    /// Only this, where a caller insists.
    only: Option<Form>,
    /// This of convolutions before all else.
    half: Option<Form>,
    found: Arc<Mutex<Found>>,
}

/// What came of [`Chooser::tune`].
#[derive(Debug, Default)]
pub struct Tuned {
    /// Questions that are answered now.
    pub answered: usize,
    /// Why the answers could not be written down, if they could not.
    pub not_kept: Option<Error>,
}

#[derive(Default)]
struct Found {
    verdicts: HashMap<Spec, Option<String>>,
    /// What was measured here; nothing where that is not wanted.
    own: Option<Tuning>,
    /// What was measured on others like it.
    shipped: Tuning,
    /// Where the former is kept.
    kept: Option<PathBuf>,
    /// What was asked and is not known.
    open: Vec<Question>,
}

impl Chooser {
    /// Chooses what promises most, and measures nothing.
    pub fn new(pipelines: &Pipelines) -> Self {
        Self { pipelines: pipelines.clone(), only: None, half: None, found: Arc::default() }
    }

    /// Insists on one form: for tests and benches.
    pub fn only(pipelines: &Pipelines, form: Form) -> Self {
        Self { only: Some(form), ..Self::new(pipelines) }
    }

    /// Chooses what `own` measurements of this device say is fastest, or else what came with palpate for devices like it,
    /// or else what promises most. What [`Chooser::tune`] adds is `kept` there, if anywhere.
    pub fn tuned(pipelines: &Pipelines, own: Tuning, kept: Option<PathBuf>) -> Self {
        let chooser = Self::new(pipelines);
        let shipped = Tuning::shipped(pipelines.gpu().caps());
        *chooser.found() = Found { own: Some(own), shipped, kept, ..Found::default() };
        chooser
    }

    /// The same, but for convolutions in half precision on matrix units, which are tried here.
    ///
    /// # Errors
    /// [`Error::Adapter`] when the device has none that palpate knows how to use, was opened without
    /// ([`Gpu::open_with_units`](crate::gpu::Gpu::open_with_units)), or computes wrongly on them.
    pub fn in_half(&self) -> Result<Self> {
        let caps = self.pipelines.gpu().caps();
        let mut failures = Vec::new();
        for form in Form::in_half(caps) {
            match self.verdicts(&form.convolves(Geometry::Three, Finish::Plain))? {
                None => return Ok(Self { half: Some(form), ..self.clone() }),
                Some(what) => failures.push(what),
            }
        }
        let tried = if failures.is_empty() { String::new() } else { format!(" ({})", failures.join("; ")) };
        Err(Error::Adapter(format!(
            "{} has no matrix units that take half precision and add up in full (16 by 16 on Vulkan, 8 by 8 on Metal, of \
             subgroups of 32){tried}; leave out --matrix-units, or choose another with --adapter",
            caps.info.name
        )))
    }

    /// Chooses as `forms` say, what promises most where they say nothing, and measures nothing: to go on as before.
    pub fn fixed(&self, forms: Tuning) -> Self {
        let chooser = Self { only: self.only, half: self.half, ..Self::new(&self.pipelines) };
        chooser.found().shipped = forms;
        chooser
    }

    /// The same on pipelines that nothing has been compiled for.
    pub fn afresh(&self) -> Self {
        let pipelines = Pipelines::new(self.pipelines.gpu(), Checks::Off);
        Self { pipelines, ..self.fixed(self.forms()) }
    }

    /// What it chooses by.
    pub fn forms(&self) -> Tuning {
        let found = self.found();
        found.own.clone().unwrap_or_default().or(found.shipped.clone())
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

    /// The form of a convolution of `src` to `co` channels.
    ///
    /// # Errors
    /// [`Error::Kernel`] when no form computes correctly on this device.
    pub fn convolve(&self, geometry: Geometry, finish: Finish, src: Shape, co: usize) -> Result<Form> {
        let question = ask(Work::Convolution, geometry, src, co);
        self.answer(question, &|form| form.convolves(geometry, finish))
    }

    /// The form of the weight gradient of a convolution of `src` to `co` channels.
    ///
    /// # Errors
    /// [`Error::Kernel`] when no form computes correctly on this device.
    pub fn convolve_weights(&self, geometry: Geometry, src: Shape, co: usize) -> Result<Form> {
        let question = ask(Work::Weights, geometry, src, co);
        self.answer(question, &|form| gradient_specs(form, geometry, [src.c, co]))
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, question: Question, specs: &dyn Fn(Form) -> Vec<Spec>) -> Result<Form> {
        let candidates = self.candidates(&question);
        let known = if self.half.is_some() {
            None
        } else {
            let mut found = self.found();
            let own = found.own.as_ref().map(|own| own.form(&question));
            if own == Some(None) && !found.open.contains(&question) {
                found.open.push(question);
            }
            own.flatten().or_else(|| found.shipped.form(&question)).filter(|form| candidates.contains(form))
        };
        let mut failures = Vec::new();
        for form in known.into_iter().chain(candidates) {
            match self.verdicts(&specs(form))? {
                None => return Ok(form),
                Some(what) => failures.push(what),
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

    fn candidates(&self, question: &Question) -> Vec<Form> {
        let mut forms = Form::candidates(self.pipelines.gpu().caps(), question.product());
        forms.retain(|form| !question.specs(*form).is_empty());
        if let (Some(half), Work::Convolution) = (self.half, question.work) {
            forms.insert(0, half);
        }
        if let (Some(only @ Form::Half(_)), Work::Convolution) = (self.only, question.work) {
            return vec![only];
        }
        if let Some(only) = self.only {
            // Where Winograd's is not to be had, the form of its products stands for it.
            let only = if forms.contains(&only) { only } else { only.direct() };
            forms.retain(|form| *form == only);
        }
        forms
    }

    /// What is wrong with the first of `specs` that something is wrong with.
    fn verdicts(&self, specs: &[Spec]) -> Result<Option<String>> {
        for spec in specs {
            if let Some(what) = self.verdict(spec)? {
                return Ok(Some(format!("{}: {what}", spec.label())));
            }
        }
        Ok(None)
    }

    /// What is wrong with `spec` on this device, if anything. Devices that are lost are errors, not verdicts.
    fn verdict(&self, spec: &Spec) -> Result<Option<String>> {
        if let Some(verdict) = self.found().verdicts.get(spec) {
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
        self.found().verdicts.insert(spec.clone(), verdict.clone());
        Ok(verdict)
    }

    /// Measures what was asked so far and is not known, for no longer than `within`; the rest stays open. `tell` is told
    /// how many of how many are done.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device goes away.
    pub fn tune(&self, within: Duration, tell: &dyn Fn(usize, usize)) -> Result<Tuned> {
        let open = std::mem::take(&mut self.found().open);
        let (start, mut tuned) = (Instant::now(), Tuned::default());
        for (i, question) in open.iter().enumerate() {
            tell(i, open.len());
            if start.elapsed() >= within {
                self.found().open.extend_from_slice(&open[i..]);
                break;
            }
            let Some(answer) = self.measure(*question)? else { continue };
            let mut found = self.found();
            let Found { own: Some(own), kept, .. } = &mut *found else { break };
            own.learn(answer);
            tuned.answered += 1;
            // At once: what takes long may be interrupted.
            if let Some(Err(error)) = kept.as_ref().map(|path| own.save(path, self.pipelines.gpu().caps())) {
                tuned.not_kept = Some(error);
            }
        }
        Ok(tuned)
    }

    /// Measures every form of the kind that promises most; nothing where there is no choice, or no room.
    fn measure(&self, question: Question) -> Result<Option<Answer>> {
        let caps = self.pipelines.gpu().caps();
        let mut rivals = Form::rivals(caps, question.product());
        let own = self.candidates(&question);
        rivals.retain(|form| own.contains(form));
        let mut runners: Vec<Runner> = Vec::new();
        for form in rivals {
            match self.verdicts(&question.specs(form)) {
                Ok(None) => {}
                Err(error @ Error::DeviceLost(_)) => return Err(error),
                _ => continue,
            }
            // The first run does not count, but for those that are far behind in it.
            let plan = Plan::compile(question.record(form, self.workgroups()), &self.pipelines, &|_, _| {});
            match plan.and_then(|plan| Ok((self.seconds(&plan)?, plan))) {
                Ok((first, plan)) => runners.push(Runner { form, plan, taken: vec![first] }),
                Err(error @ Error::DeviceLost(_)) => return Err(error),
                Err(_) => {}
            }
        }
        // In turn, so that whatever else the machine does meets all of them.
        let start = Instant::now();
        for round in 0..ROUNDS {
            let best = runners.iter().map(Runner::least).fold(f64::INFINITY, f64::min);
            for runner in runners.iter_mut().filter(|runner| runner.least() <= FAR_BEHIND * best) {
                let seconds = self.seconds(&runner.plan)?;
                if round == 0 {
                    runner.taken.clear();
                }
                runner.taken.push(seconds);
            }
            if start.elapsed() > LONG && round > 0 {
                break;
            }
        }
        let Some(promising) = runners.first() else { return Ok(None) };
        let fastest = runners.iter().min_by(|a, b| a.least().total_cmp(&b.least())).unwrap_or(promising);
        let beats = |of: fn(&Runner) -> f64| of(fastest) < (1.0 - GAIN) * of(promising);
        let form = if beats(Runner::least) && beats(Runner::median) { fastest.form } else { promising.form };
        let ms = runners.iter().map(|r| (r.form.to_string(), (1e6 * r.least()).round() / 1e3)).collect();
        Ok(Some(Answer { question, form, ms }))
    }

    /// One run; by the device's own clock where it has one.
    fn seconds(&self, plan: &Plan) -> Result<f64> {
        let gpu = self.pipelines.gpu();
        if gpu.caps().timestamps() {
            return Ok(plan.profile()?.iter().map(|timing| timing.seconds).sum());
        }
        let start = Instant::now();
        plan.run()?;
        gpu.wait()?;
        Ok(start.elapsed().as_secs_f64())
    }
}

/// A form that is being measured, and the seconds it took.
struct Runner {
    form: Form,
    plan: Plan,
    taken: Vec<f64>,
}

impl Runner {
    fn least(&self) -> f64 {
        self.taken.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut taken = self.taken.clone();
        taken.sort_by(f64::total_cmp);
        taken[taken.len() / 2]
    }
}

fn ask(work: Work, geometry: Geometry, src: Shape, co: usize) -> Question {
    Question {
        work,
        geometry,
        channels: [src.c, co],
        image: [src.h, src.w],
        images: src.n.next_power_of_two(),
    }
}

/// The specialisations of a weight gradient; none where there is no such form.
fn gradient_specs(form: Form, geometry: Geometry, channels: [usize; 2]) -> Vec<Spec> {
    if matches!(form, Form::Winograd(_) | Form::Half(_)) {
        Vec::new()
    } else {
        vec![convolve_weights::spec(form, geometry, channels)]
    }
}

impl Question {
    fn product(&self) -> Product {
        let [rows, columns] = match self.work {
            Work::Convolution => [self.images * self.image[0] * self.image[1], self.channels[1]],
            Work::Weights => self.channels,
        };
        Product { rows, columns, split: self.work == Work::Weights }
    }

    fn src(&self) -> Shape {
        Shape::new(self.images, self.image[0], self.image[1], self.channels[0])
    }

    fn specs(&self, form: Form) -> Vec<Spec> {
        match self.work {
            Work::Convolution => form.convolves(self.geometry, Finish::Plain),
            Work::Weights => gradient_specs(form, self.geometry, self.channels),
        }
    }

    /// The work in `form` on zeros.
    fn record(&self, form: Form, workgroups: usize) -> Recorder {
        let (mut rec, src) = (Recorder::new(), self.src());
        let [h, w] = self.geometry.result(self.image);
        let out = Shape { h, w, c: self.channels[1], ..src };
        let mut tensor = |label: &'static str, shape: Shape| {
            Tensor::whole(rec.output::<f32>(label, shape.floats()), shape)
        };
        let (from, to) = (tensor("source", src), tensor("result", out));
        match self.work {
            Work::Convolution => {
                let weights = tensor("weights", self.geometry.weights(src.c, out.c));
                convolve::record(&mut rec, form, self.geometry, from, (weights, Finish::Plain), to);
            }
            Work::Weights => {
                convolve_weights::record(&mut rec, form, self.geometry, from, to, workgroups);
            }
        }
        rec
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
