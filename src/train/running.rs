//! A training in progress: steps, validation, checkpoints and the log.

use super::batches::Batches;
use super::checkpoint::{Checkpoint, Progress};
use super::event::TrainEvent;
use super::folder::TrainFolder;
use super::history::{Epoch, MeanLosses, Sums, describe};
use super::learned::Learned;
use super::metadata::metadata;
use super::objective::Objective;
use super::source::Source;
use super::step::{TrainStep, Validation};
use crate::error::{Error, Result};
use crate::nn::{Network, Weights};
use std::time::{Duration, Instant};

/// The position of a training by the types of its parts.
pub(super) type ProgressOf<N, O, S> = Progress<<N as Network>::Settings, O, <S as Source>::Settings>;

/// A function to call whenever the log has been written.
type AfterLog<P> = Box<dyn Fn(&P) -> Result<()>>;

/// Where and when the results are kept.
pub(super) struct Keep<P> {
    pub folder: TrainFolder,
    /// The interval between checkpoints within an epoch.
    pub checkpoint_every: Duration,
    pub after_log: AfterLog<P>,
}

/// A training in progress.
pub(super) struct Running<N: Network, O: Objective, S: Source> {
    /// Samples in a batch.
    batch: usize,
    /// Steps of an epoch.
    steps: usize,
    keep: Keep<ProgressOf<N, O, S>>,
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
    /// Begins at `progress`, in batches of `batch` samples. `best` are the best weights so far.
    pub fn new(
        learned: Learned<N>,
        step: TrainStep,
        validation: Validation,
        batch: usize,
        best: Option<Weights<N>>,
        progress: ProgressOf<N, O, S>,
        keep: Keep<ProgressOf<N, O, S>>,
    ) -> Self {
        Self {
            batch,
            steps: (progress.data.train as usize / batch).max(1),
            keep,
            learned,
            step,
            validation,
            best,
            progress,
            saved: None,
            clock: Instant::now(),
            seconds: f64::INFINITY,
        }
    }

    /// The position after the last step whose losses were read.
    pub fn progress(&self) -> &ProgressOf<N, O, S> {
        &self.progress
    }

    /// Trains to the end of the epoch.
    pub fn train(&mut self, batches: &Batches<O, S>, tell: &mut dyn FnMut(TrainEvent)) -> Result<()> {
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
            let save = self.saved.is_none_or(|at| at.elapsed() >= self.keep.checkpoint_every);
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
    fn read(&mut self, tell: &mut dyn FnMut(TrainEvent)) -> Result<()> {
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
            tell(TrainEvent::Step {
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
                self.keep.folder.remove_stale();
            }
        }
        Ok(())
    }

    fn save(&mut self) -> Result<()> {
        let (weights, moments) = (self.learned.weights()?, self.learned.moments()?);
        Checkpoint { weights, moments, best: self.best.clone(), progress: self.progress.clone() }
            .save(&self.keep.folder.checkpoint())?;
        self.clock = Instant::now();
        self.saved = Some(self.clock);
        Ok(())
    }

    /// The mean losses of all samples for validation.
    pub fn validate(&self, batches: &Batches<O, S>) -> Result<MeanLosses> {
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
    pub fn finish(
        &mut self,
        validation: MeanLosses,
        data: &S,
        tell: &mut dyn FnMut(TrainEvent),
    ) -> Result<()> {
        let epoch = Epoch::new(&self.progress, validation, self.batch, self.step.flops());
        if epoch.best {
            let mut weights = self.learned.weights()?;
            weights.metadata = metadata(data, &self.progress, &epoch)?;
            weights.save(&self.keep.folder.weights())?;
            self.best = Some(weights);
        }
        let progress = &mut self.progress;
        progress.history.push(epoch.clone());
        (progress.epoch, progress.batches, progress.sums) = (progress.epoch + 1, 0, Sums::default());
        self.save()?;
        self.write_log()?;
        tell(TrainEvent::Epoch(&epoch));
        Ok(())
    }

    fn objective(&self) -> &O {
        &self.progress.settings.objective
    }

    fn write_log(&self) -> Result<()> {
        let line = |epoch: &Epoch| serde_json::to_string(epoch).map(|json| json + "\n");
        let lines: Result<String, _> = self.progress.history.iter().map(line).collect();
        let text = lines.map_err(|e| Error::Data(format!("the losses cannot be written as JSON: {e}")))?;
        crate::store::write(self.keep.folder.losses(), text.as_bytes())?;
        (self.keep.after_log)(&self.progress)
    }
}

/// The message for a batch in which nothing counts.
const MASKED: &str = "every mask of a batch is 0, so nothing counts in its loss; if the mask was written by \
    mistake, leave it out of the data";

/// The seed of random numbers on the device.
fn seed(seed: u64) -> u32 {
    (seed ^ (seed >> 32)) as u32
}
