//! The images of a series in their order, each place with exactly one.

use super::order::{DIRECTION, FREQUENCY, Order, PHASE, SLICE};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

impl Order {
    /// The image at each place, slice fastest, then phase offset, direction, frequency.
    ///
    /// # Errors
    /// [`Error::Data`] that names the first image that is absent or there twice. `name` gives the file of an image.
    pub fn table(&self, name: impl Fn(usize) -> String) -> Result<Vec<usize>> {
        let size = self.lengths.iter().try_fold(1usize, |n, length| n.checked_mul(*length));
        // Each place needs an image, so that more places than images are a gap.
        let mut table: BTreeMap<usize, usize> = BTreeMap::new();
        let size = size.unwrap_or(usize::MAX);
        let place = |at: [usize; 4]| {
            (0..4).rev().fold(0usize, |n, axis| n.saturating_mul(self.lengths[axis]).saturating_add(at[axis]))
        };
        for (n, at) in self.at.iter().enumerate() {
            if let Some(other) = table.insert(place(*at), n) {
                return Err(Error::Data(format!(
                    "two images are {}: {} and {}; remove one of them",
                    self.describe(*at),
                    name(other),
                    name(n)
                )));
            }
        }
        if table.len() < size {
            let gap = table.keys().enumerate().find(|(n, key)| n != *key).map_or(table.len(), |(n, _)| n);
            let mut rest = gap;
            let at = self.lengths.map(|length| {
                let index = rest % length;
                rest /= length;
                index
            });
            let missing = size - table.len();
            let more =
                if missing > 1 { format!(" ({missing} images are missing in all)") } else { String::new() };
            return Err(Error::Data(format!(
                "the image of {} is missing{more}; add its file",
                self.describe(at)
            )));
        }
        Ok(table.into_values().collect())
    }

    /// The indices in words: `direction d1, phase offset t5, slice 1`.
    fn describe(&self, at: [usize; 4]) -> String {
        let names = [FREQUENCY, DIRECTION, PHASE, SLICE].map(|axis| {
            self.labels[axis].get(at[axis]).filter(|_| self.lengths[axis] > 1 || axis == SLICE).cloned()
        });
        names.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
