//! `palpate train`: a network from simulated phantoms, or from patches.

mod finish;
mod options;
mod teller;

use super::progress::Bars;
use super::{AdapterOption, Forms, TuneOption, say};
use finish::finish;
use options::{CuttingOptions, NetworkOptions, Taker, TrainOptions};
use palpate::lowlevel::dime::{
    DimeCheckpoint, DimeTrainSettings, DimeTraining, Model, PatchSettings, TrainingData,
};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::nn::{Network, Unet, UnetSettings, Weights};
use palpate::lowlevel::patches::{self, is_set};
use palpate::lowlevel::train::{Objective, TrainFolder};
use palpate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use teller::Teller;

/// Train a network on simulated phantoms, or on patches
///
/// Cuts patches from sets that `palpate simulate --set` made, never the same twice; or reads train.safetensors and
/// validation.safetensors in the data folder: tensors input [N, 2, H, W], truth [N, 1, H, W] in kPa and, if there is one,
/// mask [N, 1, H, W]. Writes weights.safetensors (of the epoch with the lowest validation loss, its uncertainty
/// calibrated), losses.jsonl, losses.png and checkpoint.safetensors, from which --resume goes on as if there had been no
/// interruption.
///
/// Example: palpate train --data cylinders --chans 16 --norm batch -o run1
#[derive(clap::Args)]
pub struct Train {
    /// Folder of patches, or sets that `palpate simulate` made (may be given again)
    #[arg(long, value_name = "DIR", required = true)]
    data: Vec<PathBuf>,
    /// Sets of bodies unlike those of the training, never trained on: the uncertainty is calibrated on them too (may be given
    /// again)
    #[arg(long, value_name = "DIR")]
    unlike: Vec<PathBuf>,
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
    #[command(flatten)]
    tune: TuneOption,
    /// Begin anew in a folder that holds a training
    #[arg(long)]
    force: bool,
}

impl Train {
    pub fn run(self) -> Result<()> {
        let Self {
            data,
            unlike,
            output,
            resume,
            from,
            half,
            cutting,
            network,
            training,
            checkpoint_every,
            adapter,
            tune,
            force,
        } = self;
        let folder = TrainFolder::new(&output);
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
        if !data.iter().all(is_set) {
            cutting.check_unused()?;
        }
        if let Some(other) = unlike.iter().find(|path| !is_set(path)) {
            let what = "is no set of `palpate simulate`, which --unlike names";
            return Err(Error::Usage(format!("{} {what}", other.display())));
        }
        let chosen = training.normalise.is_some();
        let mut start = if resume {
            if !found.exists() {
                let what = "holds no checkpoint to resume; leave out --resume to begin";
                return Err(Error::Usage(format!("{} {what}", output.display())));
            }
            let mut checkpoint = DimeCheckpoint::load(&found)?;
            taker.network(&mut checkpoint.progress.network, network)?;
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
            let (mut unet, mut settings) = (UnetSettings::default(), DimeTrainSettings::default());
            taker.network(&mut unet, network)?;
            let weights = from.map(|path| Weights::<Unet>::load(&path)).transpose()?;
            if let Some(model) = weights.as_ref().and_then(|w| Model::from_metadata(&w.metadata).ok()) {
                settings.source.surroundings = model.surroundings;
            }
            taker.training(&mut settings, training)?;
            settings.check()?;
            settings.objective.check()?;
            patches::check(&settings.source.augmentations)?;
            unet.surroundings = settings.source.surroundings.scales().len();
            let random = || Ok(Weights::random(Unet::new(unet)?, settings.seed));
            Start::New(Box::new(weights.map_or_else(random, Ok::<_, Error>)?), settings)
        };
        let found = TrainingData::open(&data, cutting.settings(start.checkpoint()), start.source())?;
        if let Some(doubt) = found.doubt() {
            say(format_args!("warning: {doubt}"));
        }
        if let Start::New(_, settings) = &mut start
            && !chosen
        {
            settings.source.normalisation = found.normalisation();
        }
        let device = adapter.open(false)?;
        let mut forms = tune.forms(&device);
        let mut training = match start {
            Start::New(weights, settings) => {
                let fits = weights.network.layout().check_device(device.caps());
                fits.map_err(|e| Error::Data(format!("{e}; choose fewer --chans or --pools")))?;
                let training = DimeTraining::new(*weights, settings, found, folder.clone())?;
                make_folder(&output)?;
                training
            }
            Start::Resumed(checkpoint) => DimeTraining::resume(*checkpoint, found, folder.clone())?,
        };
        training.checkpoint_every(Duration::from_secs(checkpoint_every));
        let drawn = folder.clone();
        training.after_log(move |progress| teller::draw(progress, &drawn));
        let mut teller = Teller::new(&training, &device.caps().info.name);
        choose(&mut forms, &training)?;
        let chooser = forms.qualified(&|c| training.specs(c))?;
        let end = training.run(&chooser, &mut |event| teller.tell(event))?;
        teller.finish(end, &folder)?;
        finish(&forms, [&data, &unlike], &folder, half)
    }
}

/// Time to measure forms before a training, at most; questions left open are measured before the next training.
const TUNING: Duration = Duration::from_secs(20);

/// Chooses the forms of `training`: those it began with, or else the fastest that fit the device's memory.
fn choose(forms: &mut Forms, training: &DimeTraining) -> Result<()> {
    if let Some(choices) = training.choices() {
        forms.chooser = Chooser::new(forms.chooser.pipelines()).with_choices(choices);
        return Ok(());
    }
    forms.tune(&training.questions()?, TUNING, &Bars::default())?;
    if training.memory(&forms.chooser).is_err() {
        forms.chooser = Chooser::new(forms.chooser.pipelines());
    }
    Ok(())
}

enum Start {
    New(Box<Weights>, DimeTrainSettings),
    Resumed(Box<DimeCheckpoint>),
}

impl Start {
    fn checkpoint(&self) -> Option<&DimeCheckpoint> {
        match self {
            Start::New(..) => None,
            Start::Resumed(checkpoint) => Some(checkpoint),
        }
    }

    fn source(&self) -> &PatchSettings {
        match self {
            Start::New(_, settings) => &settings.source,
            Start::Resumed(checkpoint) => &checkpoint.progress.settings.source,
        }
    }
}

fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path)
        .map_err(|e| Error::file(path, format!("this folder cannot be made: {e}; choose another with -o")))
}
