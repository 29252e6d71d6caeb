//! Surroundings: coarser views of the image around a patch.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The most views of the surroundings.
const MOST: usize = 8;
/// The coarsest view, in pixels of a patch.
const COARSEST: usize = 31;

/// The coarser views that a network has of a patch's surroundings.
///
/// A view has as many pixels as the patch, around the same centre. Each is the mean over s × s pixels of the patch's grid,
/// of those inside the object, where at least [`LEAST_COVER`](crate::patches::LEAST_COVER) of them are; else it
/// is 0. A list of 3 and 7 gives a patch of 30 mm views of 90 and 210 mm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Surroundings(Vec<usize>);

impl Surroundings {
    /// Views whose pixels are `scales` pixels of the patch wide and high.
    ///
    /// # Errors
    /// See [`Surroundings::check`].
    pub fn new(scales: Vec<usize>) -> Result<Self> {
        let surroundings = Self(scales);
        surroundings.check().map(|()| surroundings)
    }

    /// Checks the scales, which may come from a file.
    ///
    /// # Errors
    /// [`Error::Setting`] for more than 8 views, or a scale that is even or not from 3 to 31. The pixels of an even scale
    /// would lie between those of the patch.
    pub fn check(&self) -> Result<()> {
        let fits = |scale: &usize| (3..=COARSEST).contains(scale) && scale % 2 == 1;
        if self.0.len() > MOST || !self.0.iter().all(fits) {
            let allowed = format!("give at most {MOST} odd numbers from 3 to {COARSEST}, such as 3,7");
            return Err(Error::setting("surroundings", self, allowed));
        }
        Ok(())
    }

    /// The sides of a pixel of each view, in pixels of a patch.
    pub fn scales(&self) -> &[usize] {
        &self.0
    }

    /// Reports whether the network sees the patch alone.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.0.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
    }
}

impl std::str::FromStr for Surroundings {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split(',').map(|number| number.trim().parse().ok());
        let scales =
            numbers.collect::<Option<Vec<usize>>>().ok_or("whole numbers are needed, such as 3,7")?;
        Self::new(scales).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_checked() {
        let surroundings = Surroundings::new(vec![3, 7]).unwrap();
        assert_eq!(surroundings.to_string(), "3,7");
        assert_eq!("3, 7".parse(), Ok(surroundings));
        for bad in ["", "3,", "2", "1", "33", "3,x", "3,3,3,3,3,3,3,3,3"] {
            assert!(bad.parse::<Surroundings>().is_err(), "{bad}");
        }
    }
}
