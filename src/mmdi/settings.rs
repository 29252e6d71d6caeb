//! Settings of the inversion.

use crate::error::{Error, Result};
use crate::kernel::signal::harmonic::Frames;
use crate::size::Size;

/// The two variants of the inversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MmdiMode {
    /// For measurement. Truncation and noise bias of the fits are corrected, and the field is continued beyond
    /// the mask.
    #[default]
    Corrected,
    /// For comparison. As close to the maps of the clinical software as public knowledge allows.
    Clinical,
}

impl std::fmt::Display for MmdiMode {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Corrected { "corrected" } else { "clinical" })
    }
}

/// The most directions of motion of one wave.
const MOST_DIRECTIONS: usize = 16;

/// The settings of an inversion.
#[derive(Clone, Debug, PartialEq)]
pub struct MmdiSettings {
    /// The variant of the inversion.
    pub mode: MmdiMode,
    /// The size of the image: columns and rows, each at least [`MmdiSettings::SMALLEST`].
    pub size: Size,
    /// Pixel spacing along x and y, mm.
    pub spacing_mm: [f64; 2],
    /// The meaning of the frames.
    pub frames: Frames,
    /// The number of directions of motion, at least 1. Their products are summed.
    pub directions: usize,
    /// True if the field's zero level is lost (two channels, each rescaled separately). The mean under the mask is
    /// subtracted; of several directions it is that of all of them, so the caller subtracts that of each before.
    pub zero_lost: bool,
    /// Frequency of the vibration, Hz.
    pub frequency_hz: f64,
    /// Density of the tissue, kg/m³.
    pub density: f64,
}

impl MmdiSettings {
    /// Settings for images of this size with the pixel spacing `spacing_mm`: corrected mode, a known zero level, 60 Hz
    /// and 1000 kg/m³. Change the fields that differ.
    ///
    /// ```
    /// # use palpate::{Frames, MmdiSettings, Size};
    /// let mut settings = MmdiSettings::new(Size::new(160, 144), [1.5, 1.5], Frames::Phases(8));
    /// settings.frequency_hz = 50.0;
    /// settings.check()?;
    /// # Ok::<(), palpate::Error>(())
    /// ```
    pub fn new(size: Size, spacing_mm: [f64; 2], frames: Frames) -> Self {
        Self {
            mode: MmdiMode::default(),
            size,
            spacing_mm,
            frames,
            directions: 1,
            zero_lost: false,
            frequency_hz: 60.0,
            density: 1000.0,
        }
    }

    /// Minimum side of an image, pixels: one more than the widest fit.
    pub const SMALLEST: usize = 16;

    /// Geometric mean of the pixel spacing, mm: the unit of length of the fits.
    pub fn pixel_mm(&self) -> f64 {
        (self.spacing_mm[0] * self.spacing_mm[1]).sqrt()
    }

    /// Half width, in pixels, of the box over which products are averaged. The box is 9 pixels wide if a pixel
    /// is below 1.6 mm. Otherwise its width is the odd number of pixels nearest 10 mm, but at least 5.
    pub fn box_radius(&self) -> usize {
        let h = self.pixel_mm();
        if h < 1.6 { 4 } else { (((10.0 / h - 1.0) / 2.0).round() as usize).max(2) }
    }

    /// ρω²h², kPa: the modulus of a wave of wavenumber 1 per pixel.
    pub fn unit_kpa(&self) -> f64 {
        let omega = std::f64::consts::TAU * self.frequency_hz;
        self.density * omega * omega * (self.pixel_mm() * 1e-3).powi(2) / 1000.0
    }

    /// Shear wavelength in mm for a modulus of `kpa` at this frequency and density.
    pub fn wavelength_mm(&self, kpa: f64) -> f64 {
        (kpa * 1000.0 / self.density).sqrt() / self.frequency_hz * 1000.0
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The message names the setting and its valid range.
    ///
    /// - [`Error::Setting`] for frequency, density or spacing.
    /// - [`Error::Data`] if the image is too small or has fewer than 3 phases.
    pub fn check(&self) -> Result<()> {
        let positive = |name, value: f64, unit: &str, most: f64| {
            if value > 0.0 && value <= most {
                return Ok(());
            }
            let allowed = format!("it must be above 0 and at most {most} {unit}");
            Err(Error::setting(name, format!("{value} {unit}"), allowed))
        };
        positive("frequency_hz", self.frequency_hz, "Hz", 10_000.0)?;
        positive("density", self.density, "kg/m³", 30_000.0)?;
        positive("spacing_mm", self.spacing_mm[0], "mm", 1_000.0)?;
        positive("spacing_mm", self.spacing_mm[1], "mm", 1_000.0)?;
        if self.size.nx.min(self.size.ny) < Self::SMALLEST {
            let size = self.size;
            let least = Self::SMALLEST;
            return Err(Error::Data(format!(
                "the image has {size} px; an inversion needs at least {least} × {least}"
            )));
        }
        if !(1..=MOST_DIRECTIONS).contains(&self.directions) {
            let allowed = format!("it must be 1 to {MOST_DIRECTIONS}");
            return Err(Error::setting("directions", self.directions, allowed));
        }
        if self.frames.count() < 2 || matches!(self.frames, Frames::Phases(n) if n < 3) {
            return Err(Error::Data(format!(
                "{} phase offsets do not define a wave; at least 3 are needed",
                self.frames.count()
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_is_nine_pixels_or_ten_millimetres_or_five_pixels() {
        let radius = |h: f64| MmdiSettings::new(Size::square(64), [h, h], Frames::Channels).box_radius();
        let sides = [0.5, 1.59, 1.6, 2.0, 3.0, 5.0, 20.0].map(|h| 2 * radius(h) + 1);
        assert_eq!(sides, [9, 9, 7, 5, 5, 5, 5]);
    }
}
