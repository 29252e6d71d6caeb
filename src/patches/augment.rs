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
    pub(super) input: &'a mut [f32],
    pub(super) truth: &'a mut [f32],
    pub(super) mask: &'a mut [f32],
}

impl<'a> PatchMut<'a> {
    /// Iterates over the patches of `size` in a batch. `input` is `[n, 2, h, w]`, `truth` and
    /// `mask` are `[n, 1, h, w]`, as filled by [`Patches::gather`](super::Patches::gather).
    pub fn each(
        size: Size,
        input: &'a mut [f32],
        truth: &'a mut [f32],
        mask: &'a mut [f32],
    ) -> impl Iterator<Item = PatchMut<'a>> {
        // A patch without pixels gives no items: no slice has this length.
        let pixels = Some(size.pixels()).filter(|&n| n > 0).unwrap_or(usize::MAX / 2);
        let inputs = input.chunks_exact_mut(2 * pixels);
        let maps = truth.chunks_exact_mut(pixels).zip(mask.chunks_exact_mut(pixels));
        inputs.zip(maps).map(move |(input, (truth, mask))| PatchMut { size, input, truth, mask })
    }

    fn pixels(&self) -> usize {
        self.size.pixels()
    }

    /// Iterates over all planes: real, imaginary, truth, mask.
    fn planes(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let pixels = self.pixels();
        let Self { input, truth, mask, .. } = self;
        [&mut **input, &mut **truth, &mut **mask].into_iter().flat_map(move |p| p.chunks_exact_mut(pixels))
    }

    /// Iterates over the real and imaginary part of every pixel inside the object.
    fn wave(&mut self) -> impl Iterator<Item = [&mut f32; 2]> {
        let pixels = self.pixels();
        let (re, im) = self.input.split_at_mut(pixels);
        re.iter_mut().zip(im).map(|(re, im)| [re, im]).filter(|[re, im]| **re != 0.0 || **im != 0.0)
    }

    /// The RMS of both channels inside the object; 0 if no pixel is inside.
    fn rms(&mut self) -> f32 {
        let (n, sum) = self.wave().fold((0usize, 0.0), |(n, sum), [re, im]| {
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
        for [re, im] in self.wave() {
            (*re, *im) = (*re * cos - *im * sin, *re * sin + *im * cos);
        }
    }
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
            Augmentation::Texture { share } if (0.0..=1.0).contains(&share) => continue,
            Augmentation::Texture { .. } => {
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
                patch.wave().for_each(|[re, im]| (*re, *im) = (*re * a, *im * b));
            }
            Augmentation::Offsets { most } => {
                let most = most * patch.rms();
                let [a, b] = [symmetric(random), symmetric(random)].map(|x| most * x);
                patch.wave().for_each(|[re, im]| (*re, *im) = (*re + a, *im + b));
            }
            Augmentation::Noise { most } => {
                let sd = most * 100f32.powf(-random.f32()) * patch.rms();
                for [re, im] in patch.wave() {
                    let [a, b] = normal(random);
                    (*re, *im) = (*re + sd * a, *im + sd * b);
                }
            }
            Augmentation::Zoom { .. } | Augmentation::Texture { .. } => {}
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
