//! Outlines drawn at random that resemble the cross sections of bodies and organs.

use super::liver::{fit, liver};
use super::outline::Outline;
use crate::error::{Error, Result};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// The number of points that a smooth curve passes through.
const POINTS: usize = 40;

/// A kind of outline of which every seed gives another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutlineShape {
    /// A liver; see [`liver`].
    Liver,
    /// A bean with a hollow in its upper or its lower side.
    Kidney,
    /// A rounded ellipse, wider than high, with a hollow in the middle of its lower side and smaller dents.
    Torso,
    /// A smooth closed curve without a model.
    Blob,
}

impl OutlineShape {
    /// All kinds.
    pub const ALL: [OutlineShape; 4] =
        [OutlineShape::Liver, OutlineShape::Kidney, OutlineShape::Torso, OutlineShape::Blob];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            OutlineShape::Liver => "liver",
            OutlineShape::Kidney => "kidney",
            OutlineShape::Torso => "torso",
            OutlineShape::Blob => "blob",
        }
    }

    /// The outline that a seed gives. `width_mm` is its width along x, and (0, 0) is the centre of its bounds. It
    /// starts near its least x and runs along the upper edge (y grows downward like the rows of an image).
    ///
    /// # Errors
    /// [`Error::Usage`] if the width is not above zero.
    pub fn outline(self, seed: u64, width_mm: f64) -> Result<Outline> {
        if self == OutlineShape::Liver {
            return liver(seed, width_mm);
        }
        if !(width_mm > 0.0 && width_mm.is_finite()) {
            return Err(Error::Usage(format!(
                "a {}'s width is {width_mm} mm; give a number above zero",
                self.name()
            )));
        }
        let mut rng = Rng::with_seed(seed);
        let mut any = |low: f64, high: f64| low + (high - low) * rng.f64();
        // The distance from the middle as a function of the angle. Such a curve never crosses itself.
        let radius: Box<dyn Fn(f64) -> f64> = match self {
            OutlineShape::Liver | OutlineShape::Kidney => {
                let (height, lean) = (any(0.55, 0.72), any(-0.5, 0.5));
                let side = if any(-1.0, 1.0) < 0.0 { -FRAC_PI_2 } else { FRAC_PI_2 };
                let hollow = [side + any(-0.3, 0.3), any(0.4, 0.6), any(0.3, 0.48)];
                let ripple = ripples(&mut any, 0.02);
                Box::new(move |angle| {
                    let turned = angle - lean;
                    rounded(turned, height, 2.2) * dent(turned, hollow) * ripple(angle)
                })
            }
            OutlineShape::Torso => {
                let (height, power) = (any(0.58, 0.82), any(2.1, 3.0));
                let spine = [FRAC_PI_2 + any(-0.1, 0.1), any(0.2, 0.35), any(0.04, 0.13)];
                let others = [0; 2].map(|_| [any(0.0, TAU), any(0.25, 0.5), any(0.0, 0.07)]);
                let ripple = ripples(&mut any, 0.01);
                Box::new(move |angle| {
                    let dents: f64 = others.iter().map(|d| dent(angle, *d)).product();
                    rounded(angle, height, power) * dent(angle, spine) * dents * ripple(angle)
                })
            }
            OutlineShape::Blob => {
                let (height, lean) = (any(0.65, 1.0), any(-0.5, 0.5));
                let ripple = ripples(&mut any, 0.12);
                Box::new(move |angle| rounded(angle - lean, height, 2.0) * ripple(angle))
            }
        };
        let point = |i: usize| {
            let angle = PI + TAU * i as f64 / POINTS as f64;
            let (sin, cos) = angle.sin_cos();
            [radius(angle) * cos, radius(angle) * sin]
        };
        fit(&(0..POINTS).map(point).collect::<Vec<_>>(), width_mm)
    }
}

/// The radius of a superellipse with the half axes 1 and `height`. A power of 2 gives an ellipse; higher powers are
/// nearer to a rectangle.
fn rounded(angle: f64, height: f64, power: f64) -> f64 {
    let (sin, cos) = angle.sin_cos();
    (cos.abs().powf(power) + (sin.abs() / height).powf(power)).powf(-1.0 / power)
}

/// The factor of a hollow at an angle, with a width in radians and a depth as a share of the radius.
fn dent(angle: f64, [at, width, depth]: [f64; 3]) -> f64 {
    let away = (angle - at + PI).rem_euclid(TAU) - PI;
    1.0 - depth * (-(away / width).powi(2)).exp()
}

/// A random factor around 1: waves of 2 to 5 periods around the outline. The amplitude of each is up to `most`, less
/// for short ones.
fn ripples(any: &mut dyn FnMut(f64, f64) -> f64, most: f64) -> Box<dyn Fn(f64) -> f64> {
    let waves: Vec<[f64; 3]> =
        (2..=5).map(|k| [f64::from(k), any(-most, most) * 2.0 / f64::from(k), any(0.0, TAU)]).collect();
    Box::new(move |angle| 1.0 + waves.iter().map(|[k, a, phase]| a * (k * angle + phase).cos()).sum::<f64>())
}
