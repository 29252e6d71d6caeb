//! The command line: one file per subcommand, and the only place that prints.

mod bench;
mod demo;
mod dime;
mod doctor;
mod evaluate;
mod forward;
mod info;
mod invert;
mod phrase;
mod picture;
mod progress;
mod report;
mod shaders;
mod simulate;
mod train;

use clap::{Parser, Subcommand};
use palpate::lowlevel::device::{AdapterChoice, Device};
use palpate::lowlevel::kernel::form::{Chooser, Question, Tuning};
use palpate::lowlevel::plan::{Checks, Pipelines, Spec};
use palpate::lowlevel::proof::{Qualifier, Tuned, Tuner};
use palpate::{Error, Result};
use phrase::{about, advise};
pub use phrase::{exit_code, phrase};
use progress::Bars;
use std::io::Write;
use std::time::Duration;

/// Tissue stiffness from shear waves, on any GPU.
///
/// palpate turns wave images of magnetic resonance elastography into stiffness maps (kPa). It is a research
/// tool, not a medical device.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Invert(Box<invert::Invert>),
    Info(info::Info),
    Simulate(simulate::Simulate),
    Evaluate(evaluate::Evaluate),
    Forward(forward::Forward),
    Bench(bench::Bench),
    Doctor(doctor::Doctor),
    Shaders(shaders::Shaders),
    Train(Box<train::Train>),
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Demo(command) => command.run(),
            Command::Invert(command) => command.run(),
            Command::Info(command) => command.run(),
            Command::Simulate(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Forward(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Shaders(command) => command.run(),
            Command::Train(command) => command.run(),
        }
    }
}

/// The option that chooses an adapter.
#[derive(clap::Args)]
struct AdapterOption {
    /// Adapter to compute on: part of its name, its number in `palpate doctor`, or `cpu` for the processor
    ///
    /// Without this option, the first GPU, or the processor if there is none. `cpu:avx512`, `cpu:avx2`, `cpu:neon` and
    /// `cpu:portable` choose the processor's instructions.
    #[arg(long, value_name = "NAME|NUMBER|cpu", allow_hyphen_values = true,
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    adapter: Option<String>,
    /// Threads, if it computes on the processor; all that the machine offers without this option
    #[arg(long, value_name = "N", allow_negative_numbers = true,
        value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl AdapterOption {
    fn choice(&self) -> AdapterChoice {
        self.adapter.as_deref().map_or(AdapterChoice::Best, AdapterChoice::from)
    }

    /// Opens the device, on request with its matrix units.
    fn open(&self, units: bool) -> Result<Device> {
        Device::open_with(&self.choice(), self.threads.map(usize::from), units)
    }
}

/// The option that leaves out what was measured.
#[derive(clap::Args)]
struct TuneOption {
    /// Choose forms of kernels by rule, not by what was measured on this adapter, and measure none
    #[arg(long, env = "PALPATE_NO_TUNE", hide_env_values = true,
        value_parser = clap::builder::FalseyValueParser::new())]
    no_tune: bool,
}

impl TuneOption {
    /// Prepares the choice of forms on `device`.
    fn forms(&self, device: &Device) -> Forms {
        let tuning = Tuning::path(device.caps());
        let pipelines = match &tuning {
            Some(path) => Pipelines::kept(device, Checks::Off, &path.with_extension("pipelines")),
            None => Pipelines::new(device, Checks::Off),
        };
        let qualifier = Qualifier::new(&pipelines);
        if self.no_tune {
            return Forms { chooser: Chooser::new(&pipelines), qualifier, tuner: None };
        }
        let (caps, path) = (device.caps(), tuning);
        let own = path.as_ref().map_or_else(|| Ok(Tuning::new(caps)), |path| Tuning::load(path, caps));
        let own = own.unwrap_or_else(|error| {
            say(format_args!("warning: {error}"));
            Tuning::new(caps)
        });
        let tuner = Tuner::new(&qualifier, &pipelines, own, path);
        Forms { chooser: tuner.chooser(), qualifier, tuner: Some(tuner) }
    }

    /// Opens `adapter` and prepares the choice of forms, on its matrix units where they are asked for.
    fn open(&self, adapter: &AdapterOption, matrix_units: bool) -> Result<Forms> {
        if !matrix_units {
            return Ok(self.forms(&adapter.open(false)?));
        }
        let mut forms = self.forms(&adapter.open(true)?);
        forms.chooser = forms.qualifier.in_half(&forms.chooser)?;
        Ok(forms)
    }
}

/// The choice of forms on one device.
struct Forms {
    chooser: Chooser,
    qualifier: Qualifier,
    /// Measures forms, unless the user wants none measured.
    tuner: Option<Tuner>,
}

impl Forms {
    /// The chooser without the forms that compute wrongly, of those that `specs` says it leads to.
    fn qualified(&self, specs: &dyn Fn(&Chooser) -> Result<Vec<Spec>>) -> Result<Chooser> {
        self.qualifier.chooser(&self.chooser, specs)
    }

    /// Measures which forms are fastest for `questions`, for no longer than `within`, and chooses by that from now on.
    fn tune(&mut self, questions: &[Question], within: Duration, bars: &Bars) -> Result<()> {
        let Some(tuner) = &mut self.tuner else { return Ok(()) };
        let bar = bars.bar("choosing kernels", 0);
        let tuned = tuner.tune(questions, within, &mut |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        let Tuned { answered, not_kept } = tuned?;
        if let Some(error) = not_kept {
            say(format_args!("warning: {answered} choices of kernels could not be kept: {error}"));
        }
        self.chooser = tuner.chooser();
        Ok(())
    }
}

/// Prints to standard output; a reader that has gone away (`palpate … | head`) is no error.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::file("standard output", e)),
        _ => Ok(()),
    }
}

/// Prints a line to standard error. Where nobody listens (`palpate … 2>&1 | head`), the work goes on.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// `value` as JSON, indented, with a line's end.
fn json(value: &impl serde::Serialize) -> Result<String> {
    let text =
        serde_json::to_string_pretty(value).map_err(|e| Error::Data(format!("no JSON of this: {e}")))?;
    Ok(text + "\n")
}
