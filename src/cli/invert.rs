//! `palpate invert`: wave images to stiffness maps.

use super::dime::{DimeNetwork, DimeOptions, DimeReport, confidence};
use super::progress::Bars;
use super::report::{Method, Report, Sense, Slice};
use super::{AdapterOption, Forms, TuneOption, json, phrase, picture, print, say};
use clap::ValueEnum;
use num_complex::Complex32;
use palpate::Size;
use palpate::lowlevel::dime::DimeMap;
use palpate::lowlevel::io::nifti::{encode_complex64, encode_f32};
use palpate::lowlevel::io::output::{check_stems, stem};
use palpate::lowlevel::io::{self, OutputSet, Volume};
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::wave::{
    FrameLayout, FrameLayoutChoice, ReadOptions, WaveImage, ZeroChoice, ZeroLevel,
};
use palpate::{Error, Result};
use std::path::{Path, PathBuf};

/// Turn wave images into stiffness maps
///
/// Reads NIfTI, MATLAB v5 and NPY: X, Y and 2 channels (real, imaginary) or 3 and more phases over one period;
/// X, Y, slice, channel or phase; or complex X, Y and X, Y, slice. For input S.nii.gz it writes
/// S_mmdi_stiffness, _storage, _loss, _wavespeed, _confidence and _coherence (.nii.gz), and for DIME
/// S_dime_stiffness, _uncertainty and _confidence; S_wave, S_amplitude, S_mask, a picture S.png and statistics S.json.
///
/// Example: palpate invert liver.nii.gz --frequency 60 -o maps
#[derive(clap::Args)]
pub struct Invert {
    /// Wave images (.nii, .nii.gz, .mat, .npy)
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
    /// Frequency of the vibration, Hz
    #[arg(long, value_name = "HZ", default_value_t = 60.0, allow_hyphen_values = true)]
    frequency: f64,
    /// Density of the tissue, kg/m3
    #[arg(long, value_name = "KG/M3", default_value_t = 1000.0, allow_hyphen_values = true)]
    density: f64,
    /// Pixel spacing along both axes, mm, in place of the header's
    #[arg(long, value_name = "MM", allow_hyphen_values = true)]
    spacing: Option<f64>,
    /// What the last axis holds
    #[arg(long, value_enum, default_value_t = LayoutOption::Auto)]
    layout: LayoutOption,
    /// Whether the wave's zero level is known; auto: lost for re-im, else known
    #[arg(long, value_enum, default_value_t = ZeroOption::Auto)]
    zero: ZeroOption,
    /// Mask, non-zero inside: X, Y or X, Y, slice; without it, what is not zero in every frame
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    #[command(flatten)]
    dime: DimeOptions,
    #[command(flatten)]
    adapter: AdapterOption,
    #[command(flatten)]
    tune: TuneOption,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
    /// Print the statistics as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeOption {
    Corrected,
    Clinical,
}

#[derive(Clone, Copy, ValueEnum)]
enum LayoutOption {
    Auto,
    ReIm,
    Phases,
    Complex,
}

#[derive(Clone, Copy, ValueEnum)]
enum ZeroOption {
    Auto,
    Known,
    Lost,
}

/// The maps written for each method, and the end of their names.
const MAPS: [(MmdiMap, &str); 6] = [
    (MmdiMap::Stiffness, "mmdi_stiffness"),
    (MmdiMap::Storage, "mmdi_storage"),
    (MmdiMap::Loss, "mmdi_loss"),
    (MmdiMap::Wavespeed, "mmdi_wavespeed"),
    (MmdiMap::Confidence, "mmdi_confidence"),
    (MmdiMap::Coherence, "mmdi_coherence"),
];

/// DIME's maps.
const DIME: [&str; 3] = ["dime_stiffness", "dime_uncertainty", "dime_confidence"];

impl Invert {
    pub fn run(self) -> Result<()> {
        self.settings(Size::square(MmdiSettings::SMALLEST), self.spacing.map_or([1.0; 2], |h| [h; 2]))
            .check()?;
        check_stems(&self.inputs)?;
        let set = OutputSet::new(&self.output, self.force)?;
        let names: Vec<_> = self.inputs.iter().flat_map(|input| names(&stem(input), self.method)).collect();
        set.check_free(&names)?;
        self.spare_inputs(&names)?;
        drop(set);
        let mask = self.mask.as_ref().map(io::read).transpose()?;

        if !self.method.dime() {
            self.dime.check_unused()?;
        }
        let network = self.method.dime().then(|| self.dime.load()).transpose()?;
        let mut work = Work {
            bars: Bars::default(),
            adapter: &self.adapter,
            tune: &self.tune,
            matrix_units: self.dime.matrix_units(),
            forms: None,
            compiled: None,
            network,
        };
        let bar = work.bars.bar("inputs", self.inputs.len());
        let mut reports = Vec::new();
        let mut failed = Vec::new();
        for input in &self.inputs {
            match self.one(input, mask.as_ref(), &mut work) {
                Ok(report) => {
                    if !self.json {
                        // A full disk behind standard output costs a line, not the maps to come.
                        let told = work.bars.aside(|| print(&report.line(&self.output)));
                        failed.extend(told.err());
                    }
                    reports.push(report);
                }
                Err(error) => {
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
        if self.json {
            failed.extend(json(&reports).and_then(|text| print(&text)).err());
        }
        warn(&reports);
        let Some(last) = failed.pop() else { return Ok(()) };
        // One bad file does not cost the others their maps; each is named, and the call fails.
        failed.iter().for_each(|error| say(format_args!("error: {}", phrase(error))));
        Err(last)
    }

    fn settings(&self, size: Size, spacing_mm: [f64; 2]) -> MmdiSettings {
        MmdiSettings {
            mode: match self.mmdi {
                ModeOption::Corrected => MmdiMode::Corrected,
                ModeOption::Clinical => MmdiMode::Clinical,
            },
            frequency_hz: self.frequency,
            density: self.density,
            ..MmdiSettings::new(size, spacing_mm, Frames::Channels)
        }
    }

    fn read_options(&self) -> ReadOptions {
        ReadOptions {
            layout: match self.layout {
                LayoutOption::Auto => FrameLayoutChoice::Auto,
                LayoutOption::ReIm => FrameLayoutChoice::ReIm,
                LayoutOption::Phases => FrameLayoutChoice::Phases,
                LayoutOption::Complex => FrameLayoutChoice::Complex,
            },
            zero: match self.zero {
                ZeroOption::Auto => ZeroChoice::Auto,
                ZeroOption::Known => ZeroChoice::Known,
                ZeroOption::Lost => ZeroChoice::Lost,
            },
            spacing_mm: self.spacing,
        }
    }

    /// `--force` must not let an output replace an input.
    fn spare_inputs(&self, names: &[String]) -> Result<()> {
        let files = self.inputs.iter().chain(&self.mask);
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

    fn one(&self, input: &Path, mask: Option<&Volume>, work: &mut Work) -> Result<Report> {
        let about = |error: Error| super::about(input, error);
        let volume = io::read(input)?;
        let mut image = WaveImage::from_volume(&volume, &self.read_options()).map_err(about)?;
        drop(volume);
        let masks = image.check_mask(mask).map_err(about)?;
        let settings = MmdiSettings {
            frames: match image.layout {
                FrameLayout::Phases => Frames::Phases(image.frames),
                FrameLayout::ReIm | FrameLayout::Complex => Frames::Channels,
            },
            zero_lost: image.zero == ZeroLevel::Lost,
            ..self.settings(image.size, image.spacing_mm)
        };
        let (mut slices, adapter) = work.invert(&settings, &image, &masks).map_err(about)?;
        let dime = work.dime(&settings, &image, &mut slices).map_err(about)?;
        let report = Report::new(input, &image, &settings, &slices, adapter, dime, self.method);
        self.write(&stem(input), &image, &settings, &slices, &report, work.network.as_ref())?;
        Ok(report)
    }

    fn write(
        &self,
        stem: &str,
        image: &WaveImage,
        settings: &MmdiSettings,
        slices: &[Slice],
        report: &Report,
        network: Option<&DimeNetwork>,
    ) -> Result<()> {
        let mut set = OutputSet::new(&self.output, self.force)?;
        let about = |method: &str| {
            let Self { frequency, density, .. } = self;
            format!("{method}{frequency} Hz {density} kg/m3; palpate {}", env!("CARGO_PKG_VERSION"))
        };
        let mmdi = about(&format!("MMDI {} ", settings.mode));
        let mut add = |name: &str, values: &[f32], what: &str, about: &str| {
            let text = format!("{what}; {about}");
            let bytes = encode_f32(values, &image.map_dims, &image.geometry, image.spacing_mm, &text)?;
            set.add_bytes(&format!("{stem}_{name}.nii.gz"), &bytes)
        };
        if self.method.mmdi() {
            for (plane, name) in MAPS {
                add(name, &Slice::stack(slices, plane), report.definition(plane), &mmdi)?;
            }
        }
        if let Some(network) = network {
            let dime = about(&format!("DIME {} ", network.model.forward_model));
            let sure: Vec<f32> = slices.iter().flat_map(|s| &s.dime).flat_map(|m| confidence(m)).collect();
            let [modulus, uncertainty] =
                [DimeMap::Modulus, DimeMap::Uncertainty].map(|p| Slice::stack_dime(slices, p));
            add(DIME[0], &modulus, super::dime::STIFFNESS, &dime)?;
            let what = super::dime::uncertainty(&network.model, &network.settings(settings, false));
            add(DIME[1], &uncertainty, what, &dime)?;
            add(DIME[2], &sure, super::dime::CONFIDENCE, &dime)?;
        }
        let plain = about("");
        let amplitude = Slice::stack(slices, MmdiMap::Amplitude);
        add("amplitude", &amplitude, report.definition(MmdiMap::Amplitude), &plain)?;
        let inside: Vec<f32> = slices.iter().flat_map(|s| s.mask.iter().map(|&m| f32::from(m))).collect();
        add("mask", &inside, "mask", &plain)?;
        let parts =
            Slice::stack(slices, MmdiMap::Real).into_iter().zip(Slice::stack(slices, MmdiMap::Imaginary));
        let wave: Vec<Complex32> = parts.map(|(re, im)| Complex32::new(re, im)).collect();
        let bytes = encode_complex64(
            &wave,
            &image.map_dims,
            &image.geometry,
            image.spacing_mm,
            &format!("first harmonic; {plain}"),
        )?;
        set.add_bytes(&format!("{stem}_wave.nii.gz"), &bytes)?;
        set.add_bytes(
            &format!("{stem}.png"),
            &picture::inversion(stem, image, slices, report, &picture::PictureOptions::default())?,
        )?;
        set.add_bytes(&format!("{stem}.json"), json(report)?.as_bytes())?;
        set.commit().map(drop)
    }
}

/// Tells each warning once, with the inputs it is about.
fn warn(reports: &[Report]) {
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for report in reports {
        for warning in report.warnings() {
            match told.iter_mut().find(|(text, _)| *text == warning) {
                Some((_, inputs)) => inputs.push(report.input()),
                None => told.push((warning, vec![report.input()])),
            }
        }
    }
    for (warning, inputs) in told {
        match inputs.as_slice() {
            [input] => say(format_args!("warning: {input}: {warning}")),
            all => say(format_args!("warning: {} inputs, {} first: {warning}", all.len(), all[0])),
        }
    }
}

/// Every file that comes of the input with this stem.
fn names(stem: &str, method: Method) -> Vec<String> {
    let mmdi = MAPS.iter().map(|(_, name)| *name).filter(|_| method.mmdi());
    let dime = DIME.into_iter().filter(|_| method.dime());
    let maps = mmdi.chain(dime).chain(["wave", "amplitude", "mask"]);
    maps.map(|name| format!("{stem}_{name}.nii.gz"))
        .chain([format!("{stem}.png"), format!("{stem}.json")])
        .collect()
}

/// The device's part: images of one size and kind share one compiled inversion.
struct Work<'a> {
    bars: Bars,
    adapter: &'a AdapterOption,
    tune: &'a TuneOption,
    matrix_units: bool,
    /// Opened for the first image that there is something to compute of.
    forms: Option<Forms>,
    compiled: Option<(MmdiSettings, Mmdi)>,
    network: Option<DimeNetwork>,
}

impl Work<'_> {
    fn invert(
        &mut self,
        settings: &MmdiSettings,
        image: &WaveImage,
        masks: &[Vec<bool>],
    ) -> Result<(Vec<Slice>, String)> {
        let forms = match &self.forms {
            Some(forms) => forms,
            None => self.forms.insert(self.tune.open(self.adapter, self.matrix_units)?),
        };
        let pipelines = forms.chooser.pipelines();
        if self.compiled.as_ref().is_none_or(|(compiled, _)| compiled != settings) {
            // The old plan's buffers go back to the pool before the new one asks for its own.
            self.compiled = None;
            self.compiled = Some((settings.clone(), self.bars.compile(pipelines, settings)?));
        }
        let Some((_, mmdi)) = &self.compiled else { unreachable!("compiled above") };
        let bar = self.bars.bar("slices", masks.len());
        let length = image.data.len() / image.slices;
        let slices = image.data.chunks(length).zip(masks).map(|(frames, mask)| {
            let maps = mmdi.invert(frames, mask)?;
            bar.inc(1);
            Ok(Slice { maps, mask: mask.clone(), dime: None })
        });
        let slices = slices.collect::<Result<_>>();
        bar.finish_and_clear();
        Ok((slices?, pipelines.gpu().caps().info.name.clone()))
    }

    /// Adds DIME's maps to the slices, where they are asked for. MMDI comes first, since its loss modulus tells whether
    /// the wave has to be conjugated for the network.
    fn dime(
        &mut self,
        settings: &MmdiSettings,
        image: &WaveImage,
        slices: &mut [Slice],
    ) -> Result<Option<DimeReport>> {
        let (Some(network), Some(forms)) = (&mut self.network, &self.forms) else { return Ok(None) };
        let sense = super::report::sense(slices, settings.spacing_mm);
        let settings = network.settings(settings, matches!(sense, Sense::Conjugated(_)));
        let dime = network.compile(forms, &settings, &self.bars)?;
        let bar = self.bars.bar("slices, DIME", slices.len());
        let length = image.data.len() / image.slices;
        for (frames, slice) in image.data.chunks(length).zip(slices.iter_mut()) {
            slice.dime = Some(dime.invert(frames, &slice.mask)?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let maps: Vec<&[f32]> = slices.iter().flat_map(|s| &s.dime).map(Vec::as_slice).collect();
        let masks: Vec<&[bool]> = slices.iter().map(|s| s.mask.as_slice()).collect();
        Ok(Some(DimeReport::new(network, &settings, sense.conjugated(), &maps, &masks)))
    }
}
