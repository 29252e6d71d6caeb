//! The speed of this adapter compared with its own limits: ceilings, every kernel of the network, whole steps, and
//! slices. Kernels run warm, over data in memory and not in caches. Times are medians of several runs.

mod cases;
mod ceilings;
mod compare;
mod report;
mod timer;
mod whole;

pub use cases::{CONVOLUTIONS, Case, Layer, OTHER_KERNELS, OTHERS, REFERENCE, Recorded};
pub use ceilings::{Ceilings, Probe};
pub use compare::{Comparison, FALL, compare};
pub use report::{Adapter, BenchReport, NetworkRow, Part, Row, SliceRow};
pub use timer::{Measured, Runs, Timer};

use crate::device::Caps;
use crate::error::{Error, Result};
use crate::kernel::form::{Chooser, Form, Product, Question};
use crate::mmdi::MmdiMode;
use crate::plan::Plan;
use crate::proof::Qualifier;
use std::time::Duration;

/// The number of patches per batch in every row.
pub const BATCH: usize = 128;
/// The number of channels of the network whose steps and passes are measured.
pub const CHANS: usize = 32;

/// The extent of a bench.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BenchSettings {
    /// True for a bench within a minute on two cores: few runs, no candidates, no other layers, and a slice at stride
    /// 9.
    pub quick: bool,
    /// Measures only kernels whose name contains this text, and no steps or slices; `None` measures everything.
    pub only: Option<String>,
    /// Measures only a training step and the network alone, with so many channels and patches per batch.
    pub network: Option<[usize; 2]>,
}

impl BenchSettings {
    fn runs(&self) -> Runs {
        if self.quick {
            Runs { least: 1, most: 3, within: Duration::from_millis(100) }
        } else {
            Runs { least: 3, most: 9, within: Duration::from_secs(2) }
        }
    }

    fn others(&self) -> &'static [Layer] {
        if self.quick { &[] } else { &OTHERS }
    }

    /// The longest time for tuning before the bench; none in a quick bench.
    pub fn tuning(&self) -> Duration {
        Duration::from_secs(if self.quick { 0 } else { 120 })
    }

    fn wants(&self, case: &Case) -> bool {
        self.network.is_none() && self.only.as_ref().is_none_or(|only| case.name.contains(only.as_str()))
    }
}

/// The questions that the bench asks of a chooser, for tuning beforehand.
///
/// # Errors
/// [`Error::Usage`] if nothing is to be measured, and [`Error::Kernel`] if no form of a kernel computes correctly.
pub fn questions(chooser: &Chooser, settings: &BenchSettings) -> Result<Vec<Question>> {
    if let Some(only) = &settings.only
        && !CONVOLUTIONS.iter().chain(OTHER_KERNELS).any(|case| settings.wants(case))
    {
        let names: Vec<_> = CONVOLUTIONS.iter().chain(OTHER_KERNELS).map(|case| case.name).collect();
        return Err(Error::Usage(format!(
            "no kernel's name contains '{only}'; choose from {}",
            names.join(", ")
        )));
    }
    let layers = || REFERENCE.iter().chain(settings.others());
    let mut questions = Vec::new();
    for case in CONVOLUTIONS.iter().filter(|case| settings.wants(case)) {
        for layer in layers() {
            questions.extend(case.questions(chooser, BATCH, *layer)?);
        }
    }
    if settings.only.is_none() {
        questions.extend(whole::questions(settings.network.unwrap_or([CHANS, BATCH]))?);
    }
    Ok(questions)
}

/// The progress of a bench: the number of rows done, the number of all rows, and the next measurement.
pub type Tell<'a> = &'a dyn Fn(usize, usize, &str);

/// Measures the device of `chooser`. Every form that runs is qualified first.
///
/// # Errors
/// Any error of the device, and [`Error::Kernel`](crate::Error::Kernel) if no form of a kernel computes correctly
/// there.
pub fn run(
    chooser: &Chooser,
    qualifier: &Qualifier,
    settings: &BenchSettings,
    tell: Tell,
) -> Result<BenchReport> {
    let pipelines = chooser.pipelines();
    let caps = pipelines.device().caps();
    let (timer, runs) = (Timer::new(pipelines)?, settings.runs());
    let mut forms = Vec::new();
    if !settings.quick {
        forms = Form::rivals(caps, Product::LARGE);
        forms.extend(Form::in_half(caps));
    }
    let others = settings.others();
    let cases = || CONVOLUTIONS.iter().chain(OTHER_KERNELS).filter(|case| settings.wants(case));
    let three: Vec<&Case> = CONVOLUTIONS[..3].iter().filter(|case| settings.wants(case)).collect();
    let all = cases().count() * REFERENCE.len()
        + three.len() * (forms.len() * REFERENCE.len() + others.len())
        + if settings.only.is_none() { 9 } else { 4 };
    let done = std::cell::Cell::new(0);
    let next = |what: &str| {
        tell(done.get(), all, what);
        done.set(done.get() + 1);
    };

    let ceilings = Ceilings::measure(pipelines, &timer, runs, &next)?;
    let probe = Probe::new(pipelines, &timer)?;
    let row = |chooser: &Chooser, case: &Case, layer: Layer| -> Result<Row> {
        next(&format!("{} {layer}", case.name));
        if case.name.starts_with("conv3x3") {
            probe.take()?;
        }
        let chooser = qualifier.chooser(chooser, &|c| case.specs(c, BATCH, layer))?;
        let Recorded { rec, spec, cost } = case.record(&chooser, BATCH, layer)?;
        let plan = Plan::compile(rec, pipelines, &|_, _| {})?;
        let time = timer.dispatches(&plan, runs)?;
        // The constants of a specialisation tell how a shader computes.
        let kernel = spec.split(' ').next().unwrap_or_default();
        let spec = if caps.native() { format!("{kernel} {}", caps.info.driver_info) } else { spec };
        Ok(Row::new(case.name, layer.to_string(), spec, cost, time, &ceilings))
    };
    let each =
        |chooser: &Chooser, cases: &mut dyn Iterator<Item = &Case>, layers: &[Layer]| -> Result<Vec<Row>> {
            cases
                .flat_map(|case| layers.iter().map(|layer| row(chooser, case, *layer)).collect::<Vec<_>>())
                .collect()
        };
    let kernels = each(chooser, &mut cases(), &REFERENCE)?;
    let mut candidates = Vec::new();
    for form in forms {
        let gradients = !matches!(form, Form::Half(_));
        let mut own = three.iter().copied().filter(|case| gradients || case.name == "conv3x3_forward");
        let rows = match each(&Chooser::only(pipelines, form), &mut own, &REFERENCE) {
            // A form that computes wrongly here, or needs too much memory, is no candidate.
            Err(Error::Kernel { .. } | Error::OutOfMemory { .. }) => continue,
            rows => rows?,
        };
        let chosen = |row: &Row| {
            kernels.iter().any(|k| [&k.kernel, &k.spec, &k.shape] == [&row.kernel, &row.spec, &row.shape])
        };
        candidates.extend(rows.into_iter().filter(|row| !chosen(row)));
    }
    let layers = each(chooser, &mut three.iter().copied(), others)?;

    let (mut step, mut forward, mut slice, mut mmdi) = (None, None, None, Vec::new());
    if settings.only.is_none() {
        let size = settings.network.unwrap_or([CHANS, BATCH]);
        next("a training step");
        let parts = !settings.quick;
        step = Some(whole::step(chooser, qualifier, &timer, runs, &ceilings, size, parts)?);
        next("the network");
        forward = Some(whole::forward(chooser, qualifier, &timer, runs, &ceilings, size, parts)?);
    }
    if settings.only.is_none() && settings.network.is_none() {
        next("a slice through DIME");
        slice = Some(whole::slice(chooser, qualifier, runs, if settings.quick { 9 } else { 3 })?);
        for mode in [MmdiMode::Corrected, MmdiMode::Clinical] {
            next("a slice through MMDI");
            mmdi.push(whole::mmdi(chooser, runs, mode)?);
        }
    }
    probe.take()?;
    tell(all, all, "done");
    let mut report = BenchReport {
        palpate: env!("CARGO_PKG_VERSION").into(),
        quick: settings.quick,
        adapter: adapter(caps),
        ceilings,
        kernels,
        candidates,
        layers,
        step,
        forward,
        slice,
        mmdi,
    };
    if let Some(gflops) = probe.gflops() {
        report.hold_against(gflops);
    }
    Ok(report)
}

fn adapter(caps: &Caps) -> Adapter {
    let info = &caps.info;
    Adapter {
        name: info.name.clone(),
        kind: caps.kind().into(),
        backend: if caps.native() { "native code".into() } else { info.backend.to_string() },
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_string(),
        subgroup: info.subgroup_min_size,
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        timestamps: caps.timestamps(),
    }
}
