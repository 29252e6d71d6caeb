//! Augmentation: variations of a patch that carry no information about stiffness, in the phase, gain, zero
//! level and direction of its wave.

use crate::error::{Error, Result};
use crate::size::Size;
use crate::train::order::random;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::f32::consts::TAU;

/// One kind of augmentation. Pixels outside the object, where both channels are 0, stay 0.
///
/// A training has a list of these, empty by default, and applies them in its order. Noise and offsets are
/// relative to the patch at that point, so the sensible order is noise, gains, offsets.
///
/// ```
/// # use palpate::lowlevel::patches::Augmentation;
/// let list: Vec<Augmentation> = serde_json::from_str(r#"["flips", "phase", {"noise": {"most": 0.15}}]"#)?;
/// assert_eq!(list[2], Augmentation::Noise { most: 0.15 });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Augmentation {
    /// Reverses rows and columns, each in half of the patches. Truth and mask are reversed too.
    Flips,
    /// Rotates by 0 to 3 quarter turns (non-square patches: 0 or 2). Truth and mask are rotated too.
    QuarterTurns,
    /// Multiplies re + i·im by e^{iφ}, φ uniform over the circle.
    Phase,
    /// Multiplies each channel by its own factor, log-uniform in 1/most..most. `most` is 1 or more.
    Gains {
        /// The largest factor.
        most: f32,
    },
    /// Adds a separate constant to each channel, uniform in ±most × the patch's RMS.
    Offsets {
        /// The largest offset, in units of the RMS.
        most: f32,
    },
    /// Adds white Gaussian noise to both channels. Its SD is log-uniform in most/100..most × the patch's RMS,
    /// so the signal-to-noise ratio is uniform over 40 dB.
    Noise {
        /// The largest SD, in units of the RMS.
        most: f32,
    },
    /// Rotates half of the patches by any angle and enlarges them by a factor z, log-uniform in 1/most..most.
    /// The modulus is multiplied by z². This simulates a larger or smaller body. `most` is 1 or more. Applied
    /// only to patches cut from images.
    Zoom {
        /// The largest factor.
        most: f32,
    },
    /// Gives this share of the patches the coarse texture of an uneven mesh: each pixel has the wave of its
    /// nearest node. Applied only to patches cut from images.
    Texture {
        /// The share of the patches, from 0 to 1.
        share: f32,
    },
    /// Shows this share of the patches through the outline of an organ, cut out of the body: what lies outside of it is
    /// outside of the mask. The mask of an image in vivo is no wall, and waves enter through it. Applied only to
    /// patches cut from images.
    Organs {
        /// The share of the patches, from 0 to 1.
        share: f32,
    },
    /// Withholds the surroundings of this share of the patches: their views are 0. The network then learns to do without
    /// them.
    Alone {
        /// The share of the patches, from 0 to 1.
        share: f32,
    },
}

/// Purposes of random numbers; 1 is the order of patches.
const AUGMENTATION: u64 = 2;
#[cfg(feature = "simulation")]
const CUTTING: u64 = 3;

/// Selects the random numbers of a patch. Equal values give equal numbers, whatever happens elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The training's seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: u32,
    /// The patch's number in its file.
    pub patch: u32,
}

impl Draw {
    /// Returns the generator for cutting the patch from an image.
    #[cfg(feature = "simulation")]
    pub(super) fn cutting(self) -> Rng {
        random(CUTTING, [self.seed, self.epoch.into(), self.patch.into()])
    }
}

/// One patch of a batch, in memory.
#[derive(Debug)]
pub struct PatchMut<'a> {
    pub(super) size: Size,
    /// The side of a pixel of each view of the surroundings, in pixels of the patch.
    pub(super) scales: &'a [usize],
    pub(super) input: &'a mut [f32],
    pub(super) surroundings: &'a mut [f32],
    pub(super) truth: &'a mut [f32],
    pub(super) mask: &'a mut [f32],
}

impl PatchMut<'_> {
    fn pixels(&self) -> usize {
        self.size.pixels()
    }

    /// Iterates over all planes: real and imaginary part of the patch and of its surroundings, truth, mask.
    fn planes(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let pixels = self.pixels();
        let Self { input, surroundings, truth, mask, .. } = self;
        let all = [&mut **input, &mut **surroundings, &mut **truth, &mut **mask];
        all.into_iter().flat_map(move |p| p.chunks_exact_mut(pixels))
    }

    /// Iterates over the waves of the patch and of its surroundings, each with the side of its pixels.
    fn waves(&mut self) -> impl Iterator<Item = (usize, &mut [f32])> {
        let pixels = self.pixels();
        let views = self.surroundings.chunks_exact_mut(2 * pixels);
        std::iter::once((1, &mut *self.input)).chain(self.scales.iter().copied().zip(views))
    }

    /// Iterates over the real and imaginary part of every pixel inside the object, in the patch and in its surroundings.
    fn pairs(&mut self) -> impl Iterator<Item = [&mut f32; 2]> {
        self.waves().flat_map(|(_, wave)| pairs(wave))
    }

    /// The RMS of both channels of the patch inside the object; 0 if no pixel is inside.
    fn rms(&mut self) -> f32 {
        let (n, sum) = pairs(self.input).fold((0usize, 0.0), |(n, sum), [re, im]| {
            (n + 1, sum + f64::from(*re).powi(2) + f64::from(*im).powi(2))
        });
        (sum / (2 * n.max(1)) as f64).sqrt() as f32
    }

    fn flip_rows(&mut self) {
        let Size { nx: width, ny: height } = self.size;
        for plane in self.planes() {
            let (top, bottom) = plane.split_at_mut(height / 2 * width);
            let bottom = &mut bottom[height % 2 * width..];
            for (a, b) in top.chunks_exact_mut(width).zip(bottom.chunks_exact_mut(width).rev()) {
                a.swap_with_slice(b);
            }
        }
    }

    fn flip_columns(&mut self) {
        let width = self.size.nx;
        self.planes().for_each(|plane| plane.chunks_exact_mut(width).for_each(<[f32]>::reverse));
    }

    /// Swaps rows and columns of a square patch.
    fn transpose(&mut self) {
        let side = self.size.nx;
        for plane in self.planes() {
            for (y, x) in (0..side).flat_map(|y| (0..y).map(move |x| (y, x))) {
                plane.swap(y * side + x, x * side + y);
            }
        }
    }

    /// Rotates clockwise by `quarters`; a non-square patch only by half turns.
    fn turn(&mut self, quarters: u32) {
        if quarters & 2 != 0 {
            self.flip_rows();
            self.flip_columns();
        }
        if quarters & 1 != 0 && self.size.nx == self.size.ny {
            self.transpose();
            self.flip_columns();
        }
    }

    fn rotate_phase(&mut self, angle: f32) {
        let (sin, cos) = angle.sin_cos();
        for [re, im] in self.pairs() {
            (*re, *im) = (*re * cos - *im * sin, *re * sin + *im * cos);
        }
    }

    /// Adds noise of this standard deviation in each pixel of the patch. A mean over s × s pixels has 1/s of it.
    fn add_noise(&mut self, sd: f32, random: &mut Rng) {
        for (side, wave) in self.waves() {
            let sd = sd / side as f32;
            for [re, im] in pairs(wave) {
                let [a, b] = normal(random);
                (*re, *im) = (*re + sd * a, *im + sd * b);
            }
        }
    }
}

/// Iterates over the real and imaginary part of every pixel of a wave inside the object.
fn pairs(wave: &mut [f32]) -> impl Iterator<Item = [&mut f32; 2]> {
    let (re, im) = wave.split_at_mut(wave.len() / 2);
    re.iter_mut().zip(im).map(|(re, im)| [re, im]).filter(|[re, im]| **re != 0.0 || **im != 0.0)
}

/// Checks the parameters of a list of augmentations.
///
/// # Errors
/// [`Error::Usage`] if a `most` is not finite, negative, or below 1 for gains and zoom, or if a `share` is
/// outside 0 to 1.
pub fn check(list: &[Augmentation]) -> Result<()> {
    for one in list {
        let (most, least) = match *one {
            Augmentation::Flips | Augmentation::QuarterTurns | Augmentation::Phase => continue,
            Augmentation::Texture { share }
            | Augmentation::Organs { share }
            | Augmentation::Alone { share } => {
                if (0.0..=1.0).contains(&share) {
                    continue;
                }
                return Err(Error::Usage(format!("augmentation {one:?}: `share` must be from 0 to 1")));
            }
            Augmentation::Gains { most } | Augmentation::Zoom { most } => (most, 1.0),
            Augmentation::Offsets { most } | Augmentation::Noise { most } => (most, 0.0),
        };
        if !(most.is_finite() && most >= least) {
            return Err(Error::Usage(format!("augmentation {one:?}: `most` must be {least} or more")));
        }
    }
    Ok(())
}

/// Applies each of `list` to a patch, in order.
pub fn augment(list: &[Augmentation], draw: Draw, patch: &mut PatchMut) {
    let mut random = random(AUGMENTATION, [draw.seed, draw.epoch.into(), draw.patch.into()]);
    let random = &mut random;
    for one in list {
        match *one {
            Augmentation::Flips => {
                if random.bool() {
                    patch.flip_rows();
                }
                if random.bool() {
                    patch.flip_columns();
                }
            }
            Augmentation::QuarterTurns => patch.turn(random.u32(0..4)),
            Augmentation::Phase => patch.rotate_phase(random.f32() * TAU),
            Augmentation::Gains { most } => {
                let [a, b] = [symmetric(random), symmetric(random)].map(|x| most.powf(x));
                patch.pairs().for_each(|[re, im]| (*re, *im) = (*re * a, *im * b));
            }
            Augmentation::Offsets { most } => {
                let most = most * patch.rms();
                let [a, b] = [symmetric(random), symmetric(random)].map(|x| most * x);
                patch.pairs().for_each(|[re, im]| (*re, *im) = (*re + a, *im + b));
            }
            Augmentation::Noise { most } => {
                let sd = most * 100f32.powf(-random.f32()) * patch.rms();
                patch.add_noise(sd, random);
            }
            Augmentation::Alone { share } => {
                if random.f32() < share {
                    patch.surroundings.fill(0.0);
                }
            }
            Augmentation::Zoom { .. } | Augmentation::Texture { .. } | Augmentation::Organs { .. } => {}
        }
    }
}

/// A random number, uniform in -1..1.
fn symmetric(random: &mut Rng) -> f32 {
    2.0 * random.f32() - 1.0
}

/// Two random numbers with standard normal distribution (Box and Muller, 1958).
fn normal(random: &mut Rng) -> [f32; 2] {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt() as f32;
    let (sin, cos) = (random.f32() * TAU).sin_cos();
    [radius * cos, radius * sin]
}

#[cfg(test)]
mod tests;
