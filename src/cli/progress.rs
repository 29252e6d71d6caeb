//! Progress bars on standard error, shown only on a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use palpate::Result;
use palpate::lowlevel::mmdi::{Mmdi, MmdiSettings};
use palpate::lowlevel::plan::Pipelines;
use std::fmt::Write;
use std::time::Duration;

/// The bars of one command, which stand below each other.
#[derive(Default)]
pub struct Bars(MultiProgress);

impl Bars {
    /// A bar over `total` steps that says `what` is being done. Off a terminal it draws nothing.
    pub fn bar(&self, what: &'static str, total: usize) -> ProgressBar {
        self.styled(what, total, "{msg:20} {wide_bar:.cyan/dim} {pos}/{len} {eta}")
    }

    /// As [`Bars::bar`], with steps a second.
    pub fn rate(&self, what: &'static str, total: usize) -> ProgressBar {
        self.styled(what, total, "{msg:20} {wide_bar:.cyan/dim} {pos}/{len} {rate} {eta}")
    }

    fn styled(&self, what: &'static str, total: usize, template: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template);
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            let _ = write!(out, "{:.0}/s", state.per_sec());
        };
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate);
        let bar = self.0.add(ProgressBar::new(total as u64)).with_style(style).with_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A bar over `total` steps whose message changes as it goes.
    pub fn rates(&self, what: &'static str, total: usize) -> ProgressBar {
        let bar = self.bar(what, total);
        let style = ProgressStyle::with_template("{prefix:14} {wide_bar:.cyan/dim} {pos}/{len} {eta} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }

    /// A sign of life, with the time, for work whose length is not known.
    pub fn spinner(&self, what: &'static str) -> ProgressBar {
        let bar = self.0.add(ProgressBar::new_spinner()).with_message(what);
        let style = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// Prints with the bars out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }

    /// Compiles an inversion behind a bar.
    pub fn compile(&self, pipelines: &Pipelines, settings: &MmdiSettings) -> Result<Mmdi> {
        self.compiling(|progress| Mmdi::new(pipelines, settings, progress))
    }

    /// Makes what takes compiling behind a bar; `make` is given what to tell of each kernel.
    pub fn compiling<T>(&self, make: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T) -> T {
        let bar = self.bar("compiling kernels", 0);
        let made = make(&|_, all| {
            bar.set_length(all as u64);
            bar.inc(1);
        });
        bar.finish_and_clear();
        made
    }
}
