//! Reports of a training: progress bars, lines of text, and the picture of the losses.

use crate::cli::progress::Bars;
use crate::cli::{print, say};
use indicatif::ProgressBar;
use palpate::Result;
use palpate::lowlevel::dime::{DimeTraining, MseTv, PatchSettings};
use palpate::lowlevel::io::png::{Series, losses};
use palpate::lowlevel::nn::{Network, Unet, UnetSettings};
use palpate::lowlevel::train::{End, Epoch, Objective, Progress, TrainEvent, TrainFolder};

/// Reports on a training: bars on a terminal, and a line per epoch on standard error.
pub struct Teller {
    bars: Bars,
    compiling: Option<ProgressBar>,
    epoch: Option<ProgressBar>,
    epochs: u32,
    best: Option<Epoch>,
}

impl Teller {
    pub fn new(training: &DimeTraining, adapter: &str) -> Self {
        let progress = training.progress();
        let unet = training.network();
        let data = &progress.data;
        say(format_args!("{}: {} parameters, on {adapter}", unet.describe(), unet.layout().learned()));
        if !data.about.is_empty() {
            say(format_args!("data: {}", data.about));
        }
        say(format_args!(
            "{} patches of {} to train on, {} to validate{}",
            data.train,
            data.size,
            data.validation,
            if progress.step > 0 { format!("; resumed after step {}", progress.step) } else { String::new() }
        ));
        let best = progress.history.iter().rev().find(|e| e.best).cloned();
        Self { bars: Bars::default(), compiling: None, epoch: None, epochs: progress.settings.epochs, best }
    }

    pub fn tell(&mut self, event: TrainEvent) {
        match event {
            TrainEvent::Memory(bytes) => {
                say(format_args!("{} MiB of device memory", bytes.div_ceil(1 << 20)))
            }
            TrainEvent::Compiling(done, all) => {
                let bars = &self.bars;
                let bar = self.compiling.get_or_insert_with(|| bars.bar("compiling kernels", all));
                bar.set_length(all as u64);
                bar.set_position(done as u64);
            }
            TrainEvent::Step { epoch, done, steps, batch, seconds, losses, flops } => {
                self.compiling.take().inspect(ProgressBar::finish_and_clear);
                let (bars, epochs) = (&self.bars, self.epochs);
                let bar = self.epoch.get_or_insert_with(|| {
                    let bar = bars.rates("training", steps);
                    bar.set_prefix(format!("epoch {}/{epochs}", epoch + 1));
                    bar
                });
                bar.set_position(done as u64);
                let rate = done as f64 / seconds;
                bar.set_message(format!(
                    "loss {:.4}, {:.0} patches/s, {:.0} GFLOP/s",
                    losses.total,
                    rate * batch as f64,
                    rate * flops / 1e9
                ));
            }
            TrainEvent::Epoch(epoch) => {
                self.epoch.take().inspect(ProgressBar::finish_and_clear);
                let best = if epoch.best { ", the best so far" } else { "" };
                self.bars.aside(|| {
                    say(format_args!(
                        "epoch {:>3}: training {:.4}, validation {:.4} (RMSE {:.3} kPa){best}; {:.0} patches/s, {:.0} \
                         GFLOP/s",
                        epoch.epoch,
                        epoch.train.total,
                        epoch.validation.total,
                        epoch.validation["mse"].sqrt(),
                        epoch.samples_per_second,
                        epoch.gflops
                    ));
                });
                if epoch.best {
                    self.best = Some(epoch.clone());
                }
            }
        }
    }

    pub fn finish(self, end: End, folder: &TrainFolder) -> Result<()> {
        let why = match end {
            End::Done => "all epochs done (--resume with more --epochs goes on)",
            End::Patience => "stopped: the validation loss has not fallen for as long as --patience allows",
        };
        let best = self.best.map_or_else(String::new, |e| {
            let rmse = e.validation["mse"].sqrt();
            format!(
                "; best in epoch {}: validation loss {:.4}, RMSE {rmse:.3} kPa",
                e.epoch, e.validation.total
            )
        });
        print(&format!("{why}{best}\n{}\n", folder.weights().display()))
    }
}

/// Draws the losses of `progress` into `folder`.
pub fn draw(progress: &Progress<UnetSettings, MseTv, PatchSettings>, folder: &TrainFolder) -> Result<()> {
    if progress.history.is_empty() {
        return Ok(());
    }
    let series = |name: &str, of: &dyn Fn(&Epoch) -> f64| Series {
        name: name.into(),
        points: progress.history.iter().map(|e| (e.epoch, of(e))).collect(),
    };
    let both = [series("training", &|e| e.train.total), series("validation", &|e| e.validation.total)];
    let unet = Unet::new(progress.network.clone())?;
    let title = format!(
        "Loss ({}): U-Net of {} channels, {} parameters",
        progress.settings.objective.parts()[0].unit,
        progress.network.chans,
        unet.layout().learned()
    );
    losses(folder.picture(), &title, &both)
}
