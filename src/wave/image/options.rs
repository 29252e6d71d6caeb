//! What the caller states of a wave image.

use crate::error::{Error, Result};
use crate::io::axes::Axes;
use crate::wave::unwrap;
use std::f64::consts::TAU;

/// The layout of the array, as chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrameLayoutChoice {
    /// By the axes, as stated, or as format, shape and data show them.
    #[default]
    Auto,
    /// The last axis holds a real and an imaginary channel; each is rescaled.
    ReIm,
    /// The last axis holds phases over one period.
    Phases,
    /// Complex samples, or real and imaginary part along the last axis with their true zero.
    Complex,
}

/// The zero level, as chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroChoice {
    /// Known for phases and complex data, lost for re-im.
    #[default]
    Auto,
    /// The zero level is known.
    Known,
    /// The zero level is lost.
    Lost,
}

/// One turn of the phase, as chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum TurnChoice {
    /// As the data show.
    #[default]
    Auto,
    /// The phases are not stored modulo a turn.
    Straight,
    /// One turn in the units of the samples.
    Of(f64),
}

impl TurnChoice {
    /// One turn of phases that are the argument of something: the chosen one, else the stated one, else the one in use
    /// that they fill. Without a choice to unwrap, they are radians.
    ///
    /// # Errors
    /// [`Error::Data`] if they fill no turn that is in use.
    pub(in crate::wave) fn of_arguments(
        self,
        stated: Option<f64>,
        arguments: impl FnOnce() -> Vec<f32>,
    ) -> Result<f64> {
        match (self, stated) {
            (Self::Of(turn), _) | (Self::Auto, Some(turn)) => Ok(turn),
            (Self::Straight, _) => Ok(TAU),
            (Self::Auto, None) => unwrap::known(&arguments()).ok_or_else(|| {
                let what = "the unit of the phase is not known: its range is no turn that is in use; state how much one \
                            turn is";
                Error::Data(what.into())
            }),
        }
    }
}

/// Where a quantity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The caller gave it.
    Given,
    /// The file, or its sidecar, states it.
    Stated,
    /// Nothing states it.
    Assumed,
}

/// Options for reading a [`Volume`] as a wave image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadOptions {
    /// The axes of the array. They go before the layout, and before what the file states.
    pub axes: Option<Axes>,
    /// The layout.
    pub layout: FrameLayoutChoice,
    /// The zero level.
    pub zero: ZeroChoice,
    /// Pixel spacing along x and y in mm; it replaces the header's.
    pub spacing_mm: Option<[f64; 2]>,
    /// Frequencies of the vibration, Hz: none, one, or one for each index of the frequency axis.
    pub frequencies_hz: Vec<f64>,
    /// Density of the tissue, kg/m³.
    pub density: Option<f64>,
    /// One turn of the phase.
    pub turn: TurnChoice,
    /// The value of the mask that counts as inside. None: all above 0.5.
    pub label: Option<f64>,
}
