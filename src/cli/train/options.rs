//! The options of a training, and how they become its settings.

use clap::ValueEnum;
use palpate::lowlevel::dime::{Cutting, DimeCheckpoint, DimeTrainSettings, Surroundings};
use palpate::lowlevel::kernel::nn::pool::Pooling;
use palpate::lowlevel::nn::{NormKind, UnetSettings, Up};
use palpate::lowlevel::patches::{Augmentation, Normalisation};
use palpate::lowlevel::train::Schedule;
use palpate::{Error, Result};

/// How patches are cut from a simulated set's images.
#[derive(clap::Args)]
#[command(next_help_heading = "Patches of simulated sets")]
pub struct CuttingOptions {
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
pub struct NetworkOptions {
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
pub struct TrainOptions {
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
    /// How the learning rate falls: by --decay in steps, or as a cosine over --epochs, which starts again higher when they
    /// are raised [default: steps]
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
    /// are cut from images, zoom=1.15, texture=0.3, organs=0.4, alone=0.3; separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = augmentation)]
    augment: Option<Vec<Augmentation>>,
    /// Bring each channel of a patch to mean 0 and deviation 1 [default: patch for simulated sets, else none]
    #[arg(long, value_enum)]
    pub normalise: Option<NormaliseOption>,
    /// Show the network coarser views of a patch's surroundings: means over so many pixels, such as 3,7 [default: none, or
    /// those of --from]
    #[arg(long, value_name = "LIST")]
    surroundings: Option<Surroundings>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleOption {
    Steps,
    Cosine,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum NormaliseOption {
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
        "organs" => Ok(Augmentation::Organs { share: number()? }),
        "alone" => Ok(Augmentation::Alone { share: number()? }),
        _ => Err(
            "flips, turns, phase, gains=, offsets=, noise=, zoom=, texture=, organs= and alone= are known"
                .into(),
        ),
    }
}

/// Takes options into settings; when resuming, refuses those that differ.
pub struct Taker {
    pub resume: bool,
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

    pub fn network(&self, to: &mut UnetSettings, options: NetworkOptions) -> Result<()> {
        let norm = |option| match option {
            NormOption::Instance => NormKind::Instance,
            NormOption::Batch => NormKind::Batch,
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

    pub fn training(&self, to: &mut DimeTrainSettings, options: TrainOptions) -> Result<()> {
        self.take("batch", &mut to.batch, options.batch)?;
        to.epochs = options.epochs.unwrap_or(to.epochs);
        self.take("learning-rate", &mut to.learning_rate, options.learning_rate)?;
        self.take("decay", &mut to.decay, options.decay)?;
        self.take("decay-every", &mut to.decay_every, options.decay_every)?;
        self.take("patience", &mut to.patience, options.patience)?;
        self.take("tv", &mut to.objective.total_variation, options.tv)?;
        self.take("weight-decay", &mut to.weight_decay, options.weight_decay)?;
        self.take("clip", &mut to.clip, options.clip)?;
        self.take("seed", &mut to.seed, options.seed)?;
        self.take("surroundings", &mut to.source.surroundings, options.surroundings)?;
        self.take("augment", &mut to.source.augmentations, options.augment)?;
        let schedule = |option| match option {
            ScheduleOption::Steps => Schedule::Steps,
            ScheduleOption::Cosine => Schedule::Cosine,
        };
        let normalisation = |option| match option {
            NormaliseOption::None => Normalisation::None,
            NormaliseOption::Patch => Normalisation::Patch,
        };
        self.take("schedule", &mut to.schedule, options.schedule.map(schedule))?;
        self.take("normalise", &mut to.source.normalisation, options.normalise.map(normalisation))
    }
}

impl CuttingOptions {
    /// Refuses these options where there are no images to cut patches from.
    pub fn check_unused(&self) -> Result<()> {
        let given = [
            ("patch", self.patch.is_some()),
            ("patches", self.patches.is_some()),
            ("validation-patches", self.validation_patches.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::Usage(format!(
                "--{name} is for sets of `palpate simulate`, and --data names a folder of patches, which are all used"
            ))),
            None => Ok(()),
        }
    }

    /// When resuming, what the checkpoint's training was begun with.
    pub fn settings(&self, resumed: Option<&DimeCheckpoint>) -> Cutting {
        let defaults = resumed.map_or_else(Cutting::default, |checkpoint| {
            let data = &checkpoint.progress.data;
            Cutting { patch: data.size.ny, patches: data.train, validation_patches: data.validation }
        });
        Cutting {
            patch: self.patch.unwrap_or(defaults.patch),
            patches: self.patches.unwrap_or(defaults.patches),
            validation_patches: self.validation_patches.unwrap_or(defaults.validation_patches),
        }
    }
}
