//! The mask of an image (the tissue), and the checks of the samples inside it.

use super::super::unwrap::unwrap;
use super::super::warning::{Warning, clipped_share, first_harmonic_share};
use super::{FrameLayout, WaveImage};
use crate::error::{Error, Result};
use crate::io::volume::{Samples, Volume, shape_text};
use crate::size::Size;

/// A warning is given if the first harmonic has less than this share of the temporal energy.
const FIRST_HARMONIC: f64 = 0.8;

impl WaveImage {
    /// Returns true where `slice` is not zero in every frame, `[y][x]`. Values that are not finite count as not
    /// zero.
    pub fn support(&self, slice: usize) -> Vec<bool> {
        let mut mask = vec![false; self.size.pixels()];
        for frame in 0..self.frames {
            mask.iter_mut().zip(self.frame(slice, frame)).for_each(|(m, &v)| *m |= v != 0.0);
        }
        mask
    }

    /// Returns the mask of every slice, `[slice][y · nx + x]`. It is the given mask (2-D for all slices, or
    /// 3-D), else the [support](Self::support).
    ///
    /// Sets samples that are not finite to zero outside the mask, and adds the warnings that depend on the
    /// mask. Call it only once.
    ///
    /// # Errors
    /// - [`Error::Data`] if the mask has another size than the image, or is complex, not finite or all zero.
    /// - [`Error::NotFinite`] if a sample inside the mask is not finite.
    /// - [`Error::Data`] if all samples inside the mask are zero, or if there is no wave in them.
    pub fn check_mask(&mut self, mask: Option<&Volume>) -> Result<Vec<Vec<bool>>> {
        let mut masks = match mask {
            Some(volume) => self.given_mask(volume)?,
            None => (0..self.slices).map(|slice| self.support(slice)).collect(),
        };
        self.check_finite(&masks)?;
        self.data.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
        // Checked before slices are removed from the masks, because the error message depends on it.
        let zero = masks.iter().enumerate().all(|(slice, inside)| {
            !self.support(slice).iter().zip(inside).any(|(&wave, &inside)| wave && inside)
        });
        for (slice, inside) in masks.iter_mut().enumerate() {
            if !self.moves(slice, inside) {
                inside.fill(false);
                self.warnings.push(Warning::EmptySlice { slice });
            }
        }
        if masks.iter().flatten().all(|&inside| !inside) {
            return Err(Error::Data(match (zero, mask, self.layout) {
                (true, Some(_), _) => "the image holds nothing but zeros inside the mask".into(),
                (true, None, _) => "the image holds nothing but zeros".into(),
                (false, _, FrameLayout::Phases) => {
                    "all frames are the same inside the mask: there is no wave in them".into()
                }
                (false, ..) => "the image is constant inside the mask: there is no wave in it".into(),
            }));
        }
        if self.layout == FrameLayout::Phases {
            self.check_phases(&masks);
        }
        let Size { nx, ny } = self.size;
        let edge = |i: usize| [0, nx - 1].contains(&(i % nx)) || [0, ny - 1].contains(&(i / nx));
        let touching = masks.iter().flat_map(|m| (0..m.len()).filter(|&i| m[i] && edge(i))).count();
        if touching > 0 {
            self.warnings.push(Warning::MaskTouchesBorder { pixels: touching });
        }
        Ok(masks)
    }

    fn given_mask(&self, volume: &Volume) -> Result<Vec<Vec<bool>>> {
        let Samples::Real(values) = &volume.data else {
            return Err(Error::Data(
                "the mask is complex; it must be real, zero outside and non-zero inside".into(),
            ));
        };
        let plane = self.size.pixels();
        let mut shape = volume.shape.clone();
        while shape.len() > 2 && shape.last() == Some(&1) {
            shape.pop();
        }
        let Size { nx, ny } = self.size;
        if shape != [nx, ny] && shape != [nx, ny, self.slices] {
            return Err(Error::Data(format!(
                "the mask is {}, but the image {}; give a mask of the image's size, with one slice or as many as the image",
                shape_text(&volume.shape),
                shape_text(&self.map_dims)
            )));
        }
        let bad = values.iter().filter(|v| !v.is_finite()).count();
        if bad > 0 {
            return Err(Error::Data(format!(
                "{bad} values of the mask are NaN or infinite; set them to 0 or 1"
            )));
        }
        if values.iter().all(|&v| v == 0.0) {
            return Err(Error::Data(
                "the mask is zero everywhere; it must be non-zero where the tissue is".into(),
            ));
        }
        // A single slice is repeated for all slices of the image.
        Ok(values
            .chunks(plane)
            .map(|p| p.iter().map(|&v| v != 0.0).collect())
            .cycle()
            .take(self.slices)
            .collect())
    }

    fn check_finite(&self, masks: &[Vec<bool>]) -> Result<()> {
        let plane = self.size.pixels();
        let mut bad = self.data.iter().enumerate().filter(|(i, v)| {
            let slice = i / (plane * self.frames);
            !v.is_finite() && masks[slice][i % plane]
        });
        let Some((first, _)) = bad.next() else { return Ok(()) };
        let (x, y) = (first % self.size.nx, first % plane / self.size.nx);
        let (slice, frame) = (first / (plane * self.frames), first / plane % self.frames);
        Err(Error::NotFinite { count: 1 + bad.count(), first: [x, y, slice, frame] })
    }

    /// Reports whether there is a wave inside the mask of `slice`: phases that differ between frames at some
    /// pixel, or a channel that differs between pixels.
    fn moves(&self, slice: usize, inside: &[bool]) -> bool {
        let pixels = || inside.iter().enumerate().filter(|(_, inside)| **inside).map(|(i, _)| i);
        let frames: Vec<&[f32]> = (0..self.frames).map(|frame| self.frame(slice, frame)).collect();
        match self.layout {
            FrameLayout::Phases => pixels().any(|i| frames.iter().any(|frame| frame[i] != frames[0][i])),
            FrameLayout::ReIm | FrameLayout::Complex => {
                frames.iter().any(|frame| pixels().zip(pixels().skip(1)).any(|(a, b)| frame[a] != frame[b]))
            }
        }
    }

    /// Writes back the samples that `check_phases` collected.
    fn restore(&mut self, masks: &[Vec<bool>], samples: &[f32]) {
        let mut samples = samples.iter();
        let plane = self.size.pixels();
        for (slice, mask) in masks.iter().enumerate() {
            for i in (0..plane).filter(|&i| mask[i]) {
                for frame in 0..self.frames {
                    let at = (slice * self.frames + frame) * plane + i;
                    self.data[at] = samples.next().copied().unwrap_or_default();
                }
            }
        }
    }

    fn check_phases(&mut self, masks: &[Vec<bool>]) {
        let mut samples = Vec::new();
        for (slice, mask) in masks.iter().enumerate() {
            for i in (0..mask.len()).filter(|&i| mask[i]) {
                samples.extend((0..self.frames).map(|frame| self.frame(slice, frame)[i]));
            }
        }
        let unwrapped = unwrap(&mut samples, self.frames);
        if unwrapped > 0 {
            self.restore(masks, &samples);
            self.warnings
                .push(Warning::Unwrapped { share: (unwrapped * self.frames) as f64 / samples.len() as f64 });
        }
        let share = first_harmonic_share(samples.chunks(self.frames));
        if share < FIRST_HARMONIC {
            self.warnings.push(Warning::OffFrequency { share });
        }
        let share = clipped_share(&mut samples);
        if share > 0.0 {
            self.warnings.push(Warning::ClippedPhase { share });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{N, codes, phases, read, samples, volume};
    use super::*;
    use crate::wave::warning::Code;

    fn refused(volume: &Volume, mask: Option<&Volume>) -> String {
        let e = read(volume).and_then(|mut image| image.check_mask(mask)).unwrap_err();
        assert!(matches!(e, Error::Data(_) | Error::NotFinite { .. }), "{e:?}");
        e.to_string()
    }

    #[test]
    fn data_that_hold_no_wave_are_refused() {
        let shape = [N, N, 4];
        assert!(refused(&volume(&shape, |_| 0.0), None).contains("nothing but zeros"));
        assert!(refused(&volume(&shape, |_| 7.0), None).contains("all frames are the same"));
        assert!(refused(&volume(&[N, N, 2], |i| 3.0 + i[2] as f64), None).contains("constant"));
        for (scale, exponent) in [(1e20, "e2"), (1e-30, "e-")] {
            let what = refused(&volume(&shape, |i| scale * i[2] as f64), None);
            assert!(what.contains("rescale") && what.contains(exponent), "{what}");
        }
        let mut nan = volume(&shape, |_| 0.0);
        samples(&mut nan).fill(f64::NAN);
        assert!(refused(&nan, None).contains("every sample is NaN"));
    }

    #[test]
    fn what_is_not_finite_is_refused_inside_the_mask_and_cleared_outside() {
        let mask = volume(&[N, N], |_| 1.0);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut wave = phases(&[N, N, 2, 4]);
            let at = |x: usize, y: usize, slice: usize, frame: usize| x + N * (y + N * (slice + 2 * frame));
            samples(&mut wave)[at(0, 5, 1, 2)] = bad;
            let mut image = read(&wave).unwrap();
            image.check_mask(Some(&mask)).unwrap();
            assert!(image.data.iter().all(|v| v.is_finite()));
            // Without a mask, the value counts as not zero and is therefore inside.
            assert!(refused(&wave, None).contains("x 0, y 5, slice 1, frame 2"));
            samples(&mut wave)[at(3, 4, 0, 3)] = bad;
            samples(&mut wave)[at(3, 4, 1, 0)] = bad;
            let what = refused(&wave, Some(&mask));
            assert!(what.contains("2 samples") && what.contains("x 3, y 4, slice 0, frame 3"), "{what}");
        }
    }

    #[test]
    fn masks_are_checked() {
        let wave = phases(&[N, N, 3, 4]);
        let masks = |mask: Option<&Volume>| read(&wave).unwrap().check_mask(mask).unwrap();
        let inside = |m: &[bool]| m.iter().filter(|&&m| m).count();
        assert!(masks(None).iter().all(|m| inside(m) == (N - 2) * (N - 2)));
        let half = |i: &[usize]| f64::from(i[0] < N / 2);
        assert!(masks(Some(&volume(&[N, N], half))).iter().all(|m| inside(m) == (N / 2 - 1) * (N - 2)));
        let stack = volume(&[N, N, 3, 1], |i| if i[2] == 1 { 0.0 } else { -2.0 });
        let counts: Vec<_> = masks(Some(&stack)).iter().map(|m| inside(m)).collect();
        assert_eq!(counts, [324, 0, 324]);

        let other = refused(&wave, Some(&volume(&[N, N + 1], |_| 1.0)));
        assert!(other.contains("20 × 21") && other.contains("20 × 20 × 3"), "{other}");
        assert!(refused(&wave, Some(&volume(&[N, N, 2], |_| 1.0))).contains("20 × 20 × 2"));
        assert!(refused(&wave, Some(&volume(&[N, N], |_| 0.0))).contains("zero everywhere"));
        assert!(refused(&wave, Some(&volume(&[N, N], |_| f64::NAN))).contains("NaN"));
        let mut border = volume(&[N, N], |_| 0.0);
        samples(&mut border)[0] = 1.0;
        assert!(refused(&wave, Some(&border)).contains("zeros inside the mask"));
    }

    #[test]
    fn doubts_are_told() {
        let told = |volume: &Volume, mask: Option<&Volume>| {
            let mut image = read(volume).unwrap();
            image.check_mask(mask).unwrap();
            codes(&image)
        };
        let mut wave = phases(&[N, N, 3, 8]);
        assert_eq!(told(&wave, None), []);
        let mut whole = volume(&[N, N], |_| 1.0);
        samples(&mut whole).fill(1.0);
        let mut filled = wave.clone();
        samples(&mut filled).iter_mut().enumerate().for_each(|(i, v)| *v += (i / (3 * N * N)) as f64);
        assert!(told(&filled, Some(&whole)).contains(&Code::MaskTouchesBorder));
        samples(&mut wave).iter_mut().for_each(|v| *v = v.min(2700.0));
        assert_eq!(told(&wave, None), [Code::ClippedPhase]);
        let twice = volume(&[N, N, 8], |i| (i[0] as f64 + std::f64::consts::PI * i[2] as f64 / 2.0).sin());
        assert_eq!(told(&twice, None), [Code::OffFrequency]);
        // The second of three slices is zero, or constant.
        for still in [0.0, 100.0] {
            let gap = volume(&[N, N, 3, 4], |i| if i[2] == 1 { still } else { ((i[0] + i[3]) as f64).sin() });
            assert!(told(&gap, None).contains(&Code::EmptySlice));
            let mut image = read(&gap).unwrap();
            let masks = image.check_mask(None).unwrap();
            assert_eq!([0, 1, 2].map(|slice| masks[slice].contains(&true)), [true, false, true]);
        }
        let constant = volume(&[N, N, 2, 2], |i| if i[2] == 1 { 7.0 } else { i[0] as f64 });
        assert!(told(&constant, None).contains(&Code::EmptySlice));
        assert_eq!(told(&volume(&[N, N, 2], |i| i[0] as f64), None), [Code::LostZero]);
    }
}
