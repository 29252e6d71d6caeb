//! In which sense of time a wave runs, by MMDI's loss modulus.

use super::{Regions, Slice};

/// In which sense of time a wave runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sense {
    /// As it should.
    Forwards,
    /// The median loss modulus, kPa, is negative: the wave looks conjugated.
    Conjugated(f64),
    /// Nothing is sure, or nearly nothing is lost: the sign of the loss modulus says nothing.
    Unknown,
}

impl Sense {
    fn of(loss: f64, stiffness: f64) -> Self {
        match loss / stiffness {
            share if share < -CONJUGATED => Self::Conjugated(loss),
            share if share > FORWARDS => Self::Forwards,
            _ => Self::Unknown,
        }
    }

    pub fn conjugated(self) -> Option<bool> {
        match self {
            Self::Forwards => Some(false),
            Self::Conjugated(_) => Some(true),
            Self::Unknown => None,
        }
    }
}

/// The sense in which a wave runs, by its loss modulus where MMDI is confident.
pub fn sense(slices: &[Slice], spacing_mm: [f64; 2]) -> Sense {
    let all: Vec<&Slice> = slices.iter().collect();
    let Some(sure) = Regions::new(&all, spacing_mm).confident else { return Sense::Unknown };
    Sense::of(sure.loss_kpa.median, sure.stiffness_kpa.median)
}

/// The share of the stiffness by which the loss modulus is negative where a wave is conjugated. Little damping can look
/// like a little gain: of 183 simulated phantoms with damping from 0.05 on, two read -0.02 and -0.05, and five livers in
/// vivo 0.14 to 0.29.
const CONJUGATED: f64 = 0.1;

/// The share above which the loss modulus says that a wave is not.
const FORWARDS: f64 = 0.02;

#[cfg(test)]
mod tests {
    use super::*;

    /// What a phantom of little damping read, −0.18 of 3.46 kPa, is no conjugate; a liver's −0.5 of 2.2 is.
    #[test]
    fn a_little_gain_is_no_conjugate() {
        let senses = [(-0.18, 3.46), (-0.5, 2.2), (0.05, 3.0), (0.3, 2.2), (f64::NAN, 2.0)];
        let found = senses.map(|(loss, stiffness)| Sense::of(loss, stiffness).conjugated());
        assert_eq!(found, [None, Some(true), None, Some(false), None]);
    }
}
