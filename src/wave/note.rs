//! What was understood of an image, or done to it, that is worth knowing and is no reason for doubt.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;

/// A note. `Display` is a complete sentence. In JSON, it has a `code` and a `message`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// The axes are the usual ones; neither the file nor the data show them.
    AxesAssumed {
        /// The axes.
        axes: String,
    },
    /// Phases that were stored modulo one turn were unwrapped.
    Unwrapped {
        /// The share of the pixels that were unwrapped, 0 to 1.
        share: f64,
        /// One turn in the units of the samples.
        turn: f64,
    },
    /// The last frame repeats the first and was left out.
    RepeatedFrame {
        /// The number of frames that are left.
        frames: usize,
    },
    /// The wave is the phase of a complex MR signal.
    SignalPhase,
    /// The frequency is the one in the file's name.
    FrequencyByName {
        /// The frequency, Hz.
        hz: f64,
    },
    /// Without a mask, pixels whose phase is noise were left out.
    NoiseOutside {
        /// Their share of the pixels that are not zero, 0 to 1.
        share: f64,
    },
    /// Pixels that are NaN in every frame were left out.
    NanOutside,
    /// What a scanner's files left open and how it was settled.
    Scanner {
        /// A clause.
        what: String,
    },
    /// The mask was stored in another order and was reordered by its affine.
    MaskReordered,
    /// The mask, or the image, does not state its position; they were laid on each other as stored.
    MaskUnplaced,
}

impl Note {
    /// The subject. These names are part of the JSON output and do not change.
    pub fn code(&self) -> &'static str {
        match self {
            Note::AxesAssumed { .. } => "axes-assumed",
            Note::Unwrapped { .. } => "unwrapped",
            Note::RepeatedFrame { .. } => "repeated-frame",
            Note::SignalPhase => "signal-phase",
            Note::FrequencyByName { .. } => "frequency-by-name",
            Note::NoiseOutside { .. } => "noise-outside",
            Note::NanOutside => "nan-outside",
            Note::Scanner { .. } => "scanner",
            Note::MaskReordered => "mask-reordered",
            Note::MaskUnplaced => "mask-unplaced",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Note::AxesAssumed { axes } => write!(f, "the axes are assumed to be {axes}; the file does not state them"),
            Note::Unwrapped { share, turn } => write!(
                f,
                "the phases are stored modulo one turn ({turn:.6}): {:.1} % of the pixels were unwrapped along time",
                100.0 * share
            ),
            Note::RepeatedFrame { frames } => {
                write!(f, "the last frame repeats the first and was left out; {frames} phases are left")
            }
            Note::SignalPhase => f.write_str("the samples are a complex MR signal; the wave is its phase"),
            Note::FrequencyByName { hz } => {
                write!(f, "the frequency, {hz} Hz, is the one in the file's name; nothing else states it")
            }
            Note::NoiseOutside { share } => write!(
                f,
                "no mask was given: {:.0} % of the pixels hold noise, not tissue, and were left out",
                100.0 * share
            ),
            Note::NanOutside => f.write_str("pixels that are NaN in every frame were left out"),
            Note::Scanner { what } => f.write_str(what),
            Note::MaskReordered => {
                f.write_str("the mask is stored in another order than the image and was reordered by its affine")
            }
            Note::MaskUnplaced => f.write_str(
                "the mask and the image do not both state their position; the mask was laid on the image as it is stored",
            ),
        }
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Note", 2)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
    }
}
