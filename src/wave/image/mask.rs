//! The mask of an image (the tissue), and the checks of the samples inside it.

use super::super::warning::Warning;
use super::{FrameLayout, WaveImage};
use crate::error::{Error, Result};
use crate::io::place::Reordering;
use crate::io::volume::{Samples, Volume, shape_text};
use crate::size::Size;
use crate::wave::note::Note;

/// Values of a mask above this are inside.
const INSIDE: f64 = 0.5;
/// The most that a share of tissue can be after resampling.
const MOST_SHARE: f64 = 2.0;
/// The most regions of one image.
const MOST_LABELS: usize = 1000;
/// At most this many labels of a mask are listed.
const LABELS: usize = 8;

impl WaveImage {
    /// Returns true where `slice` is not zero in every frame, `[y][x]`. Values that are not finite count as not zero,
    /// unless all frames are NaN.
    fn support(&self, slice: usize) -> Vec<bool> {
        let [mut moved, mut known] = [vec![false; self.size.pixels()], vec![false; self.size.pixels()]];
        for frequency in 0..self.frequencies_hz.len() {
            for values in self.slice(frequency, slice).chunks_exact(self.size.pixels()) {
                for (i, &v) in values.iter().enumerate() {
                    moved[i] |= v != 0.0;
                    known[i] |= !v.is_nan();
                }
            }
        }
        moved.into_iter().zip(known).map(|(moved, known)| moved && known).collect()
    }

    /// Sets the mask of every slice. It is the given mask (2-D for all slices, or 3-D), else the support.
    ///
    /// Sets samples that are not finite to zero outside the mask, and adds the warnings that depend on the mask.
    pub(super) fn set_mask(&mut self, mask: Option<&Volume>, label: Option<f64>) -> Result<()> {
        let support: Vec<Vec<bool>> = (0..self.slices).map(|slice| self.support(slice)).collect();
        let mut masks = match mask {
            Some(volume) => self.given_mask(volume, label)?,
            None => {
                let lost =
                    |slice: usize| self.slice(0, slice)[..self.size.pixels()].iter().any(|v| v.is_nan());
                if (0..self.slices).any(lost) {
                    self.notes.push(Note::NanOutside);
                }
                support.clone()
            }
        };
        self.check_finite(&masks)?;
        self.data.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
        // Checked before slices are removed from the masks, because the error message depends on it.
        let zero =
            !support.iter().flatten().zip(masks.iter().flatten()).any(|(&wave, &inside)| wave && inside);
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
        self.masks = masks;
        Ok(())
    }

    /// The regions of an image of labels, `[slice][y][x]` for each label above 0 in ascending order. The labels are laid on
    /// this image as a mask is.
    ///
    /// # Errors
    /// [`Error::Data`] if the labels do not fit the image, are complex, are not whole numbers, or are more than 1000.
    pub fn labels(&self, volume: &Volume) -> Result<Vec<(f64, Vec<bool>)>> {
        let mut values = self.laid_on(volume)?.0;
        // A probability has one region.
        if values.iter().all(|v| v.is_nan() || (0.0..=1.0).contains(v)) {
            values.iter_mut().for_each(|v| *v = f64::from(*v > INSIDE));
        }
        let mut labels: Vec<f64> = Vec::new();
        for &v in values.iter().filter(|v| **v > 0.0) {
            if let Err(at) = labels.binary_search_by(|label| label.total_cmp(&v)) {
                labels.insert(at, v);
            }
            if v.fract() != 0.0 || labels.len() > MOST_LABELS {
                return Err(Error::Data(format!(
                    "the regions must be whole numbers, {MOST_LABELS} at most; this image holds {v}"
                )));
            }
        }
        if labels.is_empty() {
            return Err(Error::Data(
                "the regions are zero everywhere; each needs a whole number above 0".into(),
            ));
        }
        Ok(labels.into_iter().map(|label| (label, values.iter().map(|v| *v == label).collect())).collect())
    }

    /// Takes the magnitude of the MR signal from an image of its own, which is laid on this image as a mask is.
    ///
    /// # Errors
    /// [`Error::Data`] if it does not fit this image, or is complex.
    pub fn set_magnitude(&mut self, volume: &Volume) -> Result<()> {
        let (values, _) = self.laid_on(volume)?;
        self.magnitude = Some(values.iter().map(|v| *v as f32).collect());
        Ok(())
    }

    fn given_mask(&mut self, volume: &Volume, label: Option<f64>) -> Result<Vec<Vec<bool>>> {
        let (values, note) = self.laid_on(volume)?;
        self.notes.extend(note);
        Ok(self.inside(&values, label)?.chunks(self.size.pixels()).map(<[bool]>::to_vec).collect())
    }

    /// The values of a mask in the order of this image, for all slices, and what is to be said of that.
    fn laid_on(&self, volume: &Volume) -> Result<(Vec<f64>, Option<Note>)> {
        let Samples::Real(values) = &volume.data else {
            return Err(Error::Data(
                "the mask is complex; it must be real, zero outside and non-zero inside".into(),
            ));
        };
        let bad = values.iter().filter(|v| !v.is_finite()).count();
        if bad > 0 {
            return Err(Error::Data(format!(
                "{bad} values of the mask are NaN or infinite; set them to 0 or 1"
            )));
        }
        let plane = self.size.pixels();
        let mut shape = volume.shape.clone();
        while shape.len() > 2 && shape.last() == Some(&1) {
            shape.pop();
        }
        let Size { nx, ny } = self.size;
        let misfit = || {
            Error::Data(format!(
                "the mask is {}, but the image {}; give a mask of the image's size, with one slice or as many as the image",
                shape_text(&volume.shape),
                shape_text(&self.map_dims)
            ))
        };
        let three = match shape[..] {
            [x, y] => [x, y, 1],
            [x, y, z] => [x, y, z],
            _ => return Err(misfit()),
        };
        let mut values = values.clone();
        let mut note = None;
        let three = match (&volume.geometry.affine, &self.geometry.affine) {
            (Some(own), Some(image)) => {
                let found = Reordering::between((own, three), (image, [nx, ny, self.slices]), true)
                    .map_err(|apart| Error::Data(format!("the mask does not lie on the image: {apart}")))?;
                if found != Reordering::NONE {
                    values = found.apply(&values, three);
                    note = Some(Note::MaskReordered);
                }
                found.axes.map(|axis| three[axis])
            }
            (None, None) => three,
            _ => {
                note = Some(Note::MaskUnplaced);
                three
            }
        };
        if three[..2] != [nx, ny] || ![1, self.slices].contains(&three[2]) {
            return Err(misfit());
        }
        // A single slice is repeated for all slices of the image.
        let all = plane * self.slices;
        Ok((values.iter().copied().cycle().take(all).collect(), note))
    }

    /// Which values of a mask are inside.
    fn inside(&mut self, values: &[f64], label: Option<f64>) -> Result<Vec<bool>> {
        // What is above 0, up to one value more than can be listed.
        let mut labels: Vec<f64> = Vec::new();
        for &v in values.iter().filter(|v| **v > 0.0) {
            if labels.len() <= LABELS && !labels.contains(&v) {
                labels.push(v);
            }
        }
        labels.sort_by(f64::total_cmp);
        let list: Vec<String> = labels.iter().take(LABELS).map(f64::to_string).collect();
        let list = if labels.len() > LABELS { format!("{}, …", list.join(", ")) } else { list.join(", ") };
        if let Some(label) = label {
            let inside: Vec<bool> = values.iter().map(|v| *v == label).collect();
            if inside.contains(&true) {
                return Ok(inside);
            }
            return Err(Error::setting("label", label, format!("the mask has no such value, only {list}")));
        }
        let inside: Vec<bool> = values.iter().map(|&v| v > INSIDE).collect();
        if values.iter().all(|&v| v == 0.0) {
            return Err(Error::Data(
                "the mask is zero everywhere; it must be non-zero where the tissue is".into(),
            ));
        }
        if !inside.contains(&true) {
            return Err(Error::Data(format!("the mask is nowhere above {INSIDE}, which counts as inside")));
        }
        let greatest = values.iter().copied().fold(0.0, f64::max);
        let whole = labels.iter().all(|v| v.fract() == 0.0);
        match labels.len() {
            1 if labels[0] > INSIDE => {}
            2..=LABELS if whole => {
                self.warnings.push(Warning::MaskLabels { labels: [labels[0], greatest] });
            }
            // Resampling overshoots by a fifth. What goes far beyond 1 is no share of tissue.
            _ if greatest > MOST_SHARE => {
                return Err(Error::Data(format!(
                    "the mask is neither 0 and 1, nor a share of tissue from 0 to 1, nor a few labels: its values are \
                     {list}, and go to {greatest}; name the label of the tissue, or divide percent by 100"
                )));
            }
            _ => {
                let outside = values.iter().filter(|v| **v > 0.0 && **v <= INSIDE).count();
                let inside = inside.iter().filter(|m| **m).count();
                self.warnings.push(Warning::SoftMask { outside, inside });
            }
        }
        Ok(inside)
    }

    fn check_finite(&self, masks: &[Vec<bool>]) -> Result<()> {
        let plane = self.size.pixels();
        let per_slice = plane * self.frames * self.directions;
        let mut bad = self
            .data
            .iter()
            .enumerate()
            .filter(|(i, v)| !v.is_finite() && masks[i / per_slice % self.slices][i % plane]);
        let Some((first, _)) = bad.next() else { return Ok(()) };
        let (x, y) = (first % self.size.nx, first % plane / self.size.nx);
        let (slice, frame) = (first / per_slice % self.slices, first % per_slice / (plane * self.directions));
        Err(Error::NotFinite { count: 1 + bad.count(), first: [x, y, slice, frame] })
    }

    /// Reports whether there is a wave inside the mask of `slice`: phases that differ between frames at some
    /// pixel, or a channel that differs between pixels.
    fn moves(&self, slice: usize, inside: &[bool]) -> bool {
        let pixels = || inside.iter().enumerate().filter(|(_, inside)| **inside).map(|(i, _)| i);
        let each = (0..self.frequencies_hz.len()).flat_map(|f| (0..self.directions).map(move |d| (f, d)));
        each.into_iter().any(|(f, d)| {
            let frames: Vec<&[f32]> =
                (0..self.frames).map(|frame| self.frame([f, slice, frame, d])).collect();
            match self.layout {
                FrameLayout::Phases => pixels().any(|i| frames.iter().any(|frame| frame[i] != frames[0][i])),
                FrameLayout::ReIm | FrameLayout::Complex => frames
                    .iter()
                    .any(|frame| pixels().zip(pixels().skip(1)).any(|(a, b)| frame[a] != frame[b])),
            }
        })
    }
}
