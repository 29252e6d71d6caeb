//! `palpate bench`: this adapter against its own limits.

use super::progress::Bars;
use super::{AdapterOption, TuneOption, json, print, say};
use palpate::lowlevel::bench::{
    self, BenchReport, BenchSettings, Comparison, FALL, NetworkRow, Part, Row, SliceRow, compare,
};
use palpate::lowlevel::io::OutputSet;
use palpate::lowlevel::io::png::{RooflineKind, roofline};
use palpate::{Error, Result};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Parts of a network's time that are summed up, as a share of it.
const SMALL_PART: f64 = 0.005;

/// Measure this adapter's limits, and how close the kernels come to them
///
/// First what the adapter can do at most: multiply-adds, memory, dispatches. Then, at batches of 128, every kernel of the
/// network at four layers' shapes, other layers, what other specialisations would reach, a training step, the network
/// alone, and slices of 256 × 256 pixels through DIME and MMDI. Kernels run warm, with caches flushed in between, and
/// count as medians. A share of the ceiling is the least time that the limits allow over the time it took.
///
/// Example: palpate bench -o bench
/// Example: palpate bench --compare benches/results/llvmpipe.json
#[derive(clap::Args)]
pub struct Bench {
    /// Few runs, no other specialisations and layers, a coarser slice: within a minute on two cores
    #[arg(long)]
    quick: bool,
    /// Only kernels whose name holds this: conv3x3, norm, …; no steps and slices
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only a training step and the network alone: channels and patches per batch
    #[arg(long, value_name = "CHANNELS,BATCH", value_parser = pair, conflicts_with = "only")]
    network: Option<[usize; 2]>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Set two results side by side, or measure and set that beside one; warns of falls of more than 15 %
    #[arg(long, value_name = "JSON", num_args = 1..=2)]
    compare: Vec<PathBuf>,
    /// Folder for bench.json, bench.md and roofline.png
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    adapter: AdapterOption,
    #[command(flatten)]
    tune: TuneOption,
}

const FILES: [&str; 3] = ["bench.json", "bench.md", "roofline.png"];

#[derive(Serialize)]
struct Side<'a> {
    name: &'a str,
    adapter: &'a bench::Adapter,
}

#[derive(Serialize)]
struct Beside<'a> {
    sides: [Side<'a>; 2],
    rows: Vec<Compared<'a>>,
}

#[derive(Serialize)]
struct Compared<'a> {
    what: &'a str,
    unit: &'a str,
    values: [f64; 2],
    ratio: f64,
    share_of_ceiling: Option<[f64; 2]>,
}

/// Two numbers of at least 1.
fn pair(text: &str) -> std::result::Result<[usize; 2], String> {
    let numbers: Option<Vec<usize>> =
        text.split(',').map(|n| n.trim().parse().ok().filter(|n| *n > 0)).collect();
    let numbers = numbers.and_then(|numbers| <[usize; 2]>::try_from(numbers).ok());
    numbers.ok_or_else(|| "give channels and patches per batch, for example 16,64".into())
}

/// The result at `path`.
fn read(path: &Path) -> Result<BenchReport> {
    BenchReport::read(path).map_err(|error| match error {
        Error::File { path, what } => {
            Error::file(path, format!("{what}; give what `palpate bench --json` prints, or measure anew"))
        }
        other => other,
    })
}

impl Bench {
    pub fn run(self) -> Result<()> {
        // What is wrong with a file is known before minutes of measuring.
        let before = self.compare.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
        if before.len() > 2 {
            return Err(Error::Usage("--compare takes one result or two".into()));
        }
        if let [a, b] = before.as_slice() {
            if self.output.is_some() {
                return Err(Error::Usage("-o is for what is measured; two results are only compared".into()));
            }
            let names = [0, 1].map(|i| name(&self.compare[i]));
            return self.beside([(&names[0], a), (&names[1], b)]);
        }
        let mut set = self.output.as_ref().map(|folder| OutputSet::new(folder, self.force)).transpose()?;
        if let Some(set) = &mut set {
            set.check_free(&FILES.map(String::from))?;
        }
        let report = self.measure()?;
        if let Some(mut set) = set {
            set.add_bytes(FILES[0], json(&report)?.as_bytes())?;
            set.add_bytes(FILES[1], text(&report).as_bytes())?;
            set.add_bytes(FILES[2], &picture(&report)?)?;
            set.commit()?;
        }
        match before.first() {
            Some(a) => self.beside([(&name(&self.compare[0]), a), ("now", &report)]),
            None if self.json => print(&json(&report)?),
            None => print(&text(&report)),
        }
    }

    fn measure(&self) -> Result<BenchReport> {
        // With matrix units: what they can do is measured, whether anybody uses them or not.
        let device = self.adapter.open(true)?;
        let mut forms = self.tune.forms(&device);
        let bars = Bars::default();
        let settings = BenchSettings { quick: self.quick, only: self.only.clone(), network: self.network };
        let questions = bench::questions(&forms.chooser, &settings)?;
        forms.tune(&questions, settings.tuning(), &bars)?;
        let bar = bars.rates("measuring", 0);
        bar.set_prefix("measuring");
        let report = bench::run(&forms.chooser, &forms.qualifier, &settings, &|done, all, what| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
            bar.set_message(what.to_string());
        });
        bar.finish_and_clear();
        report
    }

    fn beside(&self, sides: [(&str, &BenchReport); 2]) -> Result<()> {
        let [a, b] = sides.map(|(_, report)| report);
        let rows = compare(a, b);
        // On another adapter, or by another clock, other rates are no falls.
        let of = |report: &BenchReport| {
            let bench::Adapter { name, backend, processors, timestamps, .. } = report.adapter.clone();
            (name, backend, processors, timestamps)
        };
        let same = of(a) == of(b);
        if self.json {
            let rows = rows.iter().map(|row| Compared {
                what: &row.what,
                unit: row.unit,
                values: row.values,
                ratio: row.ratio(),
                share_of_ceiling: row.shares,
            });
            let sides = sides.map(|(name, report)| Side { name, adapter: &report.adapter });
            print(&json(&Beside { sides, rows: rows.collect() })?)?;
        } else {
            print(&side_by_side(sides, &rows))?;
        }
        for row in rows.iter().filter(|row| same && row.fell()) {
            say(format_args!(
                "warning: {} fell by {:.0} %, from {} to {} {}",
                row.what,
                100.0 * (1.0 - row.ratio()),
                short(row.values[0]),
                short(row.values[1]),
                row.unit
            ));
        }
        if same && rows.iter().all(|row| !row.fell()) {
            say(format_args!("nothing fell by more than {:.0} %", 100.0 * FALL));
        }
        Ok(())
    }
}

fn name(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into_owned())
}

/// Three digits or so.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// The report as Markdown, which reads well on a terminal too.
fn text(report: &BenchReport) -> String {
    let BenchReport { adapter, ceilings, .. } = report;
    let mut out = format!(
        "# {}\n\n{} through {}, driver {}; {} processors; kernels timed by {}. palpate {}{}.\n\n",
        adapter.name,
        adapter.kind,
        adapter.backend,
        adapter.driver,
        adapter.processors,
        if adapter.timestamps { "the device's clock" } else { "the host's clock" },
        report.palpate,
        if report.quick { ", measured quickly" } else { "" }
    );
    let also = [(ceilings.fma_f16_gflops, "in f16"), (ceilings.units_gflops, "by matrix units")];
    let also = also.iter().filter_map(|(rate, how)| Some(format!("{} {how}", short((*rate)?))));
    let also: Vec<_> = also.collect();
    let half = if also.is_empty() { String::new() } else { format!(" ({})", also.join(", ")) };
    let _ = writeln!(
        out,
        "Ceilings: {} GFLOP/s of multiply-adds{half}, {} GB/s of memory, {} μs a dispatch, {} μs a submission.\n",
        short(ceilings.fma_gflops),
        short(ceilings.copy_gbs),
        short(ceilings.dispatch_us),
        short(ceilings.submit_us)
    );
    rows(&mut out, "Kernels, batches of 128", &report.kernels);
    medians(&mut out, report);
    rows(&mut out, "Other layers", &report.layers);
    rows(&mut out, "Other specialisations", &report.candidates);
    for (title, found) in [("Training step", &report.step), ("Network alone", &report.forward)] {
        if let Some(found) = found {
            network(&mut out, title, found);
        }
    }
    slices(&mut out, report);
    out
}

fn rows(out: &mut String, title: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "## {title}\n\n| kernel | shape | ms | ± % | GFLOP/s | GB/s | of the ceiling | specialisation |\n\
         |---|---|--:|--:|--:|--:|--:|---|"
    );
    for row in rows {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.0} | {} | {} | {} | {} |",
            row.kernel,
            row.shape,
            short(row.time.ms),
            50.0 * row.time.spread,
            short(row.gflops),
            short(row.gbs),
            percent(row.share_of_ceiling),
            row.spec
        );
    }
    out.push('\n');
}

fn medians(out: &mut String, report: &BenchReport) {
    let names = ["conv3x3_forward", "conv3x3_grad_input", "conv3x3_grad_weight"];
    let share = |name: &&str| Some(format!("{name} {}", percent(report.median_share(name)?)));
    let shares: Vec<_> = names.iter().filter_map(share).collect();
    if !shares.is_empty() {
        let _ = writeln!(out, "Median share of the ceiling over the four shapes: {}.\n", shares.join(", "));
    }
}

fn network(out: &mut String, title: &str, network: &NetworkRow) {
    let NetworkRow { chans, batch, time, patches_per_second, gflops, share_of_ceiling, memory_mib, parts } =
        network;
    let _ = writeln!(
        out,
        "## {title}\n\n{chans} channels, batches of {batch}: {} ms (± {:.0} %), {} patches/s, {} GFLOP/s ({} of the \
         ceiling), {memory_mib:.0} MiB.\n",
        short(time.ms),
        50.0 * time.spread,
        short(*patches_per_second),
        short(*gflops),
        percent(*share_of_ceiling)
    );
    if !parts.is_empty() {
        let _ = writeln!(out, "| part | kernel | ms | of the time | GFLOP/s |\n|---|---|--:|--:|--:|");
        let (large, small): (Vec<_>, Vec<_>) =
            parts.iter().partition(|part| part.share_of_time >= SMALL_PART);
        for Part { stage, kernel, ms, share_of_time, gflops } in large {
            let (ms, share, rate) = (short(*ms), percent(*share_of_time), short(*gflops));
            let _ = writeln!(out, "| {stage} | {kernel} | {ms} | {share} | {rate} |");
        }
        let sum = |of: fn(&Part) -> f64| small.iter().copied().map(of).sum::<f64>();
        let (ms, share) = (short(sum(|part| part.ms)), percent(sum(|part| part.share_of_time)));
        let _ = writeln!(out, "| others | {} | {ms} | {share} | |\n", small.len());
    }
}

fn slices(out: &mut String, report: &BenchReport) {
    if report.slice.is_none() && report.mmdi.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "## Slices\n\n| method | image | first, ms | then, ms | ± % | MiB |\n|---|---|--:|--:|--:|--:|"
    );
    for slice in report.slice.iter().chain(&report.mmdi) {
        let SliceRow { method, side, inside, stride, cold_ms, time, memory_mib } = slice;
        let stride = stride.map(|s| format!(", stride {s}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {method} | {side}², {inside} px inside{stride} | {} | {} | {:.0} | {memory_mib:.0} |",
            short(*cold_ms),
            short(time.ms),
            50.0 * time.spread
        );
    }
}

fn side_by_side([a, b]: [(&str, &BenchReport); 2], rows: &[Comparison]) -> String {
    let mut out = format!(
        "| | {} | {} | | ratio | of the ceilings |\n|---|--:|--:|---|--:|--:|\n| adapter | {} | {} | | | |\n",
        a.0, b.0, a.1.adapter.name, b.1.adapter.name
    );
    for row in rows {
        let shares = row.shares.map(|[a, b]| format!("{}, {}", percent(a), percent(b))).unwrap_or_default();
        let [x, y] = row.values.map(short);
        let mark = if row.fell() { " ↓" } else { "" };
        let _ = writeln!(
            out,
            "| {} | {x} | {y} | {} | {:.2}{mark} | {shares} |",
            row.what,
            row.unit,
            row.ratio()
        );
    }
    out
}

/// Every row by what it is bound by: as many kinds as there are of work.
fn picture(report: &BenchReport) -> Result<Vec<u8>> {
    let rows = || report.kernels.iter().chain(&report.layers);
    let of = |name: &str, belongs: &dyn Fn(&str) -> bool| RooflineKind {
        name: name.into(),
        points: rows().filter(|r| belongs(&r.kernel)).map(|r| [r.gflops / r.gbs, r.gflops]).collect(),
    };
    let ends = |end: &'static str| move |kernel: &str| kernel.starts_with("conv") && kernel.ends_with(end);
    let kinds = [
        of("convolutions, forward", &ends("_forward")),
        of("data gradients", &ends("_grad_input")),
        of("weight gradients", &ends("_grad_weight")),
        of("norm and activation", &|kernel| kernel.starts_with("norm")),
        of("everything else", &|kernel| !kernel.starts_with("conv") && !kernel.starts_with("norm")),
    ];
    let title = format!("palpate on {}, batches of 128", report.adapter.name);
    roofline(&title, [report.ceilings.fma_gflops, report.ceilings.copy_gbs], &kinds)
}
