//! The loop: epochs of steps, validation, checkpoints, the log, and the end.

use super::batches::Batches;
use super::checkpoint::{Checkpoint, Progress};
use super::event::{End, TrainEvent};
use super::folder::TrainFolder;
use super::history::{Epoch, Sums};
use super::learned::Learned;
use super::metadata::earlier;
use super::objective::Objective;
use super::running::{Keep, ProgressOf, Running};
use super::settings::TrainSettings;
use super::source::{DataSummary, Source};
use super::step::{TrainStep, Validation};
use crate::error::{Error, Result};
use crate::kernel::form::{Chooser, Question, Tuning};
use crate::nn::{Network, Weights};
use crate::plan::Spec;
use crate::size::Size;
use std::time::Duration;

/// A training of network `N` with objective `O` on batches of `S`, ready to run.
pub struct Training<N: Network, O: Objective, S: Source> {
    data: S,
    keep: Keep<ProgressOf<N, O, S>>,
    start: Checkpoint<N, O, S::Settings>,
}

/// The default interval between checkpoints within an epoch.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(120);

impl<N: Network, O: Objective, S: Source> Training<N, O, S> {
    /// A training from `weights` on `data`, with its results in `folder`, which is created if it is missing.
    ///
    /// # Errors
    /// - [`Error::Setting`] or [`Error::Usage`] for invalid settings, or for data that do not suit the network.
    /// - [`Error::Data`] if the images are too small for the network.
    pub fn new(
        weights: Weights<N>,
        settings: TrainSettings<O, S::Settings>,
        data: S,
        folder: TrainFolder,
    ) -> Result<Self> {
        let [found, own] = [data.channels(), weights.network.channels()];
        if found != own {
            return Err(Error::Usage(format!("the data have {found}, but the network has {own}")));
        }
        let summary = data.summary();
        weights.network.check_size(summary.size)?;
        let progress = Progress {
            network: weights.network.settings().clone(),
            settings,
            data: summary,
            began_with: earlier::<S>(&weights.metadata),
            forms: None,
            epoch: 0,
            batches: 0,
            step: 0,
            sums: Sums::default(),
            history: Vec::new(),
        };
        let zeros = vec![0.0; weights.parameters.len()];
        let start = Checkpoint { weights, moments: [zeros.clone(), zeros], best: None, progress };
        Self::checked(start, data, folder)
    }

    /// Continues from `checkpoint`.
    ///
    /// # Errors
    /// [`Error::Usage`] if `data` differ from those that the training was begun with.
    pub fn resume(checkpoint: Checkpoint<N, O, S::Settings>, data: S, folder: TrainFolder) -> Result<Self> {
        let [before, now] = [&checkpoint.progress.data, &data.summary()];
        if now != before {
            let text = |data: &DataSummary| {
                format!("{} and {} samples of {} ({})", data.train, data.validation, data.size, data.about)
            };
            return Err(Error::Usage(format!(
                "the training was begun with {}, but now there are {}; continue with the same data",
                text(before),
                text(now)
            )));
        }
        Self::checked(checkpoint, data, folder)
    }

    fn checked(start: Checkpoint<N, O, S::Settings>, data: S, folder: TrainFolder) -> Result<Self> {
        let settings = &start.progress.settings;
        settings.check()?;
        settings.objective.check()?;
        data.check(&settings.source)?;
        let after_log = Box::new(|_: &_| Ok(()));
        Ok(Self { data, keep: Keep { folder, checkpoint_every: CHECKPOINT_EVERY, after_log }, start })
    }

    /// Sets the interval between checkpoints within an epoch.
    pub fn checkpoint_every(&mut self, interval: Duration) {
        self.keep.checkpoint_every = interval;
    }

    /// Sets a function that is called whenever the log has been written, for example to draw it.
    pub fn after_log(&mut self, work: impl Fn(&ProgressOf<N, O, S>) -> Result<()> + 'static) {
        self.keep.after_log = Box::new(work);
    }

    /// The position from which it starts.
    pub fn progress(&self) -> &ProgressOf<N, O, S> {
        &self.start.progress
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.start.weights.network
    }

    /// The choices of forms that the training began with; `None` before its start. A training gives the same bits only
    /// with the same forms.
    pub fn choices(&self) -> Option<Tuning> {
        let progress = &self.start.progress;
        // Checkpoints without choices are older than the choices. Their forms follow from rules.
        progress.forms.clone().or_else(|| (progress.step > 0).then(Tuning::default))
    }

    /// The questions that a chooser answers for its steps, to tune.
    ///
    /// # Errors
    /// [`Error::Data`] if the images are too small for the network.
    pub fn questions(&self) -> Result<Vec<Question>> {
        TrainStep::questions(&self.start.weights.network, self.size(), self.objective())
    }

    /// The specialisations that `chooser` gives to its steps and its validation, to qualify.
    ///
    /// # Errors
    /// Those of [`Training::run`].
    pub fn specs(&self, chooser: &Chooser) -> Result<Vec<Spec>> {
        let learned = Learned::new(chooser.pipelines().device(), &self.start.weights)?;
        let mut specs = TrainStep::specs(chooser, &learned, self.size(), self.objective())?;
        specs.extend(Validation::specs(chooser, &learned, self.size(), self.objective())?);
        Ok(specs)
    }

    /// The bytes of device memory that it takes with the forms of `chooser`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the device has less memory, or allows no buffer that large.
    pub fn memory(&self, chooser: &Chooser) -> Result<u64> {
        let learned = Learned::new(chooser.pipelines().device(), &self.start.weights)?;
        check_memory(chooser, &learned, self.size(), self.objective())
    }

    /// Samples in a batch, and the size of an image. If there are fewer samples than a batch, they are one batch.
    fn size(&self) -> (usize, Size) {
        let Progress { settings, data, .. } = &self.start.progress;
        (settings.batch.min(data.train as usize), data.size)
    }

    fn objective(&self) -> &O {
        &self.start.progress.settings.objective
    }

    /// Trains to the end. `tell` receives reports.
    ///
    /// # Errors
    /// - [`Error::Diverged`] if a loss is NaN or infinite.
    /// - [`Error::OutOfMemory`] if it does not fit the device.
    /// - All errors of the device, of the data and of files.
    ///
    /// The last checkpoint stays.
    pub fn run(self, chooser: &Chooser, tell: &mut (dyn FnMut(TrainEvent) + Send)) -> Result<End> {
        let size = self.size();
        let Self { data, keep, start } = self;
        let Checkpoint { weights, moments, best, mut progress } = start;
        let settings = progress.settings.clone();
        let objective = &settings.objective;

        let _lock = keep.folder.lock()?;
        let learned = Learned::new(chooser.pipelines().device(), &weights)?;
        learned.upload(&weights, [&moments[0], &moments[1]])?;
        tell(TrainEvent::Memory(check_memory(chooser, &learned, size, objective)?));
        progress.forms = Some(chooser.choices().clone());
        let (step, validation) = {
            let tell = std::sync::Mutex::new(&mut *tell);
            let compiling = |done, of| {
                if let Ok(mut tell) = tell.lock() {
                    tell(TrainEvent::Compiling(done, of));
                }
            };
            let step = TrainStep::new(chooser, &learned, size, objective, settings.optimiser(), &compiling)?;
            (step, Validation::new(chooser, &learned, size, objective, &compiling)?)
        };
        let mut running = Running::<N, O, S>::new(learned, step, validation, size.0, best, progress, keep);
        let batches = Batches::new(&data, &settings);
        while running.progress().epoch < settings.epochs {
            if waited(&running.progress().history) >= settings.patience {
                return Ok(End::Patience);
            }
            running.train(&batches, tell)?;
            let losses = running.validate(&batches)?;
            running.finish(losses, &data, tell)?;
        }
        Ok(End::Done)
    }
}

/// Bytes of device memory that a training takes.
///
/// # Errors
/// [`Error::OutOfMemory`] if the device has less memory, or allows no buffer that large.
fn check_memory(
    chooser: &Chooser,
    learned: &Learned<impl Network>,
    size: (usize, Size),
    objective: &impl Objective,
) -> Result<u64> {
    let device = chooser.pipelines().device();
    let (batch, image) = size;
    let [step, largest] = TrainStep::memory_needed(chooser, learned, size, objective)?;
    let needed = learned.memory() + step + Validation::memory_needed(chooser, learned, size, objective)?;
    let most = device.caps().max_binding();
    if largest > most {
        return Err(Error::OutOfMemory {
            what: format!(
                "batches of {batch} images of {image} in one buffer on {} (a batch of {} fits)",
                device.caps().info.name,
                (batch as u64 * most / largest).max(1)
            ),
            needed: Some(largest),
            available: Some(most),
        });
    }
    device.check_memory("the training", needed)?;
    Ok(needed)
}

/// Number of epochs since the best.
fn waited(history: &[Epoch]) -> u32 {
    history.iter().rev().take_while(|e| !e.best).count() as u32
}
