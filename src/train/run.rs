//! The loop: epochs of steps, validation, checkpoints, the log, and when to stop.

use super::batches;
use super::checkpoint::{Checkpoint, Data, Epoch, MeanLosses, Progress, Sums};
use super::data::TrainingData;
use super::folder::Folder;
use super::settings::TrainSettings;
use super::step::{Learned, Losses, Objective, TrainStep, Validation};
use crate::dime::{Model, Views};
use crate::error::{Error, Result};
use crate::io::png::{Series, losses};
use crate::kernel::form::{Chooser, Question, Tuning};
use crate::nn::{Unet, UnetSettings, Weights};
use crate::patches::{Normalisation, Source};
use crate::plan::Spec;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What is told while a training goes on.
pub enum Event<'a> {
    /// It will take so many bytes of device memory; nothing is allocated yet.
    Memory(u64),
    /// So many kernels of so many are compiled.
    Compiling(usize, usize),
    /// A step is done.
    Step {
        /// Where the training stands.
        progress: &'a Progress,
        /// Steps of a whole epoch.
        steps: usize,
        /// The step's losses.
        losses: Losses,
        /// Floating-point operations of a step.
        flops: f64,
    },
    /// An epoch is done.
    Epoch(&'a Epoch),
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Done,
    /// The validation loss had not fallen for so many epochs as the patience lasts.
    Patience,
}

/// A training that can be run.
pub struct Training {
    data: TrainingData,
    folder: Folder,
    checkpoint_every: Duration,
    start: Checkpoint,
}

/// Bytes of device memory that a training takes.
///
/// # Errors
/// [`Error::OutOfMemory`] when that is more than the device has, or a buffer larger than it allows.
fn check(chooser: &Chooser, learned: &Learned, size: [usize; 3], objective: Objective) -> Result<u64> {
    let gpu = chooser.pipelines().gpu();
    let [batch, h, w] = size;
    let [step, largest] = TrainStep::memory_needed(chooser, learned, size, objective)?;
    let needed = learned.memory() + step + Validation::memory_needed(chooser, learned, size, objective)?;
    let most = gpu.caps().max_binding();
    if largest > most {
        return Err(Error::OutOfMemory {
            what: format!(
                "batches of {batch} patches of {h} × {w} in one buffer on {} (a batch of {} fits)",
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

impl Training {
    /// A training from `weights` on `data`, with its results in `folder`, which exists.
    ///
    /// # Errors
    /// [`Error::Usage`] for settings that cannot be, or patches that do not suit the network.
    pub fn new(
        weights: Weights,
        settings: TrainSettings,
        data: TrainingData,
        folder: Folder,
    ) -> Result<Self> {
        settings.check()?;
        let UnetSettings { in_channels, out_channels, .. } = *weights.unet.settings();
        if [in_channels, out_channels] != [2, 1] {
            return Err(Error::Usage(format!(
                "patches have 2 channels in and 1 out; this network has {in_channels} and {out_channels}"
            )));
        }
        if data.cut && settings.normalisation == Normalisation::None {
            return Err(Error::Usage(
                "patches cut from images have no unit that waves in use would share: --normalise none is for patches of \
                 your own"
                    .into(),
            ));
        }
        let found = recognise(&data);
        weights.unet.check_size(found.shape)?;
        let progress = Progress {
            unet: weights.unet.settings().clone(),
            settings,
            data: found,
            began_with: learned(&weights.metadata),
            forms: None,
            epoch: 0,
            batches: 0,
            step: 0,
            sums: Sums::default(),
            history: Vec::new(),
        };
        let zeros = vec![0.0; weights.parameters.len()];
        let start = Checkpoint { weights, moments: [zeros.clone(), zeros], best: None, progress };
        Ok(Self { data, folder, checkpoint_every: CHECKPOINT_EVERY, start })
    }

    /// Goes on from `checkpoint`.
    ///
    /// # Errors
    /// [`Error::Usage`] when `data` are not those it was begun with.
    pub fn resume(checkpoint: Checkpoint, data: TrainingData, folder: Folder) -> Result<Self> {
        checkpoint.progress.settings.check()?;
        let [before, now] = [checkpoint.progress.data.clone(), recognise(&data)];
        if now != before {
            let text = |data: &Data| {
                format!(
                    "{} and {} patches of {} × {} ({})",
                    data.train, data.validation, data.shape[0], data.shape[1], data.about
                )
            };
            return Err(Error::Usage(format!(
                "the training was begun with {}, and now there are {}; go on with the same",
                text(&before),
                text(&now)
            )));
        }
        Ok(Self { data, folder, checkpoint_every: CHECKPOINT_EVERY, start: checkpoint })
    }

    /// Writes a checkpoint in the middle of an epoch when the last one is older than this.
    pub fn checkpoint_every(&mut self, interval: Duration) {
        self.checkpoint_every = interval;
    }

    /// Where it starts from.
    pub fn progress(&self) -> &Progress {
        &self.start.progress
    }

    /// The choices of forms that the training began with; nothing for one that has not begun. A training goes on to the
    /// bit only with the same forms.
    pub fn choices(&self) -> Option<Tuning> {
        let progress = &self.start.progress;
        // A training from before there were choices began by rule.
        progress.forms.clone().or_else(|| (progress.step > 0).then(Tuning::default))
    }

    /// The questions that a chooser answers for its steps, to tune.
    ///
    /// # Errors
    /// [`Error::Usage`] when the images are too small for the pools.
    pub fn questions(&self) -> Result<Vec<Question>> {
        TrainStep::questions(&self.start.weights.unet, self.size(), self.objective())
    }

    /// The specialisations that `chooser` makes its steps and its validation run, to qualify.
    ///
    /// # Errors
    /// As [`Training::run`].
    pub fn specs(&self, chooser: &Chooser) -> Result<Vec<Spec>> {
        let learned = Learned::new(chooser.pipelines().gpu(), &self.start.weights)?;
        let (size, objective) = (self.size(), self.objective());
        let mut specs = TrainStep::specs(chooser, &learned, size, objective)?;
        specs.extend(Validation::specs(chooser, &learned, size, objective)?);
        Ok(specs)
    }

    /// The bytes of device memory that it takes with the forms of `chooser`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when that is more than the device has, or a buffer larger than it allows.
    pub fn memory(&self, chooser: &Chooser) -> Result<u64> {
        let learned = Learned::new(chooser.pipelines().gpu(), &self.start.weights)?;
        check(chooser, &learned, self.size(), self.objective())
    }

    /// Patches of a batch, and rows and columns of a patch. Fewer patches than a batch are one small batch.
    fn size(&self) -> [usize; 3] {
        let progress = &self.start.progress;
        let [h, w] = progress.data.shape;
        [progress.settings.batch.min(self.data.train.len() as usize), h, w]
    }

    fn objective(&self) -> Objective {
        Objective { total_variation: self.start.progress.settings.total_variation, masked: true }
    }

    /// Trains to the end. `tell` is told how it goes.
    ///
    /// # Errors
    /// [`Error::Data`] when a loss is no number any more, [`Error::OutOfMemory`] when it does not fit, and whatever
    /// device and files report. The last checkpoint stays.
    pub fn run(self, chooser: &Chooser, tell: &mut (dyn FnMut(Event) + Send)) -> Result<End> {
        let (size, objective) = (self.size(), self.objective());
        let Self { data, folder, checkpoint_every, start } = self;
        let (train, validation) = (&*data.train, &*data.validation);
        let Checkpoint { weights, moments, mut best, mut progress } = start;
        let settings = progress.settings.clone();
        let batch = size[0];

        let _lock = folder.lock()?;
        let gpu = chooser.pipelines().gpu();
        let learned = Learned::new(gpu, &weights)?;
        learned.upload(&weights, [&moments[0], &moments[1]])?;
        let needed = check(chooser, &learned, size, objective)?;
        tell(Event::Memory(needed));
        progress.forms = Some(chooser.choices().clone());
        let (step, validate) = {
            let tell = std::sync::Mutex::new(&mut *tell);
            let compiling = |done, of| {
                if let Ok(mut tell) = tell.lock() {
                    tell(Event::Compiling(done, of));
                }
            };
            let step = TrainStep::new(chooser, &learned, size, objective, settings.optimiser(), &compiling)?;
            (step, Validation::new(chooser, &learned, size, objective, &compiling)?)
        };
        let steps = (train.len() as usize / batch).max(1);
        let save = |progress: &Progress, best: &Option<Weights>| {
            let (weights, moments) = (learned.weights()?, learned.moments()?);
            Checkpoint { weights, moments, best: best.clone(), progress: progress.clone() }
                .save(&folder.checkpoint())
        };
        // Nothing is written before the first step has gone well: what is refused leaves nothing behind.
        let mut saved: Option<Instant> = None;
        while progress.epoch < settings.epochs {
            if waited(&progress.history) >= settings.patience {
                return Ok(End::Patience);
            }
            let rate = settings.learning_rate(progress.epoch);
            let mut clock = Instant::now();
            batches::train(train, &settings, progress.epoch, progress.batches, &mut |batch| {
                let number = progress.step + 1;
                if batch.weights()[0] == 0.0 {
                    return Err(Error::Data(MASKED.into()));
                }
                let losses = step.run(batch.parts(), seed(settings.seed), number, rate)?;
                if ![losses.total, losses.total_variation, losses.gradient_norm].iter().all(|v| v.is_finite())
                {
                    return Err(diverged(&format!(
                        "step {number} of the training has a mean square error of {}, a total variation of {} and \
                         gradients of norm {}",
                        losses.mse, losses.total_variation, losses.gradient_norm
                    )));
                }
                progress.step = number;
                progress.batches += 1;
                progress.sums.add(&losses, clock.elapsed());
                clock = Instant::now();
                tell(Event::Step { progress: &progress, steps, losses, flops: step.flops() });
                if saved.is_none() {
                    // From here on there is something to go on from, and the log says no more than that.
                    write_log(&folder, &progress)?;
                    if best.is_none() {
                        folder.remove_stale();
                    }
                }
                if saved.is_none_or(|at| at.elapsed() >= checkpoint_every) && progress.batches < steps {
                    save(&progress, &best)?;
                    clock = Instant::now();
                    saved = Some(clock);
                }
                Ok(())
            })?;
            let losses = validation_losses(validation, batch, &validate, &settings)?;
            // What is no number cannot be written to a checkpoint either.
            if !losses.total.is_finite() || !losses.total_variation.is_finite() {
                return Err(diverged(&format!(
                    "epoch {} ends with a mean square error of {} and a total variation of {} in validation",
                    progress.epoch + 1,
                    losses.mse,
                    losses.total_variation
                )));
            }
            let epoch = finish(&progress, rate, losses, batch, step.flops());
            if epoch.best {
                let mut weights = learned.weights()?;
                weights.metadata = metadata(data.model(), &progress, &epoch)?;
                weights.save(&folder.weights())?;
                best = Some(weights);
            }
            progress.history.push(epoch);
            (progress.epoch, progress.batches, progress.sums) = (progress.epoch + 1, 0, Sums::default());
            save(&progress, &best)?;
            saved = Some(Instant::now());
            write_log(&folder, &progress)?;
            tell(Event::Epoch(&epoch));
        }
        Ok(End::Done)
    }
}

/// What is said of patches of which no pixel counts.
const MASKED: &str = "the masks of a whole batch are 0 everywhere, so that nothing counts; where `mask` is not 0 or 1 by \
    mistake, leave it out of the file, and every pixel counts";

/// How often a checkpoint is written in the middle of an epoch.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(120);

fn recognise(data: &TrainingData) -> Data {
    Data {
        train: data.train.len(),
        validation: data.validation.len(),
        shape: data.train.shape(),
        about: data.train.about(),
    }
}

/// The key in metadata for the network that a training began with.
const BEGAN_WITH: &str = "began_with";

/// What a network has learned before, by its metadata; nothing where no training has written them.
fn learned(metadata: &BTreeMap<String, String>) -> Option<String> {
    let steps = metadata.get("steps")?;
    let of = |key: &str| metadata.get(key).map_or("unknown", String::as_str);
    let before = metadata.get(BEGAN_WITH).map_or(String::new(), |before| format!(", begun with {before}"));
    Some(format!("{}, {steps} steps on {}{before}", of("forward_model"), of("trained_on")))
}

/// What the weights of a training say of themselves.
fn metadata(model: Option<&Model>, progress: &Progress, epoch: &Epoch) -> Result<BTreeMap<String, String>> {
    let normalisation = progress.settings.normalisation;
    let views = Views::learned(&progress.settings.augmentations);
    let model = model.map(|model| Model { normalisation, views, ..model.clone() });
    let mut all = model.map_or_else(BTreeMap::new, |model| model.to_metadata());
    all.extend(progress.began_with.clone().map(|before| (BEGAN_WITH.into(), before)));
    let settings = serde_json::to_string(&progress.settings)
        .map_err(|e| Error::Data(format!("the settings cannot be written as JSON: {e}")))?;
    all.insert("training_settings".into(), settings);
    all.insert("epoch".into(), epoch.epoch.to_string());
    all.insert("steps".into(), epoch.step.to_string());
    all.insert("validation_mse".into(), epoch.validation.mse.to_string());
    all.insert("palpate".into(), env!("CARGO_PKG_VERSION").into());
    Ok(all)
}

/// The seed of what is random on the device.
fn seed(seed: u64) -> u32 {
    (seed ^ (seed >> 32)) as u32
}

fn diverged(what: &str) -> Error {
    Error::Data(format!(
        "{what}: it has diverged. Begin again with a lower --learning-rate, or with --clip 1; the last checkpoint \
         stays as it is"
    ))
}

fn validation_losses(
    patches: &dyn Source,
    batch: usize,
    validation: &Validation,
    settings: &TrainSettings,
) -> Result<MeanLosses> {
    let (mut sums, mut all) = ([0.0; 2], [0.0; 2]);
    batches::validate(patches, settings, batch, &mut |batch| {
        let losses = validation.run(batch.parts())?;
        let weights = batch.weights();
        for (i, loss) in [losses.mse, losses.total_variation].into_iter().enumerate() {
            sums[i] += f64::from(loss) * weights[i];
            all[i] += weights[i];
        }
        Ok(())
    })?;
    if all[0] == 0.0 {
        return Err(Error::Data(MASKED.into()));
    }
    let [mse, total_variation] = [0, 1].map(|i| sums[i] / all[i]);
    Ok(MeanLosses::new(mse, total_variation, settings))
}

impl MeanLosses {
    fn new(mse: f64, total_variation: f64, settings: &TrainSettings) -> Self {
        Self { total: mse + f64::from(settings.total_variation) * total_variation, mse, total_variation }
    }
}

impl Sums {
    fn add(&mut self, losses: &Losses, time: Duration) {
        self.mse += f64::from(losses.mse);
        self.total_variation += f64::from(losses.total_variation);
        self.gradient_norm += f64::from(losses.gradient_norm);
        self.seconds += time.as_secs_f64();
    }
}

fn finish(
    progress: &Progress,
    learning_rate: f32,
    validation: MeanLosses,
    batch: usize,
    flops: f64,
) -> Epoch {
    let (sums, n) = (progress.sums, progress.batches as f64);
    let seconds = sums.seconds.max(f64::MIN_POSITIVE);
    Epoch {
        epoch: progress.epoch + 1,
        step: progress.step,
        learning_rate,
        train: MeanLosses::new(sums.mse / n, sums.total_variation / n, &progress.settings),
        validation,
        gradient_norm: sums.gradient_norm / n,
        best: progress.history.iter().all(|e| e.validation.total > validation.total),
        seconds: sums.seconds,
        patches_per_second: n * batch as f64 / seconds,
        gflops: n * flops / seconds / 1e9,
    }
}

/// Epochs since the best.
fn waited(history: &[Epoch]) -> u32 {
    history.iter().rev().take_while(|e| !e.best).count() as u32
}

fn write_log(folder: &Folder, progress: &Progress) -> Result<()> {
    let line = |epoch: &Epoch| serde_json::to_string(epoch).map(|json| json + "\n");
    let text: String = progress
        .history
        .iter()
        .map(line)
        .collect::<Result<_, _>>()
        .map_err(|e| Error::Data(format!("the losses cannot be written as JSON: {e}")))?;
    crate::store::write(folder.losses(), text.as_bytes())?;
    if progress.history.is_empty() {
        return Ok(());
    }
    let series = |name: &str, of: &dyn Fn(&Epoch) -> f64| Series {
        name: name.into(),
        points: progress.history.iter().map(|e| (e.epoch, of(e))).collect(),
    };
    let both = [series("training", &|e| e.train.total), series("validation", &|e| e.validation.total)];
    let unet = Unet::new(progress.unet.clone())?;
    let title = format!(
        "Loss (kPa²): U-Net of {} channels, {} parameters",
        progress.unet.chans,
        unet.layout().learned()
    );
    losses(folder.picture(), &title, &both)
}
