//! The size of an image.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The columns and rows of an image, in pixels. Images lie in memory row by row: x varies fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns: the number of pixels along x.
    pub nx: usize,
    /// Rows: the number of pixels along y.
    pub ny: usize,
}

impl Size {
    /// The size of `nx` columns and `ny` rows.
    pub const fn new(nx: usize, ny: usize) -> Self {
        Self { nx, ny }
    }

    /// The size of a square with `side` columns and rows.
    pub const fn square(side: usize) -> Self {
        Self::new(side, side)
    }

    /// The number of pixels.
    pub const fn pixels(self) -> usize {
        self.nx * self.ny
    }

    /// The numbers of pixels along x and along y, for work that treats both axes alike.
    pub const fn axes(self) -> [usize; 2] {
        [self.nx, self.ny]
    }
}

impl std::fmt::Display for Size {
    /// Writes `nx × ny`.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} × {}", self.nx, self.ny)
    }
}

/// The form `[rows, columns]` of a size in files: with this module, serde reads and writes the order that checkpoints
/// and tables of forms have.
pub(crate) mod rows_first {
    use super::*;

    pub fn serialize<S: Serializer>(size: &Size, serializer: S) -> Result<S::Ok, S::Error> {
        [size.ny, size.nx].serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        let [ny, nx] = Deserialize::deserialize(deserializer)?;
        Ok(Size::new(nx, ny))
    }
}
