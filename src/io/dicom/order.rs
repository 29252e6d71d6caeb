//! Which slice, phase offset, direction and frequency an image is.

use super::DicomOptions;
use super::scan::Image;
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// The indices of the images of a series along slice, phase offset, direction and frequency.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// For each image, its indices.
    pub at: Vec<[usize; 4]>,
    /// Lengths of these axes.
    pub lengths: [usize; 4],
    /// For each axis, what its indices are called in messages.
    pub labels: [Vec<String>; 4],
    pub directions: Vec<String>,
    pub frequencies_hz: Vec<f64>,
    pub notes: Vec<String>,
}

pub(super) const SLICE: usize = 0;
pub(super) const PHASE: usize = 1;
pub(super) const DIRECTION: usize = 2;
pub(super) const FREQUENCY: usize = 3;

impl Order {
    /// The order of `images`, whose slices are known.
    ///
    /// # Errors
    /// [`Error::UnknownOrder`] if the files do not say it, [`Error::Data`] if they contradict themselves, [`Error::Usage`]
    /// if they contradict `options`.
    pub fn of(images: &[&Image], slices: &[usize], options: &DicomOptions) -> Result<Self> {
        let mut order =
            Self { at: slices.iter().map(|&slice| [slice, 0, 0, 0]).collect(), ..Self::default() };
        order.count_slices(slices);
        let indexed = images.iter().filter(|image| image.comment.is_index()).count();
        if indexed > 0 {
            if indexed < images.len() {
                return Err(Error::Data(format!(
                    "{indexed} of {} images have a comment that says which phase offset they are, the others have \
                     none; put images of one kind into a folder of their own",
                    images.len()
                )));
            }
            order.by_comments(images)?;
        } else {
            order.by_time(images, options)?;
        }
        order.set_period(images, options)?;
        order.agree(options)?;
        Ok(order)
    }

    fn count_slices(&mut self, slices: &[usize]) {
        let count = slices.iter().max().map_or(0, |last| last + 1);
        self.lengths = [count, 1, 1, 1];
        self.labels[SLICE] = (1..=count).map(|n| format!("slice {n}")).collect();
    }

    /// Sets the indices along an axis from a number of each image: the rank of the number.
    fn rank(&mut self, axis: usize, numbers: &[i64], name: impl Fn(i64) -> String) {
        let mut distinct = numbers.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        for (at, number) in self.at.iter_mut().zip(numbers) {
            at[axis] = distinct.partition_point(|other| other < number);
        }
        self.lengths[axis] = distinct.len();
        self.labels[axis] = distinct.into_iter().map(name).collect();
    }

    /// The order as Siemens research sequences write it into comments.
    fn by_comments(&mut self, images: &[&Image]) -> Result<()> {
        let turned = |image: &Image| [image.comment.azimuth, image.comment.polar];
        let temporal: Option<Vec<i64>> = images.iter().map(|image| image.temporal).collect();
        match temporal {
            Some(numbers) if images.iter().all(|image| image.comment.time.is_none()) => {
                self.rank(PHASE, &numbers, |n| format!("phase offset {n}"));
                without_gaps(&numbers, "phase offset ")?;
            }
            _ => self.rank_checked(PHASE, images, "t", |image| image.comment.time)?,
        }
        self.rank_checked(FREQUENCY, images, "f", |image| image.comment.frequency)?;
        if images.iter().any(|image| image.comment.direction.is_some()) {
            self.rank_checked(DIRECTION, images, "d", |image| image.comment.direction)?;
        } else {
            // Without a number of its direction, an image has its angles.
            let mut ways: Vec<[Option<f64>; 2]> = images.iter().map(|image| turned(image)).collect();
            ways.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            ways.dedup();
            let rank =
                |image: &&Image| ways.iter().position(|way| *way == turned(image)).map_or(0, |n| n as i64);
            let numbers: Vec<i64> = images.iter().map(rank).collect();
            self.rank(DIRECTION, &numbers, |n| angles(ways[n as usize]).unwrap_or_default());
        }
        let mut names: Vec<Option<[Option<f64>; 2]>> = vec![None; self.lengths[DIRECTION]];
        for (image, at) in images.iter().zip(&self.at) {
            let name = &mut names[at[DIRECTION]];
            if name.is_some_and(|name| name != turned(image)) {
                return Err(Error::Data(format!(
                    "the comments give {} two different angles; put each measurement into a folder of its own",
                    self.labels[DIRECTION][at[DIRECTION]]
                )));
            }
            *name = Some(turned(image));
        }
        let label = |n: usize| names[n].and_then(angles).unwrap_or_else(|| self.labels[DIRECTION][n].clone());
        if names.len() > 1 || names.iter().flatten().any(|way| angles(*way).is_some()) {
            self.directions = (0..names.len()).map(label).collect();
        }
        Ok(())
    }

    /// [`Order::rank`] of indices that must be there for all images or for none, and without gaps from 0 or 1 on.
    fn rank_checked(
        &mut self,
        axis: usize,
        images: &[&Image],
        letter: &str,
        of: impl Fn(&Image) -> Option<i64>,
    ) -> Result<()> {
        let numbers: Vec<i64> = images.iter().filter_map(|image| of(image)).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        if numbers.len() < images.len() {
            return Err(Error::Data(format!(
                "{} of {} images have no index {letter} in their comments",
                images.len() - numbers.len(),
                images.len()
            )));
        }
        let what = ["slice", "phase offset", "direction", "frequency"][axis];
        self.rank(axis, &numbers, |n| format!("{what} {letter}{n}"));
        without_gaps(&numbers, &format!("{what} {letter}"))
    }

    /// The order by index or time of the phase offset, else by the numbers of the images as `options` states it.
    fn by_time(&mut self, images: &[&Image], options: &DicomOptions) -> Result<()> {
        let temporal: Option<Vec<i64>> = images.iter().map(|image| image.temporal).collect();
        let triggered: Option<Vec<i64>> =
            images.iter().map(|image| image.trigger_ms.map(|ms| (ms * 1e3).round() as i64)).collect();
        let differ = |numbers: &Vec<i64>| numbers.iter().any(|n| *n != numbers[0]);
        if let Some(numbers) = temporal.filter(differ) {
            self.rank(PHASE, &numbers, |n| format!("phase offset {n}"));
            without_gaps(&numbers, "phase offset ")?;
            if let Some(offsets) = options.offsets
                && offsets > 0
                && self.lengths[PHASE] > offsets
                && self.lengths[PHASE].is_multiple_of(offsets)
            {
                let directions = self.lengths[PHASE] / offsets;
                for at in &mut self.at {
                    [at[PHASE], at[DIRECTION]] = [at[PHASE] % offsets, at[PHASE] / offsets];
                }
                self.number(offsets, directions);
                self.notes.push(format!(
                    "the {} temporal positions were taken as {directions} directions of {offsets} phase offsets, the \
                     phase offset faster",
                    offsets * directions
                ));
                return Ok(());
            }
        } else if let Some(numbers) = triggered.filter(differ) {
            self.rank(PHASE, &numbers, |us| format!("trigger time {} ms", us as f64 / 1e3));
            if self.group_sizes().len() == 1 {
                self.notes.push("the phase offsets are in the order of their trigger times".into());
            } else {
                // Times that differ from slice to slice do not tell the phase offsets.
                self.at.iter_mut().for_each(|at| at[PHASE] = 0);
                (self.lengths[PHASE], self.labels[PHASE]) = (1, Vec::new());
            }
        }
        let others: BTreeMap<&[i64], i64> = images.iter().map(|image| (&image.others[..], 0)).collect();
        if others.len() > 1 {
            let keys: Vec<&[i64]> = others.into_keys().collect();
            let rank =
                |image: &&Image| keys.iter().position(|key| *key == image.others).map_or(0, |n| n as i64);
            let numbers: Vec<i64> = images.iter().map(rank).collect();
            self.rank(DIRECTION, &numbers, |n| format!("direction {}", n + 1));
        }
        self.by_instance(images, options)
    }

    /// The numbers of images with the same indices that occur.
    fn group_sizes(&self) -> Vec<usize> {
        let mut counts = BTreeMap::<[usize; 4], usize>::new();
        self.at.iter().for_each(|at| *counts.entry(*at).or_default() += 1);
        let mut sizes: Vec<usize> = counts.values().copied().collect();
        // An absent group counts as one of no images.
        if counts.len() < self.lengths.iter().product() {
            sizes.push(0);
        }
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Names the indices of phase offsets and directions by their numbers.
    fn number(&mut self, offsets: usize, directions: usize) {
        (self.lengths[PHASE], self.lengths[DIRECTION]) = (offsets, directions);
        self.labels[PHASE] = (1..=offsets).map(|n| format!("phase offset {n}")).collect();
        self.labels[DIRECTION] = (1..=directions).map(|n| format!("direction {n}")).collect();
    }

    /// Tells images with the same indices apart by their numbers, if `options` says what they are.
    fn by_instance(&mut self, images: &[&Image], options: &DicomOptions) -> Result<()> {
        let sizes = self.group_sizes();
        let unknown = |found: String| Err(Error::UnknownOrder { found });
        let (slices, phases) = (self.lengths[SLICE], self.lengths[PHASE]);
        let known = if phases > 1 { format!(" and {phases} phase offsets") } else { String::new() };
        let counted = format!(
            "the series has {} images of {slices} slice{}{known}, and does not say ",
            images.len(),
            if slices == 1 { "" } else { "s" }
        );
        let each = match sizes[..] {
            [1] => return Ok(()),
            [each] => each,
            // What is absent or twice there is found when the images are put in place.
            [0, 1] => return Ok(()),
            _ if phases > 1 || self.lengths[DIRECTION] > 1 => return Ok(()),
            _ => {
                return Err(Error::Data(format!(
                    "its slices have different numbers of images, from {} to {}; add the missing files",
                    sizes[0],
                    sizes[sizes.len() - 1]
                )));
            }
        };
        let named = options.directions.as_ref().map(Vec::len);
        let (offsets, directions) = if phases > 1 {
            if self.lengths[DIRECTION] > 1 || (named.is_none() && options.offsets.is_none()) {
                return unknown(format!(
                    "{counted}which of {each} images of a phase offset is which direction"
                ));
            }
            (phases, each)
        } else {
            match (options.offsets, named) {
                (None, None) => {
                    return unknown(format!("{counted}which phase offset and direction each image is"));
                }
                (Some(offsets), _) if offsets > 0 && each.is_multiple_of(offsets) => {
                    (offsets, each / offsets)
                }
                (None, Some(named)) if named > 0 && each.is_multiple_of(named) => (each / named, named),
                _ => {
                    return Err(Error::Usage(format!(
                        "{each} images of a slice are not {}",
                        match (options.offsets, named) {
                            (Some(offsets), Some(named)) =>
                                format!("{offsets} phase offsets of {named} directions"),
                            (Some(offsets), None) =>
                                format!("{offsets} phase offsets of any number of directions"),
                            (_, named) => format!("{} directions", named.unwrap_or(0)),
                        }
                    )));
                }
            }
        };
        let key = |n: usize| (self.at[n], images[n].instance, images[n].frame);
        let mut sorted: Vec<usize> = (0..images.len()).collect();
        sorted.sort_by_key(|&n| key(n));
        let twice = sorted.windows(2).any(|pair| key(pair[0]) == key(pair[1]));
        if twice || images.iter().any(|image| image.instance.is_none()) {
            return Err(Error::Data(
                "its images have no instance numbers, or the same number twice, so that their order is unknown; \
                 export the series again"
                    .into(),
            ));
        }
        for (rank, n) in sorted.into_iter().enumerate() {
            let rank = rank % each;
            if phases > 1 {
                self.at[n][DIRECTION] = rank;
            } else {
                [self.at[n][PHASE], self.at[n][DIRECTION]] = [rank % offsets, rank / offsets];
            }
        }
        if phases > 1 {
            self.lengths[DIRECTION] = directions;
            self.labels[DIRECTION] = (1..=directions).map(|n| format!("direction {n}")).collect();
            self.notes
                .push("the directions of a phase offset are in the order of their instance numbers".into());
        } else {
            self.number(offsets, directions);
            self.notes.push(format!(
                "the images of a slice were taken as {directions} direction{} of {offsets} phase offsets, in the order \
                 of their instance numbers, the phase offset faster",
                if directions == 1 { "" } else { "s" }
            ));
        }
        Ok(())
    }

    /// The frequencies, by the periods that the comments or `options` state.
    fn set_period(&mut self, images: &[&Image], options: &DicomOptions) -> Result<()> {
        let mut periods: Vec<Option<f64>> = vec![None; self.lengths[FREQUENCY]];
        for (image, at) in images.iter().zip(&self.at) {
            let Some(us) = image.comment.period_us else { continue };
            let period = periods[at[FREQUENCY]].get_or_insert(us);
            if (*period - us).abs() > 1e-6 * us {
                return Err(Error::Data(format!(
                    "the comments of images of one frequency state vibration periods of {period} µs and {us} µs; put \
                     each frequency into a folder of its own"
                )));
            }
        }
        if let Some(us) = options.period_us {
            if !(us > 0.0 && us.is_finite()) {
                return Err(Error::setting("period_us", us, "it must be a number above 0"));
            }
            if periods.len() > 1 {
                return Err(Error::Usage(format!(
                    "the files hold {} frequencies, so that one vibration period cannot be stated",
                    periods.len()
                )));
            }
            let own = periods[0].get_or_insert(us);
            if (*own - us).abs() > 1e-3 * us {
                return Err(Error::Usage(format!(
                    "the files state a vibration period of {own} µs, not {us} µs"
                )));
            }
        }
        let known: Option<Vec<f64>> = periods.into_iter().collect();
        self.frequencies_hz = known.unwrap_or_default().into_iter().map(|us| 1e6 / us).collect();
        Ok(())
    }

    /// Compares the files with `options`, which names the directions.
    fn agree(&mut self, options: &DicomOptions) -> Result<()> {
        let [_, phases, directions, _] = self.lengths;
        if let Some(offsets) = options.offsets
            && offsets != phases
        {
            return Err(Error::Usage(format!("the files hold {phases} phase offsets, not {offsets}")));
        }
        if let Some(names) = &options.directions {
            if names.len() != directions {
                return Err(Error::Usage(format!(
                    "the files hold {directions} direction{}, but {} are named",
                    if directions == 1 { "" } else { "s" },
                    names.len()
                )));
            }
            self.directions = names.clone();
        }
        Ok(())
    }
}

/// The name of a direction by its azimuth and polar angle.
fn angles(way: [Option<f64>; 2]) -> Option<String> {
    match way {
        [Some(azimuth), Some(polar)] => Some(format!("az{azimuth} po{polar}")),
        [Some(azimuth), None] => Some(format!("az{azimuth}")),
        [None, Some(polar)] => Some(format!("po{polar}")),
        _ => None,
    }
}

/// Checks that indices count from 0 or 1 without gaps.
fn without_gaps(numbers: &[i64], name: &str) -> Result<()> {
    let mut distinct = numbers.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let first = distinct[0].min(1);
    if first < 0 {
        return Err(Error::Data(format!("the files hold {name}{first}, but indices count from 0 or 1")));
    }
    let gap = distinct.iter().zip(first..).find(|(number, expected)| *number != expected);
    match gap {
        Some((_, missing)) => Err(Error::Data(format!(
            "{name}{missing} is missing in all slices, though there is {name}{}; add its files",
            distinct[distinct.len() - 1]
        ))),
        None => Ok(()),
    }
}
