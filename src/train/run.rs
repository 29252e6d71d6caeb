//! The loop: epochs of steps, validation, checkpoints, the log, and the end.

use super::batches::Batches;
use super::checkpoint::{Checkpoint, Progress};
use super::folder::Folder;
use super::history::{Epoch, MeanLosses, Sums, describe};
use super::learned::Learned;
use super::objective::Objective;
use super::settings::TrainSettings;
use super::source::{DataSummary, Source};
use super::step::{Losses, TrainStep, Validation};
use crate::error::{Error, Result};
use crate::kernel::form::{Chooser, Question, Tuning};
use crate::nn::{Network, Weights};
use crate::plan::Spec;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A report of a training in progress.
pub enum Event<'a> {
    /// The bytes of device memory that it will take; nothing is allocated yet.
    Memory(u64),
    /// The number of compiled kernels, and the total.
    Compiling(usize, usize),
    /// A step whose losses have been read.
    Step {
        /// The epoch, from 0.
        epoch: u32,
        /// Finished steps of this epoch.
        done: usize,
        /// Steps of a whole epoch.
        steps: usize,
        /// Samples in a step.
        batch: usize,
        /// Wall-clock time of the finished steps of this epoch, s.
        seconds: f64,
        /// The losses of the step.
        losses: &'a Losses,
        /// Floating-point operations of a step.
        flops: f64,
    },
    /// A finished epoch.
    Epoch(&'a Epoch),
}

/// The reason why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Done,
    /// The validation loss did not fall for as many epochs as the patience allows.
    Patience,
}

/// The position of a training by the types of its parts.
type ProgressOf<N, O, S> = Progress<<N as Network>::Settings, O, <S as Source>::Settings>;

/// A function to call whenever the log has been written.
type AfterLog<P> = Box<dyn Fn(&P) -> Result<()>>;

/// A training of network `N` with objective `O` on batches of `S`, ready to run.
pub struct Training<N: Network, O: Objective, S: Source> {
    data: S,
    folder: Folder,
    checkpoint_every: Duration,
    after_log: AfterLog<ProgressOf<N, O, S>>,
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
        folder: Folder,
    ) -> Result<Self> {
        let [own, out] = weights.network.channels();
        let found = data.channels();
        if found != [own, out] {
            return Err(Error::Usage(format!(
                "the data have {} channels in and {} out, but the network has {own} and {out}",
                found[0], found[1]
            )));
        }
        let summary = data.summary();
        weights.network.check_size(summary.shape)?;
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
    pub fn resume(checkpoint: Checkpoint<N, O, S::Settings>, data: S, folder: Folder) -> Result<Self> {
        let [before, now] = [&checkpoint.progress.data, &data.summary()];
        if now != before {
            let text = |data: &DataSummary| {
                format!(
                    "{} and {} samples of {} × {} ({})",
                    data.train, data.validation, data.shape[0], data.shape[1], data.about
                )
            };
            return Err(Error::Usage(format!(
                "the training was begun with {}, but now there are {}; continue with the same data",
                text(before),
                text(now)
            )));
        }
        Self::checked(checkpoint, data, folder)
    }

    fn checked(start: Checkpoint<N, O, S::Settings>, data: S, folder: Folder) -> Result<Self> {
        let settings = &start.progress.settings;
        settings.check()?;
        settings.objective.check()?;
        data.check(&settings.source)?;
        let after_log = Box::new(|_: &_| Ok(()));
        Ok(Self { data, folder, checkpoint_every: CHECKPOINT_EVERY, after_log, start })
    }

    /// Sets the interval between checkpoints within an epoch.
    pub fn checkpoint_every(&mut self, interval: Duration) {
        self.checkpoint_every = interval;
    }

    /// Sets a function that is called whenever the log has been written, for example to draw it.
    pub fn after_log(&mut self, work: impl Fn(&ProgressOf<N, O, S>) -> Result<()> + 'static) {
        self.after_log = Box::new(work);
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
        let learned = Learned::new(chooser.pipelines().gpu(), &self.start.weights)?;
        let mut specs = TrainStep::specs(chooser, &learned, self.size(), self.objective())?;
        specs.extend(Validation::specs(chooser, &learned, self.size(), self.objective())?);
        Ok(specs)
    }

    /// The bytes of device memory that it takes with the forms of `chooser`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the device has less memory, or allows no buffer that large.
    pub fn memory(&self, chooser: &Chooser) -> Result<u64> {
        let learned = Learned::new(chooser.pipelines().gpu(), &self.start.weights)?;
        check_memory(chooser, &learned, self.size(), self.objective())
    }

    /// Samples in a batch, height and width of an image. If there are fewer samples than a batch, they are one batch.
    fn size(&self) -> [usize; 3] {
        let Progress { settings, data, .. } = &self.start.progress;
        let [h, w] = data.shape;
        [settings.batch.min(data.train as usize), h, w]
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
    pub fn run(self, chooser: &Chooser, tell: &mut (dyn FnMut(Event) + Send)) -> Result<End> {
        let size = self.size();
        let Self { data, folder, checkpoint_every, after_log, start } = self;
        let Checkpoint { weights, moments, best, mut progress } = start;
        let settings = progress.settings.clone();
        let objective = &settings.objective;

        let _lock = folder.lock()?;
        let learned = Learned::new(chooser.pipelines().gpu(), &weights)?;
        learned.upload(&weights, [&moments[0], &moments[1]])?;
        tell(Event::Memory(check_memory(chooser, &learned, size, objective)?));
        progress.forms = Some(chooser.choices().clone());
        let (step, validation) = {
            let tell = std::sync::Mutex::new(&mut *tell);
            let compiling = |done, of| {
                if let Ok(mut tell) = tell.lock() {
                    tell(Event::Compiling(done, of));
                }
            };
            let step = TrainStep::new(chooser, &learned, size, objective, settings.optimiser(), &compiling)?;
            (step, Validation::new(chooser, &learned, size, objective, &compiling)?)
        };
        let mut running = Running::<N, O, S> {
            batch: size[0],
            steps: (progress.data.train as usize / size[0]).max(1),
            folder,
            checkpoint_every,
            after_log,
            learned,
            step,
            validation,
            best,
            progress,
            saved: None,
            clock: Instant::now(),
            seconds: f64::INFINITY,
        };
        let batches = Batches::new(&data, &settings);
        while running.progress.epoch < settings.epochs {
            if waited(&running.progress.history) >= settings.patience {
                return Ok(End::Patience);
            }
            running.train(&batches, tell)?;
            let losses = running.validate(&batches)?;
            running.finish(losses, &data, tell)?;
        }
        Ok(End::Done)
    }
}

/// A training in progress.
struct Running<N: Network, O: Objective, S: Source> {
    /// Samples in a batch.
    batch: usize,
    /// Steps of an epoch.
    steps: usize,
    folder: Folder,
    checkpoint_every: Duration,
    after_log: AfterLog<ProgressOf<N, O, S>>,
    learned: Learned<N>,
    step: TrainStep,
    validation: Validation,
    best: Option<Weights<N>>,
    /// The position after the last step whose losses were read.
    progress: ProgressOf<N, O, S>,
    /// The time of the last checkpoint. Nothing is written before the first step has succeeded.
    saved: Option<Instant>,
    /// The time at which the losses were last read.
    clock: Instant,
    /// The time of a step when the losses were last read, s.
    seconds: f64,
}

/// The time after which losses are read even if fewer steps are unread than the settings allow, s.
const READ_AFTER: f64 = 1.0;

impl<N: Network, O: Objective, S: Source> Running<N, O, S> {
    /// Trains to the end of the epoch.
    fn train(&mut self, batches: &Batches<O, S>, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let Progress { epoch, batches: first, settings, .. } = &self.progress;
        let (epoch, first, rate) = (*epoch, *first, settings.learning_rate(*epoch));
        let seed = seed(settings.seed);
        self.clock = Instant::now();
        batches.train(epoch, first, &mut |batch| {
            if self.objective().weights(batch.targets())[0] == 0.0 {
                return Err(Error::Data(MASKED.into()));
            }
            let number = self.progress.step + self.step.unread() as u32 + 1;
            self.step.start(&batch.arrays(), seed, number, rate)?;
            let save = self.saved.is_none_or(|at| at.elapsed() >= self.checkpoint_every);
            if save || self.step.unread() >= self.most_unread() {
                self.read(tell)?;
            }
            if save && self.progress.batches < self.steps {
                self.save()?;
            }
            Ok(())
        })?;
        self.read(tell)
    }

    /// The number of steps after which losses are read: as many as are done in about a second, so that reports do not
    /// come late on slow devices.
    fn most_unread(&self) -> usize {
        ((READ_AFTER / self.seconds) as usize).clamp(1, self.progress.settings.read_every)
    }

    /// Reads the losses of the steps since the last call, and counts these steps as done.
    fn read(&mut self, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let all = self.step.losses()?;
        if all.is_empty() {
            return Ok(());
        }
        self.seconds = self.clock.elapsed().as_secs_f64() / all.len() as f64;
        self.clock = Instant::now();
        for losses in &all {
            let number = self.progress.step + 1;
            if !losses.is_finite() {
                let parts = describe(self.objective(), &mut |i| losses.parts[i].into());
                let norm = losses.gradient_norm;
                return Err(Error::Diverged(format!("step {number} has {parts}, gradient norm {norm}")));
            }
            let Progress { sums, settings, batches, step, epoch, .. } = &mut self.progress;
            (*step, *batches) = (number, *batches + 1);
            sums.add(&settings.objective, losses, self.seconds);
            tell(Event::Step {
                epoch: *epoch,
                done: *batches,
                steps: self.steps,
                batch: self.batch,
                seconds: sums.seconds,
                losses,
                flops: self.step.flops(),
            });
        }
        if self.saved.is_none() {
            // The log of an interrupted training may be longer than its checkpoint.
            self.write_log()?;
            if self.best.is_none() {
                self.folder.remove_stale();
            }
        }
        Ok(())
    }

    fn save(&mut self) -> Result<()> {
        let (weights, moments) = (self.learned.weights()?, self.learned.moments()?);
        Checkpoint { weights, moments, best: self.best.clone(), progress: self.progress.clone() }
            .save(&self.folder.checkpoint())?;
        self.clock = Instant::now();
        self.saved = Some(self.clock);
        Ok(())
    }

    /// The mean losses of all samples for validation.
    fn validate(&self, batches: &Batches<O, S>) -> Result<MeanLosses> {
        let objective = self.objective();
        let mut weights: Vec<Vec<f64>> = Vec::new();
        let parts = objective.parts().len();
        let (mut sums, mut all) = (vec![0.0; parts], vec![0.0; parts]);
        let mut read = |weights: &mut Vec<Vec<f64>>| -> Result<()> {
            for (losses, weights) in self.validation.losses()?.iter().zip(weights.drain(..)) {
                for (i, (loss, weight)) in losses.parts.iter().zip(weights).enumerate() {
                    sums[i] += f64::from(*loss) * weight;
                    all[i] += weight;
                }
            }
            Ok(())
        };
        batches.validate(self.batch, &mut |batch| {
            self.validation.start(&batch.arrays())?;
            weights.push(objective.weights(batch.targets()));
            if weights.len() >= self.progress.settings.read_every { read(&mut weights) } else { Ok(()) }
        })?;
        read(&mut weights)?;
        if all[0] == 0.0 {
            return Err(Error::Data(MASKED.into()));
        }
        let means: Vec<_> = sums.iter().zip(&all).map(|(sum, all)| sum / all).collect();
        let losses = MeanLosses::new(objective, &means);
        if losses.is_finite() {
            return Ok(losses);
        }
        let epoch = self.progress.epoch + 1;
        let parts = losses.describe(objective);
        Err(Error::Diverged(format!("epoch {epoch} ends with {parts} in validation")))
    }

    /// Ends the epoch: weights if it is the best, checkpoint, log.
    fn finish(&mut self, validation: MeanLosses, data: &S, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let epoch = Epoch::new(&self.progress, validation, self.batch, self.step.flops());
        if epoch.best {
            let mut weights = self.learned.weights()?;
            weights.metadata = metadata(data, &self.progress, &epoch)?;
            weights.save(&self.folder.weights())?;
            self.best = Some(weights);
        }
        let progress = &mut self.progress;
        progress.history.push(epoch.clone());
        (progress.epoch, progress.batches, progress.sums) = (progress.epoch + 1, 0, Sums::default());
        self.save()?;
        self.write_log()?;
        tell(Event::Epoch(&epoch));
        Ok(())
    }

    fn objective(&self) -> &O {
        &self.progress.settings.objective
    }

    fn write_log(&self) -> Result<()> {
        let line = |epoch: &Epoch| serde_json::to_string(epoch).map(|json| json + "\n");
        let lines: Result<String, _> = self.progress.history.iter().map(line).collect();
        let text = lines.map_err(|e| Error::Data(format!("the losses cannot be written as JSON: {e}")))?;
        crate::store::write(self.folder.losses(), text.as_bytes())?;
        (self.after_log)(&self.progress)
    }
}

/// The message for a batch in which nothing counts.
const MASKED: &str = "every mask of a batch is 0, so nothing counts in its loss; if the mask was written by \
    mistake, leave it out of the data";

/// Bytes of device memory that a training takes.
///
/// # Errors
/// [`Error::OutOfMemory`] if the device has less memory, or allows no buffer that large.
fn check_memory(
    chooser: &Chooser,
    learned: &Learned<impl Network>,
    size: [usize; 3],
    objective: &impl Objective,
) -> Result<u64> {
    let gpu = chooser.pipelines().gpu();
    let [batch, h, w] = size;
    let [step, largest] = TrainStep::memory_needed(chooser, learned, size, objective)?;
    let needed = learned.memory() + step + Validation::memory_needed(chooser, learned, size, objective)?;
    let most = gpu.caps().max_binding();
    if largest > most {
        return Err(Error::OutOfMemory {
            what: format!(
                "batches of {batch} images of {h} × {w} in one buffer on {} (a batch of {} fits)",
                gpu.caps().info.name,
                (batch as u64 * most / largest).max(1)
            ),
            needed: Some(largest),
            available: Some(most),
        });
    }
    gpu.check_memory("the training", needed)?;
    Ok(needed)
}

/// The key in metadata for the network that a training began with.
const BEGAN_WITH: &str = "began_with";

/// Describes the earlier training of a network by its metadata; `None` if there was none.
fn earlier<S: Source>(metadata: &BTreeMap<String, String>) -> Option<String> {
    let steps = metadata.get("steps")?;
    let before = metadata.get(BEGAN_WITH).map_or(String::new(), |before| format!(", begun with {before}"));
    Some(format!("{}{before}", S::describe(metadata, steps)))
}

/// The metadata of the weights of `epoch`.
fn metadata<W, O: Objective, S: Source>(
    data: &S,
    progress: &Progress<W, O, S::Settings>,
    epoch: &Epoch,
) -> Result<BTreeMap<String, String>> {
    let mut all = data.metadata(&progress.settings.source);
    all.extend(progress.began_with.clone().map(|before| (BEGAN_WITH.into(), before)));
    let settings = serde_json::to_string(&progress.settings)
        .map_err(|e| Error::Data(format!("the settings cannot be written as JSON: {e}")))?;
    all.insert("training_settings".into(), settings);
    all.insert("epoch".into(), epoch.epoch.to_string());
    all.insert("steps".into(), epoch.step.to_string());
    let first = progress.settings.objective.parts()[0].name;
    all.insert(format!("validation_{first}"), epoch.validation[first].to_string());
    all.insert("palpate".into(), env!("CARGO_PKG_VERSION").into());
    Ok(all)
}

/// The seed of random numbers on the device.
fn seed(seed: u64) -> u32 {
    (seed ^ (seed >> 32)) as u32
}

/// Number of epochs since the best.
fn waited(history: &[Epoch]) -> u32 {
    history.iter().rev().take_while(|e| !e.best).count() as u32
}
