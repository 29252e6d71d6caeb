//! What a person is told of a training.

use crate::cli::progress::Bars;
use crate::cli::{print, say};
use indicatif::ProgressBar;
use palpate::Result;
use palpate::lowlevel::nn::Unet;
use palpate::lowlevel::train::{End, Epoch, Event, Folder, Training};

/// Tells a person how it goes: bars on a terminal, and a line an epoch wherever standard error goes.
pub struct Teller {
    bars: Bars,
    compiling: Option<ProgressBar>,
    epoch: Option<ProgressBar>,
    epochs: u32,
    best: Option<Epoch>,
}

impl Teller {
    pub fn new(training: &Training, adapter: &str) -> Self {
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

    pub fn tell(&mut self, event: Event) {
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

    pub fn finish(self, end: End, folder: &Folder) -> Result<()> {
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
