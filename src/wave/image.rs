//! A wave image: slices of frames with a known meaning.

mod arrange;
mod checks;
mod kind;
mod mask;
mod options;
mod settle;
#[cfg(test)]
mod tests;
mod tissue;

use super::note::Note;
use super::reading::{Guess, refusal};
use super::warning::Warning;
use crate::error::{Error, Result};
use crate::io::axes::{Axes, AxisName};
use crate::io::volume::{Format, Volume, VolumeGeometry};
use crate::size::Size;
pub use checks::MIN_PIXELS;
use checks::{check_magnitude, check_size, positive, stated};
pub use options::{FrameLayoutChoice, Origin, ReadOptions, TurnChoice, ZeroChoice};

/// At most this many readings of an array are listed.
const LISTED: usize = 6;
/// The readings of an array with more samples than this are not weighed against each other.
const WEIGHED: usize = 1 << 24;
/// Density that is assumed where nothing states it, kg/m³.
const DENSITY: f64 = 1000.0;
/// Frequency that is assumed where nothing states it, Hz.
const FREQUENCY_HZ: f64 = 60.0;

/// The meaning of a wave image's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameLayout {
    /// A real and an imaginary channel, each rescaled separately.
    ReIm,
    /// Three or more phases over one period.
    Phases,
    /// Real and imaginary part, with their true zero.
    Complex,
}

/// The state of the field's zero level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroLevel {
    /// The samples have the true zero.
    Known,
    /// The offset of each channel is unknown.
    Lost,
}

/// How the meaning of the axes is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The caller, the file or its sidecar states them.
    Stated,
    /// The data show them.
    Shown,
    /// They are the usual ones.
    Assumed,
}

/// A wave image in memory, and the mask of the tissue in it.
#[derive(Debug, Clone)]
pub struct WaveImage {
    /// The size of a slice: pixels along x and y.
    pub size: Size,
    /// Number of slices, at least 1.
    pub slices: usize,
    /// Frames per slice: 2 for re-im and complex, else the number of phases.
    pub frames: usize,
    /// Number of directions of motion, at least 1.
    pub directions: usize,
    /// Names of the directions; their numbers from 0 where nothing names them.
    pub direction_names: Vec<String>,
    /// Frequencies of the vibration, Hz: one for each index of the frequency axis, at least one.
    pub frequencies_hz: Vec<f64>,
    /// Where the frequencies come from.
    pub frequency_origin: Origin,
    /// Density of the tissue, kg/m³.
    pub density: f64,
    /// Where the density comes from.
    pub density_origin: Origin,
    /// The meaning of the frames.
    pub layout: FrameLayout,
    /// The zero level of the samples.
    pub zero: ZeroLevel,
    /// Pixel spacing in mm along x and y.
    pub spacing_mm: [f64; 2],
    /// Where the spacing comes from.
    pub spacing_origin: Origin,
    /// The axes of the array as they were read, such as `x,y,slice,phase`.
    pub axes: String,
    /// How the axes are known.
    pub certainty: Certainty,
    /// Samples `[frequency][slice][frame][direction][y][x]`, x fastest.
    pub data: Vec<f32>,
    /// The mask of the tissue, `[slice][y][x]`.
    pub masks: Vec<Vec<bool>>,
    /// The mean magnitude of the MR signal, `[slice][y][x]`, if the array holds it.
    pub magnitude: Option<Vec<f32>>,
    /// The input's geometry, in the order x, y, slice; the outputs get the same.
    pub geometry: VolumeGeometry,
    /// The format of the input file.
    pub format: Format,
    /// The axes of the maps: `[nx, ny]`, or `[nx, ny, slices]` if the input had a slice axis.
    pub map_dims: Vec<usize>,
    /// Warnings found so far.
    pub warnings: Vec<Warning>,
    /// What was understood or done that is worth knowing, and is no reason for doubt.
    pub notes: Vec<Note>,
}

impl WaveImage {
    /// Reads `volume` as a wave image, and `mask` as the tissue in it. Without a mask, the tissue is what is not zero in
    /// every frame; noise of phases outside of the body is left out.
    ///
    /// The axes are those of `options`, else those that the file states. If neither states them, format and shape
    /// decide: x, y, phases; x, y, slice, phases; x, y, 2 (real and imaginary part); complex x, y, or x, y, slice. The
    /// last axis holds phases only if the data show one period.
    ///
    /// Phases that were stored modulo one turn are unwrapped along time. Samples outside the mask that are not finite
    /// become zero.
    ///
    /// # Errors
    /// - [`Error::Setting`] if a given spacing, frequency, density or turn is not a positive number.
    /// - [`Error::Axes`] if the axes are not known, with the readings that fit.
    /// - [`Error::Layout`] if the array does not fit the layout that was asked for.
    /// - [`Error::Data`] if the array fits no layout, has an axis below [`MIN_PIXELS`], holds no wave inside the mask, or
    ///   has its greatest value outside 1e-15 to 1e15; and if the mask does not fit the image, or is complex or empty.
    /// - [`Error::HeaderSpacing`] if the header states an invalid spacing or two different ones.
    /// - [`Error::NotFinite`] if a sample inside the mask is not finite.
    pub fn read(volume: &Volume, mask: Option<&Volume>, options: &ReadOptions) -> Result<Self> {
        for v in options.frequencies_hz.iter().chain(&volume.stated.frequencies_hz) {
            positive("frequency_hz", *v, "Hz")?;
        }
        if let TurnChoice::Of(turn) = options.turn {
            positive("turn", turn, "")?;
        }
        if let Some(axes) = stated(volume, options)? {
            check_size(volume, &axes)?;
            check_magnitude(&volume.data)?;
            return Self::stated_as(volume, mask, options, &axes);
        }
        // The size is checked first: of a tiny array nothing else is worth saying.
        let pixels = [volume.shape.first(), volume.shape.get(1)].map(|n| n.copied().unwrap_or(1));
        check_size(volume, &[(AxisName::X, pixels[0]), (AxisName::Y, pixels[1])])
            .or_else(|small| if volume.shape.len() < 2 { Ok(()) } else { Err(small) })?;
        check_magnitude(&volume.data)?;
        let guessed = Guess::of(volume).and_then(|guess| Self::guessed(volume, mask, options, &guess));
        guessed.map_err(|error| match error {
            Error::Axes { what, readings } => {
                Error::Axes { what, readings: Self::likeliest(volume, mask, options, readings) }
            }
            other => other,
        })
    }

    /// The likeliest of the readings of an array: those whose phases the data show come first.
    fn likeliest(
        volume: &Volume,
        mask: Option<&Volume>,
        options: &ReadOptions,
        mut readings: Vec<String>,
    ) -> Vec<String> {
        if volume.data.len() <= WEIGHED {
            let share = |reading: &String| {
                let axes = reading.parse::<Axes>().ok()?.unfold(&volume.shape).ok()?;
                // What the frequencies are does not matter here.
                let count = axes.iter().find(|(name, _)| *name == AxisName::Frequency).map_or(1, |(_, n)| *n);
                let options = &ReadOptions { frequencies_hz: vec![FREQUENCY_HZ; count], ..options.clone() };
                let settled = |mask| Self::settled(volume, mask, options, &axes).ok();
                let evidence = settled(mask).or_else(|| settled(None))?.1?;
                evidence.shows_phases(false).then_some(evidence.share)
            };
            // Sorting is stable: the usual ones stay in front among those that the data do not show.
            readings.sort_by_cached_key(|reading| {
                share(reading).map_or(1000, |share| (1000.0 * (1.0 - share)) as u32)
            });
        }
        readings.truncate(LISTED);
        readings
    }

    /// Reads an array whose axes are stated.
    fn stated_as(
        volume: &Volume,
        mask: Option<&Volume>,
        options: &ReadOptions,
        axes: &[(AxisName, usize)],
    ) -> Result<Self> {
        let (mut image, evidence) = Self::settled(volume, mask, options, axes)?;
        image.certainty = Certainty::Stated;
        if let Some(evidence) = evidence.filter(|e| !e.shows_phases(false)) {
            image.warnings.insert(0, Warning::NoPeriod { closing: evidence.closing, share: evidence.share });
        }
        image.finish(options)
    }

    /// Reads an array by its format, shape and data.
    fn guessed(volume: &Volume, mask: Option<&Volume>, options: &ReadOptions, guess: &Guess) -> Result<Self> {
        let (mut image, evidence) = Self::settled(volume, mask, options, &guess.axes)?;
        let share = evidence.map_or(0.0, |e| e.share);
        for axes in &guess.rivals {
            // A given mask is that of the slices of the first reading.
            let Ok((other, Some(rival))) = Self::settled(volume, None, options, axes) else { continue };
            if image.layout == FrameLayout::Complex && other.is_steady(volume) {
                // Complex slices of a wave, or an MR signal at phases of the wave: the magnitude of a signal stays.
                if rival.frames < 4 || !rival.shows_phases(true) {
                    return Err(refusal(
                        volume,
                        "its magnitude is the same along the last axis, like that of an MR signal at phases of the wave",
                    ));
                }
                image = Self::settled(volume, mask, options, axes)?.0;
                image.certainty = Certainty::Shown;
                return image.finish(options);
            }
            let better = evidence.is_none_or(|e| e.frames == 3 || rival.share >= share);
            let shown = rival.frames > 3 && rival.shows_phases(false) && better;
            if !shown || image.layout == FrameLayout::Complex {
                continue;
            }
            return Err(refusal(
                volume,
                "the data show the phases of one period along another axis than the last",
            ));
        }
        image.certainty = match evidence {
            Some(evidence) if !evidence.shows_phases(guess.strict) => {
                let why = format!(
                    "axis {} ({}) was taken for phases, but {}",
                    guess.last,
                    volume.shape[guess.last],
                    evidence.why_not(guess.strict)
                );
                return Err(refusal(volume, &why));
            }
            Some(evidence) if evidence.frames > 3 => Certainty::Shown,
            _ => Certainty::Assumed,
        };
        if image.layout == FrameLayout::ReIm && image.differs_in_kind() {
            return Err(refusal(
                volume,
                "its two frames differ in kind, as a magnitude and a phase do, not a real and an imaginary part",
            ));
        }
        if image.certainty == Certainty::Assumed && guess.axes.len() > 2 {
            image.notes.push(Note::AxesAssumed { axes: image.axes.clone() });
        }
        image.finish(options)
    }

    /// The samples of one frame, `[y][x]`.
    ///
    /// # Panics
    /// If the frequency, slice, frame or direction does not exist.
    pub fn frame(&self, [frequency, slice, frame, direction]: [usize; 4]) -> &[f32] {
        assert!(frame < self.frames && slice < self.slices && direction < self.directions);
        &self.data[self.at([frequency, slice, frame, direction])..][..self.size.pixels()]
    }

    /// The samples of one slice at one frequency, `[frame][direction][y][x]`.
    ///
    /// # Panics
    /// If the frequency or slice does not exist.
    pub fn slice(&self, frequency: usize, slice: usize) -> &[f32] {
        let length = self.frames * self.directions * self.size.pixels();
        &self.data[self.at([frequency, slice, 0, 0])..][..length]
    }

    /// The samples of one direction of a slice, `[frame][y][x]`.
    ///
    /// # Panics
    /// If the frequency, slice or direction does not exist.
    pub fn direction(&self, frequency: usize, slice: usize, direction: usize) -> Vec<f32> {
        let frames = 0..self.frames;
        frames.flat_map(|frame| self.frame([frequency, slice, frame, direction])).copied().collect()
    }

    /// Where a frame begins.
    fn at(&self, [frequency, slice, frame, direction]: [usize; 4]) -> usize {
        let frames = (frequency * self.slices + slice) * self.frames + frame;
        (frames * self.directions + direction) * self.size.pixels()
    }

    /// Fills in the quantities, and the warnings that depend on them.
    fn finish(mut self, options: &ReadOptions) -> Result<Self> {
        let zero = match (options.zero, self.layout) {
            (ZeroChoice::Known, _) | (ZeroChoice::Auto, FrameLayout::Phases | FrameLayout::Complex) => {
                ZeroLevel::Known
            }
            (ZeroChoice::Lost, _) | (ZeroChoice::Auto, FrameLayout::ReIm) => ZeroLevel::Lost,
        };
        self.zero = zero;
        if zero == ZeroLevel::Lost {
            self.warnings.push(Warning::LostZero);
        }
        Ok(self)
    }
}
