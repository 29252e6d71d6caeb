//! The options that say what an input is, and the exams that the inputs make.

use super::super::{about, phrase};
use clap::ValueEnum;
use palpate::lowlevel::io::dicom::{self, DicomOptions, Source};
use palpate::lowlevel::io::{self, Axes, Axis, AxisName, Volume};
use palpate::lowlevel::wave::{
    FrameLayoutChoice, Note, ReadOptions, TurnChoice, WaveImage, ZeroChoice, join,
};
use palpate::{Error, Result};
use std::path::PathBuf;

/// The options that say what an input is.
#[derive(clap::Args)]
#[command(next_help_heading = "What the input is")]
pub struct InputOptions {
    /// Axes of the array, the first of the file first: x,y,slice,phase,direction,frequency,re-im,mag-phase; 1 for one of
    /// length 1; phase:8*slice for phases and slices in one axis, the faster first
    #[arg(long, value_name = "AXES")]
    axes: Option<Axes>,
    /// What the last axis holds, where --axes says nothing
    #[arg(long, value_enum, default_value_t = LayoutOption::Auto)]
    layout: LayoutOption,
    /// Make one exam of all inputs, which lie along this axis: phase, direction, frequency, re-im, mag-phase, or
    /// phase:8*direction:3
    #[arg(long, value_name = "AXIS")]
    pub join: Option<Axis>,
    /// Array of a .mat file, by its name
    #[arg(long, value_name = "NAME")]
    variable: Option<String>,
    /// Frequency of the vibration, Hz; several in the order of their axis: 30,40,50 [default: the file's, else 60]
    #[arg(long, value_name = "HZ", value_delimiter = ',', allow_hyphen_values = true)]
    pub frequency: Vec<f64>,
    /// Density of the tissue, kg/m3 [default: the file's, else 1000]
    #[arg(long, value_name = "KG/M3", allow_hyphen_values = true)]
    pub density: Option<f64>,
    /// Pixel spacing, mm, in place of the header's: one number for both axes, or X,Y
    #[arg(long, value_name = "MM[,MM]", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    spacing: Vec<f64>,
    /// One turn of the phase in the units of the samples, such as 8192; none: the phases are not stored modulo a turn
    /// [default: as the data show]
    #[arg(long, value_name = "UNITS", value_parser = turn, allow_hyphen_values = true)]
    turn: Option<TurnChoice>,
    /// Whether the wave's zero level is known; auto: lost for re-im, else known
    #[arg(long, value_enum, default_value_t = ZeroOption::Auto)]
    zero: ZeroOption,
    /// Mask, above 0.5 inside: X, Y or X, Y, slice; without it, what is not zero in every frame
    #[arg(long, value_name = "FILE")]
    pub mask: Option<PathBuf>,
    /// Magnitude of the MR signal, shown in grey behind the maps of the picture
    #[arg(long, value_name = "FILE")]
    pub magnitude: Option<PathBuf>,
    /// Names of the directions of motion, in the order of their axis; z is the one through the slice
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    directions: Vec<String>,
    /// DICOM: number of the series to read
    #[arg(long, value_name = "NUMBER")]
    series: Option<u32>,
    /// DICOM: number of phase offsets, where the files do not state it
    #[arg(long, value_name = "COUNT")]
    offsets: Option<usize>,
    /// DICOM: period of the vibration, microseconds, where the files do not state it
    #[arg(long, value_name = "US")]
    period: Option<f64>,
    /// Value of the mask that is inside, where it holds several labels
    #[arg(long, value_name = "VALUE", requires = "mask")]
    label: Option<f64>,
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

fn turn(text: &str) -> Result<TurnChoice, String> {
    match text {
        "none" => Ok(TurnChoice::Straight),
        number => number.parse().map(TurnChoice::Of).map_err(|_| "must be a number, or none".into()),
    }
}

/// The inputs of one exam.
#[derive(Clone, Debug)]
pub struct Exam {
    /// What its outputs begin with.
    pub name: String,
    /// What messages call it: its path, or that of its first file.
    pub told: PathBuf,
    files: Vec<PathBuf>,
    /// Of a folder of DICOM files, the number of the series.
    series: Option<u32>,
    /// Why it cannot be read, where that is known before.
    fault: Option<String>,
}

impl Exam {
    /// An exam of one file or folder.
    pub fn of(name: String, file: PathBuf) -> Self {
        Self { name, told: file.clone(), files: vec![file], series: None, fault: None }
    }

    /// One exam of several files.
    pub fn joined(name: String, files: Vec<PathBuf>) -> Self {
        Self { name, told: files[0].clone(), files, series: None, fault: None }
    }

    /// A series of DICOM files in a folder.
    pub fn dicom(name: String, folder: PathBuf, series: u32) -> Self {
        Self { name, told: folder.clone(), files: vec![folder], series: Some(series), fault: None }
    }

    /// An exam that cannot be read.
    pub fn broken(name: String, folder: PathBuf, error: &Error) -> Self {
        let what = match error {
            Error::File { path, what } if *path == folder => what.clone(),
            other => phrase(other),
        };
        Self { name, told: folder, files: Vec::new(), series: None, fault: Some(what) }
    }

    /// Why it cannot be read, where that is known before.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The number of the DICOM series.
    pub fn series(&self) -> Option<u32> {
        self.series
    }

    /// The files it is made of.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl InputOptions {
    /// The spacing along x and y, mm.
    ///
    /// # Errors
    /// [`Error::Usage`] for more than two numbers.
    pub fn spacing_mm(&self) -> Result<Option<[f64; 2]>> {
        match self.spacing[..] {
            [] => Ok(None),
            [both] => Ok(Some([both; 2])),
            [x, y] => Ok(Some([x, y])),
            _ => Err(Error::Usage("--spacing takes one number, or one for x and one for y".into())),
        }
    }

    /// The options as the reader takes them.
    pub fn read_options(&self) -> Result<ReadOptions> {
        Ok(ReadOptions {
            axes: self.axes.clone(),
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
            spacing_mm: self.spacing_mm()?,
            frequencies_hz: self.frequency.clone(),
            density: self.density,
            turn: self.turn.unwrap_or_default(),
            label: self.label,
        })
    }

    /// The mask, if there is one.
    pub fn mask(&self) -> Result<Option<Volume>> {
        self.mask.as_ref().map(io::read).transpose()
    }

    /// The number of the DICOM series, if it is given.
    pub fn series(&self) -> Option<u32> {
        self.series
    }

    /// Reads an exam as a wave image, and of DICOM files what maps need to go back into their study.
    pub fn read(&self, exam: &Exam, mask: Option<&Volume>) -> Result<(WaveImage, Option<Source>)> {
        let about_exam = |error: Error| about(&exam.told, error);
        if let Some(fault) = exam.fault() {
            return Err(Error::file(&exam.told, fault));
        }
        let (mut image, source) = match exam.series {
            Some(series) => {
                let options = DicomOptions {
                    directions: Some(self.directions.clone()).filter(|names| !names.is_empty()),
                    offsets: self.offsets,
                    period_us: self.period,
                    series: Some(series),
                };
                let found = dicom::read(&exam.told, &options)?;
                let image = WaveImage::read(&found.volume, mask, &self.read_options()?);
                let mut image = image.map_err(about_exam)?;
                if let Some(magnitude) = &found.magnitude {
                    image.set_magnitude(magnitude).map_err(about_exam)?;
                }
                image.notes.extend(found.notes.into_iter().map(|what| Note::Scanner { what }));
                (image, Some(found.source))
            }
            None => (self.read_files(exam, mask)?, None),
        };
        if let Some(path) = &self.magnitude {
            image.set_magnitude(&io::read(path)?).map_err(|error| about(path, error))?;
        }
        Ok((image, source))
    }

    /// Adds the option to the error of a file of several arrays.
    fn choose(&self, error: Error) -> Error {
        match error {
            Error::File { path, what } if what.ends_with(io::SEVERAL) => {
                Error::File { path, what: format!("{what} with --variable NAME") }
            }
            other => other,
        }
    }

    fn read_files(&self, exam: &Exam, mask: Option<&Volume>) -> Result<WaveImage> {
        let about = |error: Error| about(&exam.told, error);
        let mut options = self.read_options()?;
        let mut volumes = exam
            .files
            .iter()
            .map(|file| io::read_variable(file, self.variable.as_deref()).map_err(|e| self.choose(e)))
            .collect::<Result<Vec<_>>>()?;
        let mut volume = match &self.join {
            None => volumes.swap_remove(0),
            Some(axis) => {
                let joined = join(volumes, axis, &options).map_err(about)?;
                // The statement was about each file; the joined array states its own.
                if joined.stated.axes.is_some() {
                    options.axes = None;
                }
                joined
            }
        };
        let by_name = named_hz(&exam.name)
            .filter(|_| options.frequencies_hz.is_empty() && volume.stated.frequencies_hz.is_empty());
        volume.stated.frequencies_hz.extend(by_name);
        if !self.directions.is_empty() {
            volume.stated.directions.clone_from(&self.directions);
        }
        let mut image = WaveImage::read(&volume, mask, &options).map_err(about)?;
        if let Some(hz) = by_name {
            image.notes.push(Note::FrequencyByName { hz });
        }
        Ok(image)
    }
}

/// The frequency that a file's name states: the only number before "Hz" in it.
fn named_hz(name: &str) -> Option<f64> {
    let lower = name.to_lowercase();
    let mut found = lower.match_indices("hz").filter_map(|(end, _)| {
        let before = lower[..end].trim_end_matches(['_', '-', ' ']);
        let digits = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
        // Of a decimal number the last digits alone would be another number.
        let whole = !before[..digits].ends_with(['.', ',']);
        before[digits..].parse::<f64>().ok().filter(|hz| whole && (5.0..=1000.0).contains(hz))
    });
    let only = found.next()?;
    found.next().is_none().then_some(only)
}

/// Whether an axis can be one that files are joined along.
pub fn joins(axis: &Axis) -> bool {
    !axis.0.is_empty() && axis.0.iter().all(|(name, _)| !matches!(name, AxisName::X | AxisName::Y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_states_one_frequency_is_taken_at_its_word() {
        for (name, hz) in [
            ("wave_30Hz", Some(30.0)),
            ("sub-01_60hz_phase", Some(60.0)),
            ("80 Hz", Some(80.0)),
            ("30Hz_and_40Hz", None),
            ("12.5Hz", None),
            ("liver60", None),
            ("Hz", None),
            ("3Hz", None),
        ] {
            assert_eq!(named_hz(name), hz, "{name}");
        }
    }
}
