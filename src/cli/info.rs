//! `palpate info`: what a file or a folder is read as.

use super::invert::input::InputOptions;
use super::invert::{self, exams::exams};
use super::report::rounded;
use super::{phrase, print, say};
use palpate::lowlevel::wave::{Certainty, FrameLayout, Origin, WaveImage, ZeroLevel};
use palpate::{Error, Result};
use std::fmt::Write;
use std::path::PathBuf;

/// Print what a wave image is read as, without inverting it
///
/// Takes the files and folders that `palpate invert` takes, and the options that say what they are. It prints the axes and
/// how they are known, the size, spacing, frequency and density and where each comes from, the mask, and every warning and
/// note.
///
/// Example: palpate info liver.nii.gz
#[derive(clap::Args)]
pub struct Info {
    /// Wave images, or folders of them
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    input: InputOptions,
}

impl Info {
    pub fn run(self) -> Result<()> {
        let mask = self.input.mask()?;
        let mut failed: Option<Error> = None;
        for exam in exams(&self.inputs, self.input.join.is_some(), self.input.series(), None)? {
            match self.input.read(&exam, mask.as_ref()) {
                Ok((image, _)) => print(&about(&exam, &image))?,
                Err(error) => {
                    if let Some(before) = failed.replace(error) {
                        say(format_args!("error: {}", phrase(&before)));
                    }
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

fn about(exam: &invert::input::Exam, image: &WaveImage) -> String {
    let mut text = format!("{}\n", exam.told.display());
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<12} {value}");
    };
    let known = match image.certainty {
        Certainty::Stated => "stated",
        Certainty::Shown => "shown by the data",
        Certainty::Assumed => "assumed",
    };
    line("axes", format!("{} ({known})", image.axes));
    let frames = match image.layout {
        FrameLayout::Phases => format!("{} phases of one period", image.frames),
        FrameLayout::ReIm => "a real and an imaginary part".into(),
        FrameLayout::Complex => "complex".into(),
    };
    let zero = if image.zero == ZeroLevel::Known { "known" } else { "lost" };
    line("frames", format!("{frames}, zero level {zero}"));
    line(
        "size",
        format!("{} px, {} slice{}", image.size, image.slices, if image.slices == 1 { "" } else { "s" }),
    );
    if image.directions > 1 {
        line("directions", image.direction_names.join(", "));
    }
    let origin = |origin: Origin| match origin {
        Origin::Given => "given",
        Origin::Stated => "stated by the file",
        Origin::Assumed => "assumed",
    };
    let hz: Vec<String> = image.frequencies_hz.iter().map(|hz| rounded(*hz)).collect();
    line("frequency", format!("{} Hz ({})", hz.join(", "), origin(image.frequency_origin)));
    let [x, y] = image.spacing_mm.map(rounded);
    line("spacing", format!("{x} × {y} mm ({})", origin(image.spacing_origin)));
    line("density", format!("{} kg/m³ ({})", image.density, origin(image.density_origin)));
    match &image.geometry.affine {
        Some(affine) => {
            let letters = [0, 1, 2].map(|axis| affine.letter(axis).unwrap_or('?'));
            line("place", format!("x to {}, y to {}, slices to {}", letters[0], letters[1], letters[2]));
        }
        None => line("place", "not stated".into()),
    }
    let inside = image.masks.iter().flatten().filter(|m| **m).count();
    line("mask", format!("{inside} of {} px", image.masks.len() * image.size.pixels()));
    let mut warnings = image.warnings.clone();
    warnings.sort_by_key(palpate::lowlevel::wave::Warning::rank);
    warnings.iter().for_each(|warning| line("warning", super::phrase::advise(warning)));
    image.notes.iter().for_each(|note| line("note", note.to_string()));
    text
}
