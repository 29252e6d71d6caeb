//! `palpate train`: a network from patches.

use super::progress::Bars;
use super::{AdapterOption, print, say};
use clap::ValueEnum;
use indicatif::ProgressBar;
use palpate::dime::{Model, calibrate};
use palpate::kernel::choose::Chooser;
use palpate::kernel::pool::Pooling;
use palpate::kernel::{Checks, Pipelines};
use palpate::nn::{Norm, Precision, Unet, UnetSettings, Up, Weights};
use palpate::patches::{Augmentation, Images, Normalisation, Split, is_set};
use palpate::train::{
    Checkpoint, Cutting, End, Epoch, Event, Folder, Schedule, TrainSettings, Training, TrainingData,
};
use palpate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Train a network on patches
///
/// Reads train.safetensors and validation.safetensors in the data folder: tensors input [N, 2, H, W], truth
/// [N, 1, H, W] in kPa and, if there is one, mask [N, 1, H, W]. Writes weights.safetensors (of the epoch with the
/// lowest validation loss), losses.jsonl, losses.png and checkpoint.safetensors, from which --resume goes on as if
/// there had been no interruption.
///
/// Example: palpate train --data patches --chans 16 -o run1
#[derive(clap::Args)]
pub struct Train {
    /// Folder of patches, or sets that `palpate simulate` made (may be given again)
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// Folder the results are written to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Go on from the folder's checkpoint, with its settings
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Begin with these weights in place of random ones (.safetensors)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "chans", "pools", "norm", "pool", "up", "dropout"])]
    from: Option<PathBuf>,
    /// Write the best weights in half precision
    #[arg(long)]
    half: bool,
    #[command(flatten)]
    cutting: CuttingOptions,
    #[command(flatten)]
    network: NetworkOptions,
    #[command(flatten)]
    training: TrainOptions,
    /// Seconds between checkpoints within an epoch
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    checkpoint_every: u64,
    #[command(flatten)]
    adapter: AdapterOption,
    /// Begin anew in a folder that holds a training
    #[arg(long)]
    force: bool,
}

/// How patches are cut from a simulated set's images.
#[derive(clap::Args)]
#[command(next_help_heading = "Patches of simulated sets")]
struct CuttingOptions {
    /// Rows and columns of a patch [default: 30]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    patch: Option<usize>,
    /// Patches of an epoch, drawn afresh in each [default: 25000]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    patches: Option<u32>,
    /// Patches to validate with, the same in all epochs [default: 5000]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    validation_patches: Option<u32>,
}

/// What the network is made of; without an option, the default or the checkpoint's.
#[derive(clap::Args)]
#[command(next_help_heading = "Network")]
struct NetworkOptions {
    /// Channels of the first block [default: 64]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    chans: Option<usize>,
    /// How often images are halved [default: 3]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pools: Option<usize>,
    /// Norm after each convolution [default: instance]
    #[arg(long, value_enum)]
    norm: Option<NormOption>,
    /// Pooling [default: max]
    #[arg(long, value_enum)]
    pool: Option<PoolOption>,
    /// Upsampling [default: transpose]
    #[arg(long, value_enum)]
    up: Option<UpOption>,
    /// Rate at which whole channels are dropped [default: 0]
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    dropout: Option<f32>,
}

/// How it is trained; without an option, the default or the checkpoint's.
#[derive(clap::Args)]
#[command(next_help_heading = "Training")]
struct TrainOptions {
    /// Patches of one step [default: 128]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    batch: Option<usize>,
    /// Passes through the patches, at the most; may be raised when resuming [default: 150]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    epochs: Option<u32>,
    /// Adam's learning rate at the start [default: 3e-4]
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    learning_rate: Option<f32>,
    /// What the learning rate is multiplied by [default: 0.8]
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    decay: Option<f32>,
    /// … after each so many epochs [default: 20]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    decay_every: Option<u32>,
    /// How the learning rate falls: by --decay in steps, or as a cosine over --epochs [default: steps]
    #[arg(long, value_enum)]
    schedule: Option<ScheduleOption>,
    /// Stop after so many epochs without a lower validation loss [default: 30]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    patience: Option<u32>,
    /// Factor of the mean total variation in the loss [default: 0.01]
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    tv: Option<f32>,
    /// Weight decay [default: 0]
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    weight_decay: Option<f32>,
    /// Norm the gradients are scaled down to; 0 for any [default: 0]
    #[arg(long, value_name = "NORM", allow_hyphen_values = true)]
    clip: Option<f32>,
    /// Seed of all that is random [default: 1]
    #[arg(long, value_name = "SEED", allow_hyphen_values = true)]
    seed: Option<u64>,
    /// Vary patches as they are seen: flips, turns, phase, noise=0.3, gains=2, offsets=0.5, and where they
    /// are cut from images, zoom=1.15, texture=0.3; separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = augmentation)]
    augment: Option<Vec<Augmentation>>,
    /// Bring each channel of a patch to mean 0 and deviation 1 [default: patch for simulated sets, else none]
    #[arg(long, value_enum)]
    normalise: Option<NormaliseOption>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleOption {
    Steps,
    Cosine,
}

#[derive(Clone, Copy, ValueEnum)]
enum NormaliseOption {
    None,
    Patch,
}

#[derive(Clone, Copy, ValueEnum)]
enum NormOption {
    Instance,
    Batch,
}

#[derive(Clone, Copy, ValueEnum)]
enum PoolOption {
    Max,
    Avg,
}

#[derive(Clone, Copy, ValueEnum)]
enum UpOption {
    Transpose,
    Bilinear,
}

fn augmentation(text: &str) -> Result<Augmentation, String> {
    let (name, most) = text.split_once('=').map_or((text, None), |(name, most)| (name, Some(most)));
    let number = || {
        let example = match name {
            "gains" => 2.0,
            "zoom" => 1.15,
            _ => 0.3,
        };
        let most = most.ok_or(format!("{name} wants a number, such as {name}={example}"))?;
        most.parse::<f32>().map_err(|_| format!("'{most}' is no number"))
    };
    let plain = |augmentation| match most {
        None => Ok(augmentation),
        Some(_) => Err(format!("{name} takes no number")),
    };
    match name {
        "flips" => plain(Augmentation::Flips),
        "turns" => plain(Augmentation::QuarterTurns),
        "phase" => plain(Augmentation::Phase),
        "gains" => Ok(Augmentation::Gains { most: number()? }),
        "offsets" => Ok(Augmentation::Offsets { most: number()? }),
        "noise" => Ok(Augmentation::Noise { most: number()? }),
        "zoom" => Ok(Augmentation::Zoom { most: number()? }),
        "texture" => Ok(Augmentation::Texture { share: number()? }),
        _ => Err("flips, turns, phase, gains=, offsets=, noise=, zoom= and texture= are known".into()),
    }
}

/// Takes options into settings; when resuming, refuses those that differ.
struct Taker {
    resume: bool,
}

/// A setting as it is written on the command line, more or less.
fn plain(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default().replace('"', "")
}

impl Taker {
    fn take<T: PartialEq + serde::Serialize>(&self, name: &str, to: &mut T, option: Option<T>) -> Result<()> {
        match option {
            Some(value) if self.resume && *to != value => Err(Error::Usage(format!(
                "--{name} is {} in the checkpoint, not {}; go on without it, or begin anew in another folder",
                plain(to),
                plain(&value)
            ))),
            Some(value) => {
                *to = value;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn network(&self, to: &mut UnetSettings, options: NetworkOptions) -> Result<()> {
        let norm = |option| match option {
            NormOption::Instance => Norm::Instance,
            NormOption::Batch => Norm::Batch,
        };
        let pool = |option| match option {
            PoolOption::Max => Pooling::Max,
            PoolOption::Avg => Pooling::Average,
        };
        let up = |option| match option {
            UpOption::Transpose => Up::Transpose,
            UpOption::Bilinear => Up::Bilinear,
        };
        self.take("chans", &mut to.chans, options.chans)?;
        self.take("pools", &mut to.pools, options.pools)?;
        self.take("norm", &mut to.norm, options.norm.map(norm))?;
        self.take("pool", &mut to.pooling, options.pool.map(pool))?;
        self.take("up", &mut to.up, options.up.map(up))?;
        self.take("dropout", &mut to.dropout, options.dropout)
    }

    fn training(&self, to: &mut TrainSettings, options: TrainOptions) -> Result<()> {
        self.take("batch", &mut to.batch, options.batch)?;
        to.epochs = options.epochs.unwrap_or(to.epochs);
        self.take("learning-rate", &mut to.learning_rate, options.learning_rate)?;
        self.take("decay", &mut to.decay, options.decay)?;
        self.take("decay-every", &mut to.decay_every, options.decay_every)?;
        self.take("patience", &mut to.patience, options.patience)?;
        self.take("tv", &mut to.total_variation, options.tv)?;
        self.take("weight-decay", &mut to.weight_decay, options.weight_decay)?;
        self.take("clip", &mut to.clip, options.clip)?;
        self.take("seed", &mut to.seed, options.seed)?;
        self.take("augment", &mut to.augmentations, options.augment)?;
        let schedule = |option| match option {
            ScheduleOption::Steps => Schedule::Steps,
            ScheduleOption::Cosine => Schedule::Cosine,
        };
        let normalisation = |option| match option {
            NormaliseOption::None => Normalisation::None,
            NormaliseOption::Patch => Normalisation::Patch,
        };
        self.take("schedule", &mut to.schedule, options.schedule.map(schedule))?;
        self.take("normalise", &mut to.normalisation, options.normalise.map(normalisation))
    }
}

impl Train {
    pub fn run(self) -> Result<()> {
        let Self {
            data,
            output,
            resume,
            from,
            half,
            cutting,
            network,
            training,
            checkpoint_every,
            adapter,
            force,
        } = self;
        let folder = Folder::new(&output);
        let taker = Taker { resume };
        let found = folder.checkpoint();
        // What can be refused is, before a device is opened or a folder made.
        if output.is_file() {
            return Err(Error::Usage(format!("{} is a file; -o names a folder", output.display())));
        }
        if let Some(file) = data.iter().find(|path| path.is_file()) {
            let what = "is a file; --data names the folder that train.safetensors and validation.safetensors are in, or a \
                 set of `palpate simulate`";
            return Err(Error::Usage(format!("{} {what}", file.display())));
        }
        let start = if resume {
            if !found.exists() {
                let what = "holds no checkpoint to resume; leave out --resume to begin";
                return Err(Error::Usage(format!("{} {what}", output.display())));
            }
            let mut checkpoint = Checkpoint::load(&found)?;
            taker.network(&mut checkpoint.progress.unet, network)?;
            taker.training(&mut checkpoint.progress.settings, training)?;
            Start::Resumed(Box::new(checkpoint))
        } else {
            if let Some(there) = folder.occupied().filter(|_| !force) {
                let resume = if there == found { "go on with it by --resume, " } else { "" };
                return Err(Error::Usage(format!(
                    "{} would be written over; {resume}begin anew by --force, or choose another folder",
                    there.display()
                )));
            }
            let (mut unet, mut settings) = (UnetSettings::default(), TrainSettings::default());
            if data.iter().all(is_set) {
                settings.normalisation = Normalisation::Patch;
            }
            taker.network(&mut unet, network)?;
            taker.training(&mut settings, training)?;
            settings.check()?;
            match from {
                Some(path) => Start::New(Box::new(Weights::load(&path)?), settings),
                None => Start::New(Box::new(Weights::random(Unet::new(unet)?, settings.seed)), settings),
            }
        };
        let patches = TrainingData::open(&data, cutting.settings(&start), start.augmentations())?;
        let gpu = adapter.open()?;
        let chooser = Chooser::new(&Pipelines::new(&gpu, Checks::Off));
        let mut training = match start {
            Start::New(weights, settings) => {
                weights.unet.check_device(gpu.caps())?;
                let training = Training::new(&chooser, *weights, settings, patches, folder.clone())?;
                make_folder(&output)?;
                training
            }
            Start::Resumed(checkpoint) => Training::resume(&chooser, *checkpoint, patches, folder.clone())?,
        };
        training.checkpoint_every(Duration::from_secs(checkpoint_every));
        let mut teller = Teller::new(&training, &gpu.caps().info.name);
        let end = training.run(&mut |event| teller.tell(event))?;
        teller.finish(end, &folder)?;
        finish(&chooser, &data, &folder, half)
    }
}

/// Images that an uncertainty is calibrated on.
const CALIBRATION_IMAGES: usize = 16;

/// Calibrates the best weights' uncertainty on phantoms for validation, where there are phantoms, and writes them with
/// it.
fn finish(chooser: &Chooser, data: &[PathBuf], folder: &Folder, half: bool) -> Result<()> {
    let mut weights = Weights::load(&folder.weights())?;
    let precision = if half { Precision::Half } else { Precision::Single };
    if data.iter().all(is_set) {
        // What is calibrated is what is written.
        weights.save_as(&folder.weights(), precision)?;
        weights = Weights::load(&folder.weights())?;
        let images = Images::open(data, Split::Validation)?;
        let bars = Bars::default();
        let bar = bars.bar("calibrating", CALIBRATION_IMAGES.min(images.images()));
        let progress = &mut |done: usize| bar.set_position(done as u64);
        let calibrated = calibrate(chooser, &weights, &images, CALIBRATION_IMAGES, 1, progress);
        bar.finish_and_clear();
        let (calibration, bins) = calibrated?;
        let mut model = Model::from_metadata(&weights.metadata).map_err(Error::Data)?;
        model.calibration = Some(calibration);
        weights.metadata.extend(model.to_metadata());
        let mut table = String::from("spread, kPa   RMS error, kPa   uncertainty, kPa\n");
        for bin in bins.iter().step_by(4).chain(bins.last()) {
            let expected = calibration.floor.hypot(calibration.slope * bin.spread);
            table += &format!("{:>11.3}   {:>14.3}   {expected:>16.3}\n", bin.spread, bin.error);
        }
        print(&table)?;
    }
    weights.save_as(&folder.weights(), precision)
}

enum Start {
    New(Box<Weights>, TrainSettings),
    Resumed(Box<Checkpoint>),
}

impl Start {
    fn augmentations(&self) -> &[Augmentation] {
        match self {
            Start::New(_, settings) => &settings.augmentations,
            Start::Resumed(checkpoint) => &checkpoint.progress.settings.augmentations,
        }
    }
}

impl CuttingOptions {
    /// When resuming, what the checkpoint's training was begun with.
    fn settings(&self, start: &Start) -> Cutting {
        let defaults = match start {
            Start::New(..) => Cutting::default(),
            Start::Resumed(checkpoint) => {
                let data = &checkpoint.progress.data;
                Cutting { side: data.shape[0], train: data.train, validation: data.validation }
            }
        };
        Cutting {
            side: self.patch.unwrap_or(defaults.side),
            train: self.patches.unwrap_or(defaults.train),
            validation: self.validation_patches.unwrap_or(defaults.validation),
        }
    }
}

fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path)
        .map_err(|e| Error::file(path, format!("this folder cannot be made: {e}; choose another with -o")))
}

/// Tells a person how it goes: bars on a terminal, and a line an epoch wherever standard error goes.
struct Teller {
    bars: Bars,
    compiling: Option<ProgressBar>,
    epoch: Option<ProgressBar>,
    epochs: u32,
    best: Option<Epoch>,
}

impl Teller {
    fn new(training: &Training, adapter: &str) -> Self {
        let progress = training.progress();
        let unet = &progress.unet;
        let learned = Unet::new(unet.clone()).map_or(0, |u| u.layout().learned());
        let data = &progress.data;
        say(format_args!("{unet}: {learned} parameters, on {adapter}"));
        if !data.about.is_empty() {
            say(format_args!("data: {}", data.about));
        }
        say(format_args!(
            "{} patches of {} × {} to train on, {} to validate{}",
            data.train,
            data.shape[0],
            data.shape[1],
            data.validation,
            if progress.step > 0 { format!("; resumed after step {}", progress.step) } else { String::new() }
        ));
        let best = progress.history.iter().rev().find(|e| e.best).copied();
        Self { bars: Bars::default(), compiling: None, epoch: None, epochs: progress.settings.epochs, best }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Memory(bytes) => say(format_args!("{} MiB of device memory", bytes.div_ceil(1 << 20))),
            Event::Compiling(done, all) => {
                let bars = &self.bars;
                let bar = self.compiling.get_or_insert_with(|| bars.bar("compiling kernels", all));
                bar.set_length(all as u64);
                bar.set_position(done as u64);
            }
            Event::Step { progress, steps, losses, flops } => {
                self.compiling.take().inspect(ProgressBar::finish_and_clear);
                let (bars, epochs) = (&self.bars, self.epochs);
                let bar = self.epoch.get_or_insert_with(|| {
                    let bar = bars.rates("training", steps);
                    bar.set_prefix(format!("epoch {}/{epochs}", progress.epoch + 1));
                    bar
                });
                bar.set_position(progress.batches as u64);
                let rate = progress.batches as f64 / progress.sums.seconds;
                bar.set_message(format!(
                    "loss {:.4}, {:.0} patches/s, {:.0} GFLOP/s",
                    losses.total,
                    rate * progress.settings.batch.min(progress.data.train as usize) as f64,
                    rate * flops / 1e9
                ));
            }
            Event::Epoch(epoch) => {
                self.epoch.take().inspect(ProgressBar::finish_and_clear);
                let best = if epoch.best { ", the best so far" } else { "" };
                self.bars.aside(|| {
                    say(format_args!(
                        "epoch {:>3}: training {:.4}, validation {:.4} (RMSE {:.3} kPa){best}; {:.0} patches/s, {:.0} \
                         GFLOP/s",
                        epoch.epoch,
                        epoch.train.total,
                        epoch.validation.total,
                        epoch.validation.mse.sqrt(),
                        epoch.patches_per_second,
                        epoch.gflops
                    ));
                });
                self.best = Some(*epoch).filter(|e| e.best).or(self.best);
            }
        }
    }

    fn finish(self, end: End, folder: &Folder) -> Result<()> {
        let why = match end {
            End::Done => "all epochs done (--resume with more --epochs goes on)",
            End::Patience => "stopped: the validation loss has not fallen for as long as --patience allows",
        };
        let best = self.best.map_or_else(String::new, |e| {
            let rmse = e.validation.mse.sqrt();
            format!(
                "; best in epoch {}: validation loss {:.4}, RMSE {rmse:.3} kPa",
                e.epoch, e.validation.total
            )
        });
        print(&format!("{why}{best}\n{}\n", folder.weights().display()))
    }
}
