//! Warnings about images that can be inverted but are doubtful.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;

/// The subject of a [`Warning`]. Serialised in kebab case (`clipped-phase`). These names are part of the JSON
/// output and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
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
    /// The frames do not run over one period.
    NoPeriod,
    /// DIME was given a direction of motion that it has not learned.
    OtherDirection,
    /// It is not known which direction of motion runs through the slice.
    UnknownDirection,
    /// The waves are outside of what DIME's network has seen.
    OutsideTraining,
    /// The body is unlike those that DIME's network has seen.
    UnlikeTraining,
    /// The mask holds several labels.
    MaskLabels,
    /// The mask holds values between outside and inside.
    SoftMask,
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

/// A warning, for programs and for people. `Display` is a complete sentence. In JSON, it has a `code` and a `message`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The affine is the identity.
    IdentityAffine,
    /// The pixel spacing is not known; 1 mm was assumed.
    AssumedSpacing,
    /// The field's zero level is lost.
    LostZero,
    /// Samples in the mask are at an end of their range.
    ClippedPhase {
        /// Their share of the samples, 0 to 1.
        share: f64,
    },
    /// The frames do not run over one period, though their axis is stated to hold phases.
    NoPeriod {
        /// The step from the last frame to the first over the mean step between neighbours.
        closing: f64,
        /// The first harmonic's share of the motion's energy, 0 to 1.
        share: f64,
    },
    /// DIME was given a direction of motion that it has not learned.
    OtherDirection {
        /// The name of the direction.
        name: String,
    },
    /// It is not known which direction of motion runs through the slice.
    UnknownDirection {
        /// The name of the direction that DIME was given.
        name: String,
        /// Whether the caller chose it.
        given: bool,
    },
    /// The waves are outside of what DIME's network has seen.
    OutsideTraining {
        /// The median stiffness by MMDI, kPa.
        kpa: f64,
        /// The moduli that the network has seen, kPa.
        seen: [f64; 2],
    },
    /// The body is unlike those that DIME's network has seen: its answers with and without surroundings differ.
    UnlikeTraining {
        /// The median difference over the mask, as a share of the stiffness.
        apart: f64,
        /// The difference that 19 of 20 images of held-out bodies do not exceed.
        usual: f64,
    },
    /// The mask holds several labels, and all count as inside.
    MaskLabels {
        /// The least and the greatest label.
        labels: [f64; 2],
    },
    /// The mask holds values between outside and inside.
    SoftMask {
        /// The number of pixels above 0 that count as outside.
        outside: usize,
        /// The number of pixels that count as inside.
        inside: usize,
    },
    /// Only a small share of the motion is at the first harmonic of the frames.
    OffFrequency {
        /// The first harmonic's share of the motion's energy, 0 to 1.
        share: f64,
    },
    /// The mask reaches the edge of the image.
    MaskTouchesBorder {
        /// The number of its pixels on the edge.
        pixels: usize,
    },
    /// Nothing moves in a slice of the stack.
    EmptySlice {
        /// The slice, from 0.
        slice: usize,
    },
    /// The mask is smaller than a wavelength.
    BelowWavelength {
        /// The extent of the mask, mm.
        extent_mm: f64,
        /// The wavelength found in it, mm.
        wavelength_mm: f64,
    },
    /// The loss modulus is negative: the field looks conjugated. MMDI's stiffness does not depend on the sign.
    Conjugated {
        /// The median loss modulus, kPa.
        loss_kpa: f64,
        /// True if DIME was given the conjugate field.
        corrected: bool,
    },
    /// The loss modulus does not show whether the field is conjugated.
    UnknownSense,
    /// The stiffness is outside the range of soft tissue.
    ImplausibleStiffness {
        /// The median stiffness, kPa.
        kpa: f64,
    },
    /// Only a small share of the mask is confident.
    LowConfidence {
        /// The confident share of the mask, 0 to 1.
        share: f64,
        /// The least confidence that counts as confident.
        least: f32,
    },
}

impl Warning {
    /// The place among other warnings: those that say that the result may be wrong come first, then those that say why it
    /// is less sure.
    pub fn rank(&self) -> usize {
        match self.code() {
            Code::NoPeriod => 0,
            Code::OffFrequency => 1,
            Code::IdentityAffine | Code::AssumedSpacing => 2,
            Code::ImplausibleStiffness => 3,
            Code::MaskLabels | Code::SoftMask => 4,
            Code::OtherDirection | Code::UnknownDirection | Code::OutsideTraining | Code::UnlikeTraining => 5,
            Code::Conjugated | Code::UnknownSense => 6,
            Code::ClippedPhase => 7,
            Code::LowConfidence | Code::BelowWavelength => 8,
            Code::LostZero | Code::EmptySlice | Code::MaskTouchesBorder => 9,
        }
    }

    /// The subject.
    pub fn code(&self) -> Code {
        match self {
            Warning::IdentityAffine => Code::IdentityAffine,
            Warning::AssumedSpacing => Code::AssumedSpacing,
            Warning::LostZero => Code::LostZero,
            Warning::ClippedPhase { .. } => Code::ClippedPhase,
            Warning::NoPeriod { .. } => Code::NoPeriod,
            Warning::OtherDirection { .. } => Code::OtherDirection,
            Warning::UnknownDirection { .. } => Code::UnknownDirection,
            Warning::OutsideTraining { .. } => Code::OutsideTraining,
            Warning::UnlikeTraining { .. } => Code::UnlikeTraining,
            Warning::MaskLabels { .. } => Code::MaskLabels,
            Warning::SoftMask { .. } => Code::SoftMask,
            Warning::OffFrequency { .. } => Code::OffFrequency,
            Warning::MaskTouchesBorder { .. } => Code::MaskTouchesBorder,
            Warning::EmptySlice { .. } => Code::EmptySlice,
            Warning::BelowWavelength { .. } => Code::BelowWavelength,
            Warning::Conjugated { .. } => Code::Conjugated,
            Warning::UnknownSense => Code::UnknownSense,
            Warning::ImplausibleStiffness { .. } => Code::ImplausibleStiffness,
            Warning::LowConfidence { .. } => Code::LowConfidence,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Warning::IdentityAffine => f.write_str(
                "the affine is the identity: the file does not state the position of the image in the patient",
            ),
            Warning::AssumedSpacing => f.write_str(
                "the file does not state the pixel spacing: 1 mm is assumed, and stiffness depends on its square",
            ),
            Warning::LostZero => f.write_str(
                "the zero level of the displacement is lost: the mean under the mask is subtracted, which reduces \
                 accuracy; use phases or complex data if available",
            ),
            Warning::ClippedPhase { share } => write!(
                f,
                "{:.2} % of the samples in the mask are clipped at the ends of their range; stiffness is doubtful there",
                100.0 * share
            ),
            Warning::NoPeriod { closing, share } => write!(
                f,
                "the frames do not look like phases of one period, in order: the step from the last to the first is \
                 {closing:.1} times the others, and {:.0} % of the motion is at the driving frequency; stiffness is wrong if \
                 they are not",
                100.0 * share
            ),
            Warning::OtherDirection { name } => write!(
                f,
                "DIME has learned the motion through the slice alone, and was given the direction '{name}': its map is not \
                 to be relied on"
            ),
            Warning::UnknownDirection { name, given: false } => write!(
                f,
                "the directions of motion have no names: DIME was given direction {name}, the last, as the one through the \
                 slice; its map is wrong if it is another"
            ),
            Warning::UnknownDirection { name, given: true } => write!(
                f,
                "the directions of motion have no names: DIME's map is wrong if direction {name} does not run through the \
                 slice"
            ),
            Warning::OutsideTraining { kpa, seen: [low, high] } => write!(
                f,
                "the waves are outside of what DIME's network has seen: MMDI reads {kpa:.2} kPa, and the network was trained \
                 on waves of {low:.2} to {high:.2} kPa"
            ),
            Warning::UnlikeTraining { apart, usual } => write!(
                f,
                "the body is unlike those that DIME's network has seen: its answers with and without surroundings differ by \
                 {:.0} % (median), where at most {:.0} % is usual; the uncertainty counts this difference",
                100.0 * apart,
                100.0 * usual
            ),
            Warning::MaskLabels { labels: [least, greatest] } => write!(
                f,
                "the mask holds several labels, from {least} to {greatest}, and all of them are taken as one tissue"
            ),
            Warning::SoftMask { outside, inside } => write!(
                f,
                "the mask is not binary: {inside} pixels above 0.5 are taken as inside, {outside} below as outside"
            ),
            Warning::OffFrequency { share } => write!(
                f,
                "only {:.0} % of the motion is at the driving frequency; check that the phases cover one period, in \
                 order, and that they are not stored modulo a turn",
                100.0 * share
            ),
            Warning::MaskTouchesBorder { pixels } => {
                write!(f, "the mask reaches the edge of the image ({pixels} pixels), where waves are cut off")
            }
            Warning::EmptySlice { slice } => {
                write!(f, "nothing moves inside the mask of slice {slice}; its maps are all zero")
            }
            Warning::BelowWavelength { extent_mm, wavelength_mm } => write!(
                f,
                "the mask is {extent_mm:.0} mm wide, less than one shear wavelength ({wavelength_mm:.0} mm): \
                 stiffness is estimated from part of a wave"
            ),
            Warning::Conjugated { loss_kpa, corrected } => {
                let corrected = if *corrected { "; DIME was given its conjugate" } else { "" };
                write!(
                    f,
                    "the median loss modulus is negative ({loss_kpa:.2} kPa), as if waves grew as they travel: the \
                     field looks conjugated (frames in reverse order, or the sign of the imaginary part){corrected}"
                )
            }
            Warning::UnknownSense => f.write_str(
                "the loss modulus does not show whether the wave is conjugated: DIME takes it as it is, and its \
                 result is wrong if the wave is conjugated",
            ),
            Warning::ImplausibleStiffness { kpa } => write!(
                f,
                "a median stiffness of {kpa:.3} kPa is not that of soft tissue: check the pixel spacing (mm) and the \
                 frequency (Hz)"
            ),
            Warning::LowConfidence { share, least } => write!(
                f,
                "only {:.0} % of the mask reaches a confidence of {least:.2}: there is little wave in it, or much noise",
                100.0 * share
            ),
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Warning", 2)?;
        fields.serialize_field("code", &self.code())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
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
        let json = serde_json::to_value(Warning::ClippedPhase { share: 0.0157 }).unwrap();
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
