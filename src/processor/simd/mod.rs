//! The two inner loops of convolutions, in every instruction set: [`Strip`], the sums of some pixels over taps and
//! channels, and [`Outer`], the sums over pixels of products of two channels. Both keep a block of sums in registers.
//!
//! The functions outside of this module are safe: they check every index range before a pointer is made of it, once per
//! line of pixels and tap, which takes about a hundredth of the time.

mod chains;
mod lanes;
mod outer;
mod strip;
#[cfg(all(test, unix))]
mod tests;
mod tile;

pub(crate) use chains::chains;
pub(crate) use outer::{Outer, Side};
pub(crate) use strip::{Edge, Strip, Tap};
pub(crate) use tile::{NOWHERE, Tile, Transform};

use super::Instructions;
use super::instructions::Present;

/// A block of output channels that an inner loop computes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    /// Output channels.
    pub columns: usize,
    /// The largest number of pixels of a strip.
    pub pixels: usize,
    /// The most input channels of a block of [`Outer`].
    rows: usize,
    present: Present,
}

impl Panel {
    /// The first panel of `columns` output channels, a multiple of 4 above 0. It holds as many sums as the registers,
    /// besides the factors.
    fn new(present: Present, columns: usize) -> Self {
        let (columns, pixels, rows) = match (present.get(), columns) {
            (Instructions::Avx512, 64..) => (64, 6, 6),
            (Instructions::Avx512, 32..) => (32, 14, 12),
            (Instructions::Avx512, 16..) => (16, 16, 16),
            (Instructions::Avx2, 16..) => (16, 6, 4),
            (Instructions::Avx512 | Instructions::Avx2, 8..) => (8, 12, 8),
            (Instructions::Avx512 | Instructions::Avx2, _) => (4, 12, 8),
            (Instructions::Neon, 16..) => (16, 6, 4),
            (Instructions::Neon, 8..) => (8, 12, 8),
            (Instructions::Neon, _) => (4, 12, 8),
            (Instructions::Portable, 8..) => (8, 4, 4),
            (Instructions::Portable, _) => (4, 8, 8),
        };
        Self { columns, pixels, rows, present }
    }

    /// The input channels of the next block of [`Outer`] if `rows` remain, a multiple of 4.
    pub fn step(self, rows: usize) -> usize {
        match rows {
            // Two blocks of 8 are faster than 12 and 4.
            16 if self.rows == 12 => 8,
            8 if self.rows == 6 => 4,
            _ if rows >= self.rows => self.rows,
            8.. if self.rows > 8 => 8,
            _ => 4,
        }
    }

    /// The panels for [`Strip`] that hold `columns` output channels, a multiple of 4, with the first channel of each. A
    /// panel of 64 columns leaves room for strips of 6 pixels only, which divide few rows well.
    pub fn for_strips(present: Present, columns: usize) -> impl Iterator<Item = (usize, Self)> {
        Self::all(present, columns, 32)
    }

    /// The same for [`Outer`].
    pub fn for_outer(present: Present, columns: usize) -> impl Iterator<Item = (usize, Self)> {
        Self::all(present, columns, usize::MAX)
    }

    /// Panels of at most `widest` columns.
    fn all(present: Present, columns: usize, widest: usize) -> impl Iterator<Item = (usize, Self)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            (next + 4 <= columns).then(|| {
                let (first, panel) = (next, Self::new(present, (columns - next).min(widest)));
                next += panel.columns;
                (first, panel)
            })
        })
    }
}
