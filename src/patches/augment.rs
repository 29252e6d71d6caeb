//! Augmentation: variations of a patch that carry no information about stiffness, in the phase, gain, zero
//! level and direction of its wave.

use crate::error::{Error, Result};
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
    pub(super) shape: [usize; 2],
    pub(super) input: &'a mut [f32],
    pub(super) truth: &'a mut [f32],
    pub(super) mask: &'a mut [f32],
}

impl<'a> PatchMut<'a> {
    /// Iterates over the patches of `shape` (height, width) in a batch. `input` is `[n, 2, h, w]`, `truth` and
    /// `mask` are `[n, 1, h, w]`, as filled by [`Patches::gather`](super::Patches::gather).
    pub fn each(
        shape: [usize; 2],
        input: &'a mut [f32],
        truth: &'a mut [f32],
        mask: &'a mut [f32],
    ) -> impl Iterator<Item = PatchMut<'a>> {
        // A patch without pixels gives no items: no slice has this length.
        let pixels = Some(shape[0] * shape[1]).filter(|&n| n > 0).unwrap_or(usize::MAX / 2);
        let inputs = input.chunks_exact_mut(2 * pixels);
        let maps = truth.chunks_exact_mut(pixels).zip(mask.chunks_exact_mut(pixels));
        inputs.zip(maps).map(move |(input, (truth, mask))| PatchMut { shape, input, truth, mask })
    }

    fn pixels(&self) -> usize {
        self.shape[0] * self.shape[1]
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
        let [height, width] = self.shape;
        for plane in self.planes() {
            let (top, bottom) = plane.split_at_mut(height / 2 * width);
            let bottom = &mut bottom[height % 2 * width..];
            for (a, b) in top.chunks_exact_mut(width).zip(bottom.chunks_exact_mut(width).rev()) {
                a.swap_with_slice(b);
            }
        }
    }

    fn flip_columns(&mut self) {
        let width = self.shape[1];
        self.planes().for_each(|plane| plane.chunks_exact_mut(width).for_each(<[f32]>::reverse));
    }

    /// Swaps rows and columns of a square patch.
    fn transpose(&mut self) {
        let side = self.shape[0];
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
        if quarters & 1 != 0 && self.shape[0] == self.shape[1] {
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
mod tests {
    use super::*;

    /// A test patch with random planes; three pixels at a corner are outside the object.
    #[derive(Clone, PartialEq, Debug)]
    struct Patch {
        shape: [usize; 2],
        planes: [Vec<f32>; 3],
    }

    impl Patch {
        fn new([height, width]: [usize; 2]) -> Self {
            let mut random = Rng::with_seed(5);
            let pixels = height * width;
            let mut planes =
                [2, 1, 1].map(|c| (0..c * pixels).map(|_| 1.0 + random.f32()).collect::<Vec<_>>());
            for at in [0, 1, width] {
                (planes[0][at], planes[0][at + pixels], planes[2][at]) = (0.0, 0.0, 0.0);
            }
            Self { shape: [height, width], planes }
        }

        fn view(&mut self) -> PatchMut<'_> {
            let [input, truth, mask] = &mut self.planes;
            PatchMut { shape: self.shape, input, truth, mask }
        }

        fn varied(&self, one: Augmentation, patch: u32) -> Self {
            let mut copy = self.clone();
            augment(&[one], Draw { seed: 3, epoch: 1, patch }, &mut copy.view());
            copy
        }

        fn turned(&self, quarters: u32) -> Self {
            let mut copy = self.clone();
            copy.view().turn(quarters);
            copy
        }

        fn wave(&self) -> Vec<[f32; 2]> {
            let (re, im) = self.planes[0].split_at(self.planes[1].len());
            re.iter().zip(im).map(|(&re, &im)| [re, im]).collect()
        }
    }

    const ALL: [Augmentation; 6] = [
        Augmentation::Flips,
        Augmentation::QuarterTurns,
        Augmentation::Phase,
        Augmentation::Noise { most: 0.2 },
        Augmentation::Gains { most: 1.5 },
        Augmentation::Offsets { most: 0.5 },
    ];

    #[test]
    fn turns_are_a_group_and_go_clockwise() {
        for shape in [[2, 2], [4, 4], [5, 5], [3, 7], [6, 2]] {
            let patch = Patch::new(shape);
            let step = if shape[0] == shape[1] { 1 } else { 2 };
            let mut turned = patch.clone();
            for quarters in 0..4 {
                assert_eq!(turned, patch.turned(step * quarters % 4), "{shape:?}, {quarters}");
                turned.view().turn(step);
            }
            assert_eq!(turned, patch);
            assert_ne!(turned, patch.turned(2));
        }
        let mut small = Patch {
            shape: [2, 2],
            planes: [vec![1., 2., 3., 4., 5., 6., 7., 8.], vec![1., 2., 3., 4.], vec![0., 1., 0., 0.]],
        };
        small.view().turn(1);
        assert_eq!(
            small.planes,
            [vec![3., 1., 4., 2., 7., 5., 8., 6.], vec![3., 1., 4., 2.], vec![0., 0., 0., 1.]]
        );
    }

    #[test]
    fn flips_reverse_rows_or_columns() {
        let mut small = Patch::new([3, 2]);
        small.planes[1] = vec![1., 2., 3., 4., 5., 6.];
        small.view().flip_rows();
        assert_eq!(small.planes[1], [5., 6., 3., 4., 1., 2.]);
        small.view().flip_columns();
        assert_eq!(small.planes[1], [6., 5., 4., 3., 2., 1.]);
    }

    #[test]
    fn every_flip_and_turn_is_drawn() {
        let patch = Patch::new([5, 5]);
        let mut rows = patch.clone();
        rows.view().flip_rows();
        let flips = [patch.clone(), rows.clone(), rows.turned(2), patch.turned(2)];
        let turns = [0, 1, 2, 3].map(|quarters| patch.turned(quarters));
        for (one, expected) in [(Augmentation::Flips, flips), (Augmentation::QuarterTurns, turns)] {
            let mut counts = [0; 4];
            for i in 0..400 {
                let found = patch.varied(one, i);
                counts[expected.iter().position(|e| *e == found).expect("one of four")] += 1;
            }
            assert!(counts.iter().all(|n| (60..140).contains(n)), "{one:?}: {counts:?}");
        }
    }

    #[test]
    fn phases_keep_the_amplitude_and_go_round() {
        let patch = Patch::new([4, 6]);
        let mut octants = [0; 8];
        for i in 0..400 {
            let turned = patch.varied(Augmentation::Phase, i);
            assert_eq!(turned.planes[1..], patch.planes[1..]);
            let mut angles = Vec::new();
            for ([a, b], [c, d]) in patch.wave().into_iter().zip(turned.wave()) {
                assert!((a.hypot(b) - c.hypot(d)).abs() < 1e-6);
                if a != 0.0 {
                    angles.push((a * d - b * c).atan2(a * c + b * d)); // the phase of u' conj(u)
                }
            }
            assert!(angles.iter().all(|x| (x - angles[0]).sin().abs() < 1e-5), "one phase for all");
            octants[(angles[0].rem_euclid(TAU) / TAU * 8.0) as usize % 8] += 1;
        }
        assert!(octants.iter().all(|n| (25..80).contains(n)), "{octants:?}");
    }

    #[test]
    fn gains_and_offsets_are_one_a_channel() {
        let patch = Patch::new([6, 6]);
        let rms = patch.clone().view().rms();
        let mut largest = [0f32; 2];
        for i in 0..400 {
            let gained = patch.varied(Augmentation::Gains { most: 2.0 }, i);
            let moved = patch.varied(Augmentation::Offsets { most: 0.5 }, i);
            for channel in 0..2 {
                let inside = || patch.wave().into_iter().enumerate().filter(|(_, [re, _])| *re != 0.0);
                let gains: Vec<_> = inside().map(|(at, u)| gained.wave()[at][channel] / u[channel]).collect();
                let moves: Vec<_> = inside().map(|(at, u)| moved.wave()[at][channel] - u[channel]).collect();
                assert!(gains.iter().all(|g| (g / gains[0] - 1.0).abs() < 1e-6), "{gains:?}");
                assert!(moves.iter().all(|m| (m - moves[0]).abs() < 1e-6), "{moves:?}");
                largest[0] = largest[0].max(gains[0].log2().abs());
                largest[1] = largest[1].max(moves[0].abs() / rms);
            }
        }
        assert!((0.95..1.0001).contains(&largest[0]) && (0.47..0.5001).contains(&largest[1]), "{largest:?}");
    }

    #[test]
    fn noise_is_as_loud_as_said() {
        let patch = Patch::new([30, 30]);
        let rms = patch.clone().view().rms();
        let ratios: Vec<f32> = (0..300)
            .map(|i| {
                let noisy = patch.varied(Augmentation::Noise { most: 0.3 }, i);
                let squares: f32 =
                    noisy.planes[0].iter().zip(&patch.planes[0]).map(|(a, b)| (a - b).powi(2)).sum();
                (squares / (2.0 * 897.0)).sqrt() / rms
            })
            .collect();
        // The SD is log-uniform in 0.003..0.3; the SD of one patch has an error of 2 %.
        let mean = ratios.iter().map(|r| r.log10()).sum::<f32>() / 300.0;
        assert!((mean - 0.03f32.log10()).abs() < 0.1, "{mean}");
        assert!(ratios.iter().all(|&r| r < 0.33) && ratios.iter().any(|&r| r > 0.27));
        assert!(ratios.iter().all(|&r| r > 0.0025) && ratios.iter().any(|&r| r < 0.0035));
        let mut random = Rng::with_seed(1);
        let drawn: Vec<f32> = (0..20_000).flat_map(|_| normal(&mut random)).collect();
        let moment = |n| drawn.iter().map(|x| x.powi(n)).sum::<f32>() / drawn.len() as f32;
        assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03 && (moment(4) - 3.0).abs() < 0.2);
    }

    #[test]
    fn outside_stays_zero_and_truth_stays() {
        let patch = Patch::new([7, 5]);
        for one in &ALL[2..] {
            let varied = patch.varied(*one, 9);
            assert_ne!(varied, patch, "{one:?}");
            assert_eq!(varied.planes[1..], patch.planes[1..], "{one:?}");
            for (before, after) in patch.wave().into_iter().zip(varied.wave()) {
                assert_eq!(before == [0.0; 2], after == [0.0; 2], "{one:?}");
            }
        }
        let mut empty = Patch { shape: [2, 2], planes: [vec![0.0; 8], vec![0.0; 4], vec![0.0; 4]] };
        augment(&ALL, Draw { seed: 1, epoch: 1, patch: 1 }, &mut empty.view());
        assert_eq!(empty.planes[0], [0.0; 8]);
    }

    #[test]
    fn the_place_alone_decides() {
        let patch = Patch::new([6, 6]);
        let n = 5;
        let batch = |draws: &[Draw]| {
            let mut planes = patch.planes.clone().map(|plane| plane.repeat(n));
            let [input, truth, mask] = &mut planes;
            let each = PatchMut::each([6, 6], input, truth, mask);
            each.zip(draws).for_each(|(mut patch, draw)| augment(&ALL, *draw, &mut patch));
            planes
        };
        let draws: Vec<Draw> = (0..n as u32).map(|patch| Draw { seed: 1, epoch: 2, patch }).collect();
        let backwards: Vec<Draw> = draws.iter().rev().copied().collect();
        let [input, again, reversed] = [&draws, &draws, &backwards].map(|d| batch(d)[0].clone());
        assert_eq!(input, again);
        let parts: Vec<_> = input.chunks(72).collect();
        assert!(parts.iter().eq(reversed.chunks(72).collect::<Vec<_>>().iter().rev()));
        assert!((1..n).all(|i| parts[i] != parts[0]));
        for other in [Draw { seed: 2, ..draws[0] }, Draw { epoch: 3, ..draws[0] }] {
            assert_ne!(batch(&[other])[0][..72], *parts[0]);
        }
        // An empty list changes nothing.
        let mut copy = patch.clone();
        augment(&[], draws[0], &mut copy.view());
        assert_eq!(copy, patch);
    }

    #[test]
    fn settings_are_written_read_and_checked() {
        let text = serde_json::to_string(&ALL).unwrap();
        assert!(text.starts_with(r#"["flips","quarter_turns","phase",{"noise":{"most":0.2}}"#), "{text}");
        assert_eq!(serde_json::from_str::<Vec<Augmentation>>(&text).unwrap(), ALL);
        assert!(serde_json::from_str::<Augmentation>(r#"{"noise":{"most":1,"least":0}}"#).is_err());
        check(&ALL).unwrap();
        for bad in [
            Augmentation::Gains { most: 0.9 },
            Augmentation::Offsets { most: f32::INFINITY },
            Augmentation::Noise { most: -0.1 },
            Augmentation::Noise { most: f32::NAN },
        ] {
            assert!(matches!(check(&[bad]), Err(Error::Usage(e)) if e.contains("or more")));
        }
    }
}
