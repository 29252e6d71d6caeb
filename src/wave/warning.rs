//! Warnings about images that can be inverted but are doubtful.

use serde::Serialize;
use std::fmt;

/// The subject of a [`Warning`]. Serialised in kebab case (`clipped-phase`). These names are part of the JSON
/// output and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// The affine is the identity.
    IdentityAffine,
    /// The spacing is not known; 1 mm was assumed.
    AssumedSpacing,
    /// The field's zero level is lost.
    LostZero,
    /// Many samples are at the ends of their range.
    ClippedPhase,
    /// The phases were stored modulo one turn.
    Unwrapped,
    /// Only a small share of the motion is at the first harmonic of the frames.
    OffFrequency,
    /// The mask reaches the edge of the image.
    MaskTouchesBorder,
    /// Nothing moves in a slice of the stack.
    EmptySlice,
    /// The mask is smaller than a wavelength.
    BelowWavelength,
    /// The loss modulus is negative: the field looks conjugated.
    Conjugated,
    /// The loss modulus does not show whether the field is conjugated.
    UnknownSense,
    /// The stiffness is outside the range of soft tissue.
    ImplausibleStiffness,
    /// Only a small share of the mask is confident.
    LowConfidence,
}

/// A warning, for programs and for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Warning {
    /// The subject.
    pub code: Code,
    /// A complete sentence.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Warning {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Warning { code, message: message.into() }
    }

    /// The affine is the identity.
    pub fn identity_affine() -> Self {
        Self::new(
            Code::IdentityAffine,
            "the affine is the identity: the file does not state the position of the image in the patient",
        )
    }

    /// The pixel spacing is not known.
    pub fn assumed_spacing() -> Self {
        Self::new(
            Code::AssumedSpacing,
            "the file does not state the pixel spacing: 1 mm is assumed, and stiffness depends on its square; \
             give the true one with --spacing",
        )
    }

    /// The zero level is lost.
    pub fn lost_zero() -> Self {
        Self::new(
            Code::LostZero,
            "the zero level of the displacement is lost: the mean under the mask is subtracted, which reduces \
             accuracy; use phases or complex data if available, or --zero known if the zero level is correct",
        )
    }

    /// `share` (0 to 1) of the samples in the mask are at an end of their range.
    pub fn clipped_phase(share: f64) -> Self {
        Self::new(
            Code::ClippedPhase,
            format!(
                "{:.2} % of the samples in the mask are clipped at the ends of their range; stiffness is doubtful there",
                100.0 * share
            ),
        )
    }

    /// `share` (0 to 1) of the motion's energy is at the first harmonic.
    pub fn off_frequency(share: f64) -> Self {
        Self::new(
            Code::OffFrequency,
            format!(
                "only {:.0} % of the motion is at the driving frequency; check that the phases cover one period, in \
                 order",
                100.0 * share
            ),
        )
    }

    /// `changed` of `all` samples in the mask belong to series that were unwrapped.
    pub fn unwrapped(changed: usize, all: usize) -> Self {
        Self::new(
            Code::Unwrapped,
            format!(
                "the phases are stored modulo one turn: {:.1} % of the pixels were unwrapped along time",
                100.0 * changed as f64 / all as f64
            ),
        )
    }

    /// `pixels` of the mask are on the edge of the image.
    pub fn mask_touches_border(pixels: usize) -> Self {
        Self::new(
            Code::MaskTouchesBorder,
            format!("the mask reaches the edge of the image ({pixels} pixels), where waves are cut off"),
        )
    }

    /// Nothing moves in `slice` (counted from 0).
    pub fn empty_slice(slice: usize) -> Self {
        Self::new(
            Code::EmptySlice,
            format!("nothing moves inside the mask of slice {slice}; its maps are all zero"),
        )
    }

    /// `extent_mm`, the extent of the mask, is less than `wavelength_mm`, the wavelength found in it.
    pub fn below_wavelength(extent_mm: f64, wavelength_mm: f64) -> Self {
        Self::new(
            Code::BelowWavelength,
            format!(
                "the mask is {extent_mm:.0} mm wide, less than one shear wavelength ({wavelength_mm:.0} mm): \
                 stiffness is estimated from part of a wave"
            ),
        )
    }

    /// The median loss modulus, `loss_kpa`, is negative. `corrected` tells whether DIME was given the conjugate
    /// field. MMDI's stiffness does not depend on the sign.
    pub fn conjugated(loss_kpa: f64, corrected: bool) -> Self {
        let corrected = if corrected { "; DIME was given its conjugate" } else { "" };
        Self::new(
            Code::Conjugated,
            format!(
                "the median loss modulus is negative ({loss_kpa:.2} kPa), as if waves grew as they travel: the field \
                 looks conjugated (frames in reverse order, or the sign of the imaginary part){corrected}"
            ),
        )
    }

    /// The loss modulus does not show the sense of time of the wave.
    pub fn unknown_sense() -> Self {
        Self::new(
            Code::UnknownSense,
            "the loss modulus does not show whether the wave is conjugated: DIME takes it as it is, and its result \
             is wrong if the wave is conjugated",
        )
    }

    /// The median stiffness, `kpa`, is outside the range of soft tissue.
    pub fn implausible_stiffness(kpa: f64) -> Self {
        Self::new(
            Code::ImplausibleStiffness,
            format!(
                "a median stiffness of {kpa:.3} kPa is not that of soft tissue: check the pixel spacing (mm) and the \
                 frequency (Hz)"
            ),
        )
    }

    /// Only `share` (0 to 1) of the mask reaches a confidence of `least`.
    pub fn low_confidence(share: f64, least: f32) -> Self {
        Self::new(
            Code::LowConfidence,
            format!(
                "only {:.0} % of the mask reaches a confidence of {least:.2}: there is little wave in it, or much noise",
                100.0 * share
            ),
        )
    }
}

/// An end of the range counts as clipped only if it holds more than this share of the samples.
const CLIPPED_SHARE: f64 = 1e-3;
/// Number of levels next to the end for comparison, and the factor by which the end must outnumber their mean.
const NEIGHBOURS: usize = 8;
const PILE: f64 = 4.0;

/// Returns the share (0 to 1) of samples that are clipped. Sorts `samples`.
///
/// A sample is clipped if it equals the least or the greatest value, and two conditions hold for that value. It
/// holds more than one in a thousand samples, and it outnumbers the levels next to it. The second condition
/// avoids a false alarm for coarse integers, because many samples then share every level.
pub(super) fn clipped_share(samples: &mut [f32]) -> f64 {
    samples.sort_unstable_by(f32::total_cmp);
    let levels: Vec<usize> = samples.chunk_by(|a, b| a == b).map(<[f32]>::len).collect();
    let total = samples.len() as f64;
    let pile = |at_end: usize, next: &[usize]| {
        let usual = next.iter().sum::<usize>() as f64 / next.len() as f64;
        // If there is no other level, `usual` is NaN: a constant is not clipped.
        if at_end as f64 > CLIPPED_SHARE * total && at_end as f64 >= PILE * usual {
            at_end as f64 / total
        } else {
            0.0
        }
    };
    let n = levels.len().saturating_sub(1).min(NEIGHBOURS);
    match (levels.first(), levels.last()) {
        (Some(&least), Some(&greatest)) => {
            pile(least, &levels[1..1 + n]) + pile(greatest, &levels[levels.len() - 1 - n..levels.len() - 1])
        }
        _ => 0.0,
    }
}

/// Returns the share of temporal energy about the mean that is in DFT bin 1. All `series` have equal length, at
/// least 3. NaN if nothing moves.
pub(super) fn first_harmonic_share<'a>(series: impl Iterator<Item = &'a [f32]>) -> f64 {
    let (mut first, mut all) = (0.0, 0.0);
    for frames in series {
        let n = frames.len() as f64;
        let mean = frames.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let (mut re, mut im) = (0.0, 0.0);
        for (t, &v) in frames.iter().enumerate() {
            let (sin, cos) = (std::f64::consts::TAU * t as f64 / n).sin_cos();
            let v = f64::from(v) - mean;
            re += v * cos;
            im += v * sin;
            all += v * v;
        }
        // Counts bin 1 and its mirror image.
        first += 2.0 * (re * re + im * im) / n;
    }
    first / all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable_in_json() {
        let json = serde_json::to_value(Warning::clipped_phase(0.0157)).unwrap();
        assert_eq!(json["code"], "clipped-phase");
        assert!(json["message"].as_str().unwrap().starts_with("1.57 %"));
    }

    fn sine(amplitude: f64, limit: f64, step: f64) -> Vec<f32> {
        (0..8000)
            .map(|i| amplitude * (1.0 + (i % 97) as f64 / 97.0) * (0.7 * i as f64).sin())
            .map(|v| ((v / step).round() * step).clamp(-limit, limit) as f32)
            .collect()
    }

    #[test]
    fn clipping_is_told_from_coarse_steps() {
        assert_eq!(clipped_share(&mut sine(1000.0, f64::INFINITY, 1.0)), 0.0);
        assert_eq!(clipped_share(&mut sine(30.0, f64::INFINITY, 1.0)), 0.0, "each level holds many");
        let share = clipped_share(&mut sine(1000.0, 1700.0, 1.0));
        assert!((0.01..0.15).contains(&share), "{share}");
        assert_eq!(clipped_share(&mut [1.0; 50]), 0.0);
        assert_eq!(clipped_share(&mut []), 0.0);
    }

    #[test]
    fn energy_off_the_first_harmonic_is_seen() {
        let wave = |k: f64| -> Vec<f32> {
            (0..8)
                .map(|t| (5.0 + (std::f64::consts::TAU * k * f64::from(t) / 8.0 + 0.3).sin()) as f32)
                .collect()
        };
        let (one, two, still) = (wave(1.0), wave(2.0), vec![3.0; 8]);
        assert!((first_harmonic_share([&one[..], &still].into_iter()) - 1.0).abs() < 1e-9);
        assert!((first_harmonic_share([&one[..], &two].into_iter()) - 0.5).abs() < 1e-6);
        assert!(first_harmonic_share([&still[..]].into_iter()).is_nan());
    }
}
