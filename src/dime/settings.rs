//! The settings of an inference.

use super::model::Model;
use crate::error::{Error, Result};
use crate::kernel::signal::harmonic::Frames;
use crate::kernel::signal::resample::Grids;
use crate::size::Size;

/// The settings of an inference.
#[derive(Clone, Debug, PartialEq)]
pub struct DimeSettings {
    /// Columns and rows of the image.
    pub size: Size,
    /// Pixel spacing along x and y, mm.
    pub spacing_mm: [f64; 2],
    /// The meaning of the frames.
    pub frames: Frames,
    /// True if the wave must be conjugated to follow the convention u = Re(U e^{+iωt}).
    pub conjugated: bool,
    /// Frequency of the vibration, Hz.
    pub frequency_hz: f64,
    /// Density of the tissue, kg/m³.
    pub density: f64,
    /// Stride: pixels of the network's grid between neighbouring patches.
    pub stride: usize,
    /// Maximum number of patches in a batch.
    pub batch: usize,
    /// Rows and columns of a patch; replaces the network's own.
    pub patch: Option<usize>,
    /// Pixel size of the network's grid in mm; replaces [`DimeSettings::natural_mm`]. Use larger pixels for stiff
    /// tissue with long waves, smaller ones for soft tissue.
    pub pixel_mm: Option<f64>,
}

impl DimeSettings {
    /// Settings for images of this size: 60 Hz, 1000 kg/m³, the network's own patches at stride 3, at most 128 at a
    /// time.
    pub fn new(size: Size, spacing_mm: [f64; 2], frames: Frames) -> Self {
        Self {
            size,
            spacing_mm,
            frames,
            conjugated: false,
            frequency_hz: 60.0,
            density: 1000.0,
            stride: 3,
            batch: 128,
            patch: None,
            pixel_mm: None,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] that names the invalid setting, and [`Error::Usage`] if the image has no pixels or is too large
    /// for the network's grid.
    pub fn check(&self, model: &Model) -> Result<()> {
        let positive = [
            ("frequency_hz", self.frequency_hz),
            ("density", self.density),
            ("spacing_mm", self.spacing_mm[0]),
            ("spacing_mm", self.spacing_mm[1]),
            ("pixel_mm", self.pixel_mm.unwrap_or(1.0)),
        ];
        if let Some((name, value)) = positive.into_iter().find(|(_, v)| !(v.is_finite() && *v > 0.0)) {
            return Err(Error::setting(name, value, "it must be a number above 0"));
        }
        if self.size.axes().contains(&0) {
            return Err(Error::Usage("the image has no pixels; give at least one".into()));
        }
        if self.batch == 0 {
            return Err(Error::setting("batch", 0, "it must be 1 or more"));
        }
        let patch = self.patch(model);
        if !(1..=1024).contains(&patch) {
            return Err(Error::setting("patch", patch, "it must be a number of pixels from 1 to 1024"));
        }
        if !(1..=patch).contains(&self.stride) {
            let allowed = format!("patches of {patch} pixels need a stride from 1 to {patch}");
            return Err(Error::setting("stride", self.stride, allowed));
        }
        // The network's grid has the same size limit as an image.
        let to = self.grids(model).to;
        if to.nx.max(to.ny) > 8192 {
            return Err(Error::Usage(format!(
                "on the network's grid, {:.3} mm per pixel at {} Hz, the image has {to} pixels, above the limit of \
                 8192; check the pixel spacing and the frequency",
                self.grid_mm(model),
                self.frequency_hz,
            )));
        }
        Ok(())
    }

    /// Rows and columns of a patch.
    pub fn patch(&self, model: &Model) -> usize {
        self.patch.unwrap_or(model.patch)
    }

    /// Reports whether the model's calibration is valid for these settings.
    pub fn calibrated(&self, model: &Model) -> bool {
        model.calibration.is_some_and(|c| self.stride <= c.stride && self.patch(model) == model.patch)
    }

    /// Pixel size of the grid in use, mm.
    pub fn grid_mm(&self, model: &Model) -> f64 {
        self.pixel_mm.unwrap_or_else(|| self.natural_mm(model))
    }

    /// Pixel size of the network's own grid at this frequency, mm.
    ///
    /// Elastodynamics has no length scale of its own. If the frequency is lower by a factor and the pixels are
    /// larger by the same factor, the same picture of waves has the same speeds.
    pub fn natural_mm(&self, model: &Model) -> f64 {
        model.pixel_mm * model.frequency_hz / self.frequency_hz
    }

    pub(super) fn grids(&self, model: &Model) -> Grids {
        let pixel = self.grid_mm(model);
        let step = self.spacing_mm.map(|spacing| pixel / spacing);
        // The 0.01 absorbs rounding of the spacing in a header. Without it, an image that already has this grid
        // could get one more column.
        let along = |n: usize, step: f64| ((n as f64 / step - 0.01).ceil() as usize).max(1);
        let to = Size::new(along(self.size.nx, step[0]), along(self.size.ny, step[1]));
        Grids { from: self.size, to, step, reach: 0 }
    }
}
