//! `palpate invert`: wave images to stiffness maps.

pub mod exams;
pub mod input;
mod regions;
mod table;
mod work;
mod write;

use super::dime::DimeOptions;
use super::progress::Bars;
use super::report::{Method, Report};
use super::{AdapterOption, TuneOption, json, phrase, print, say};
use clap::ValueEnum;
use exams::{Shard, exams};
use input::{Exam, InputOptions};
use palpate::Size;
use palpate::lowlevel::io::{OutputSet, Volume};
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{MmdiMode, MmdiSettings};
use palpate::lowlevel::wave::{FrameLayout, WaveImage, ZeroLevel};
use palpate::{Error, Result};
use regions::RegionOptions;
use std::path::PathBuf;
use table::Row;
use work::Work;

/// Turn wave images into stiffness maps
///
/// Reads NIfTI, MATLAB and NPY: x, y and three or more phases over one period, or a real and an imaginary part; with
/// slices, directions of motion and frequencies beside; or complex x, y and x, y, slice. --axes names the axes where the
/// file does not. A folder of images, or of sub-* folders, is many exams. For input S.nii.gz it writes
/// S_mmdi_stiffness, _storage, _loss, _wavespeed, _confidence and _coherence (.nii.gz), and for DIME
/// S_dime_stiffness, _uncertainty and _confidence; S_wave, S_amplitude, S_mask, a picture S.png and statistics S.json.
///
/// Example: palpate invert liver.nii.gz --frequency 60 -o maps
#[derive(clap::Args)]
pub struct Invert {
    /// Wave images (.nii, .nii.gz, .mat, .npy), folders of them, or folders of DICOM files
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder the maps are written to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Method of inversion
    #[arg(long, value_enum, default_value_t = Method::Mmdi)]
    method: Method,
    /// MMDI for measurement (bias corrected) or for comparison with clinical maps
    #[arg(long, value_enum, default_value_t = ModeOption::Corrected)]
    mmdi: ModeOption,
    /// Write MMDI's stiffness and confidence of each direction of motion and of each frequency, too
    #[arg(long)]
    each: bool,
    /// Write the stiffness and the confidence of a DICOM exam as DICOM, too: as a series of MR images, and as parametric
    /// maps
    #[arg(long)]
    dicom: bool,
    /// Ends of the stiffness colours in the picture, kPa [default: by the data]
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    scale: Vec<f32>,
    #[command(flatten)]
    adapter: AdapterOption,
    #[command(flatten)]
    tune: TuneOption,
    /// Of many exams, do only every Nth, from the Ith on: a share of a cluster's job array
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Skip exams whose outputs exist
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
    /// Print the statistics as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputOptions,
    #[command(flatten)]
    regions: RegionOptions,
    #[command(flatten)]
    dime: DimeOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeOption {
    Corrected,
    Clinical,
}

impl Invert {
    pub fn run(self) -> Result<()> {
        self.check()?;
        let exams = exams(&self.inputs, self.input.join.is_some(), self.input.series(), self.shard)?;
        if let Some(exam) =
            exams.iter().find(|exam| self.dicom && exam.series().is_none() && exam.fault().is_none())
        {
            let what = "is no folder of DICOM files, and only such an exam has a study; leave out --dicom";
            return Err(Error::Usage(format!("{} {what}", exam.told.display())));
        }
        let set = OutputSet::new(&self.output, self.force)?;
        let todo: Vec<&Exam> = exams.iter().filter(|exam| !self.done(exam)).collect();
        let mut names: Vec<_> =
            todo.iter().flat_map(|exam| write::names(&exam.name, self.method, &self.regions)).collect();
        // The files that a person names one by one need no table.
        let many = self.shard.is_some() || self.resume || self.inputs.iter().any(|input| input.is_dir());
        let table = Some(table::name(self.shard)).filter(|_| many && exams.len() > 1);
        // A table that was written before is continued.
        names.extend(table.clone().filter(|_| !self.resume));
        set.check_free(&names)?;
        self.spare_inputs(&exams, &names)?;
        drop(set);
        let mask = self.input.mask()?;
        if !self.method.dime() {
            self.dime.check_unused()?;
        }
        let network = self.method.dime().then(|| self.dime.load()).transpose()?;
        let mut work =
            Work::new(Bars::default(), &self.adapter, &self.tune, self.dime.matrix_units(), network);
        let bar = work.bars.bar("inputs", todo.len());
        let mut reports = Vec::new();
        let mut failed = Vec::new();
        let mut rows = Vec::new();
        for exam in &exams {
            if self.done(exam) {
                rows.push(Row::read(&self.output, exam));
                continue;
            }
            match self.one(exam, mask.as_ref(), &mut work) {
                Ok(report) => {
                    if !self.json {
                        // A full disk behind standard output costs a line, not the maps to come.
                        let told = work.bars.aside(|| print(&report.line(&self.output)));
                        failed.extend(told.err());
                    }
                    rows.push(Row::of(exam, &report));
                    reports.push(report);
                }
                Err(error) => {
                    rows.push(Row::failed(exam, &phrase(&error)));
                    // Without a device nothing that follows can succeed either.
                    let device = matches!(
                        error,
                        Error::NoAdapter { .. } | Error::NoDevice { .. } | Error::DeviceLost { .. }
                    );
                    failed.push(error);
                    if device {
                        break;
                    }
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if let Some(name) = table {
            failed.extend(table::write(&self.output, &name, &rows).err());
        }
        if self.json {
            failed.extend(json(&reports).and_then(|text| print(&text)).err());
        }
        tell(&reports);
        let Some(last) = failed.pop() else { return Ok(()) };
        // One bad file does not cost the others their maps; each is named, and the call fails.
        failed.iter().for_each(|error| say(format_args!("error: {}", phrase(error))));
        Err(last)
    }

    /// Checks the options before any file is read.
    fn check(&self) -> Result<()> {
        let spacing = self.input.spacing_mm()?.unwrap_or([1.0; 2]);
        for hz in self.input.frequency.iter().copied().chain(self.input.frequency.is_empty().then_some(60.0))
        {
            self.settings(
                Size::square(MmdiSettings::SMALLEST),
                spacing,
                hz,
                self.input.density.unwrap_or(1000.0),
            )
            .check()?;
        }
        if let Some(axis) = self.input.join.as_ref().filter(|axis| !input::joins(axis)) {
            return Err(Error::Usage(format!(
                "files cannot be joined along {axis}; along phase, for example"
            )));
        }
        match self.scale[..] {
            [] => Ok(()),
            [low, high] if low < high && (high - low).is_finite() => Ok(()),
            _ => Err(Error::Usage("--scale takes two numbers, the lower first: --scale 0,8".into())),
        }
    }

    /// The ends of the stiffness colours, if they are given.
    fn scale(&self) -> Option<[f32; 2]> {
        <[f32; 2]>::try_from(&self.scale[..]).ok()
    }

    /// Whether an exam was finished before. Outputs are written together, the report last.
    fn done(&self, exam: &Exam) -> bool {
        self.resume && self.output.join(format!("{}.json", exam.name)).is_file()
    }

    fn settings(&self, size: Size, spacing_mm: [f64; 2], frequency_hz: f64, density: f64) -> MmdiSettings {
        MmdiSettings {
            mode: match self.mmdi {
                ModeOption::Corrected => MmdiMode::Corrected,
                ModeOption::Clinical => MmdiMode::Clinical,
            },
            frequency_hz,
            density,
            ..MmdiSettings::new(size, spacing_mm, Frames::Channels)
        }
    }

    /// The settings for an image, at its first frequency.
    fn settings_of(&self, image: &WaveImage) -> MmdiSettings {
        MmdiSettings {
            frames: match image.layout {
                FrameLayout::Phases => Frames::Phases(image.frames),
                FrameLayout::ReIm | FrameLayout::Complex => Frames::Channels,
            },
            directions: image.directions,
            zero_lost: image.zero == ZeroLevel::Lost,
            ..self.settings(image.size, image.spacing_mm, image.frequencies_hz[0], image.density)
        }
    }

    /// `--force` must not let an output replace an input.
    fn spare_inputs(&self, exams: &[Exam], names: &[String]) -> Result<()> {
        let files = exams
            .iter()
            .flat_map(Exam::files)
            .chain(&self.input.mask)
            .chain(&self.input.magnitude)
            .chain(self.regions.file());
        let inputs: Vec<_> = files.filter_map(|input| input.canonicalize().ok()).collect();
        for name in names {
            let path = self.output.join(name);
            if path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
                return Err(Error::Usage(format!(
                    "{} is an input and would be overwritten; choose another folder with -o",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    fn one(&self, exam: &Exam, mask: Option<&Volume>, work: &mut Work) -> Result<Report> {
        let about = |error: Error| super::about(&exam.told, error);
        let (mut image, source) = self.input.read(exam, mask)?;
        let regions = self.regions.read(&image)?;
        let settings = self.settings_of(&image);
        settings.check().map_err(about)?;
        let (mut slices, adapter) = work.invert(&settings, &image, self.each).map_err(about)?;
        let dime = work.dime(&settings, &mut image, &mut slices, &self.dime).map_err(about)?;
        let report = Report::new(&exam.told, &image, &settings, &slices, adapter, dime, self.method);
        self.write(
            exam,
            &image,
            &settings,
            &slices,
            &report,
            work.network.as_ref(),
            &regions,
            source.as_ref(),
        )?;
        Ok(report)
    }
}

/// Tells each warning once, with the inputs it is about, and then each note.
fn tell(reports: &[Report]) {
    type Texts = fn(&Report) -> Vec<String>;
    let kinds: [(&str, Texts); 2] = [
        ("warning", |report| report.warnings().map(String::from).collect()),
        ("note", |report| report.told_notes().collect()),
    ];
    for (kind, texts) in kinds {
        let mut told: Vec<(String, Vec<&str>)> = Vec::new();
        for report in reports {
            for text in texts(report) {
                match told.iter_mut().find(|(other, _)| *other == text) {
                    Some((_, inputs)) => inputs.push(report.input()),
                    None => told.push((text, vec![report.input()])),
                }
            }
        }
        for (text, inputs) in told {
            match inputs.as_slice() {
                [input] => say(format_args!("{kind}: {input}: {text}")),
                all => say(format_args!("{kind}: {} inputs, {} first: {text}", all.len(), all[0])),
            }
        }
    }
}
