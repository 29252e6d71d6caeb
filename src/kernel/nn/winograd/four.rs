//! The layout of Winograd's F(4 × 4, 3 × 3) on the processor: its tiles, and where a thread keeps their products. The
//! transforms are `processor::Transform`.

use crate::processor::NOWHERE;

/// Rows and columns of pixels in a tile of the result.
pub(crate) const TILE: usize = 4;
/// Rows and columns of products in a tile.
const SIDE: usize = 6;
/// Products of a tile.
pub(crate) const PRODUCTS: usize = SIDE * SIDE;

/// The tiles of an image of `[h, w]` pixels.
pub(crate) fn tiles([h, w]: [usize; 2]) -> usize {
    h.div_ceil(TILE) * w.div_ceil(TILE)
}

/// Reports whether tiles are worth their transforms: they save a third of the products at least, although plain sums
/// leave out the taps outside of the image, and there are channels enough (`docs/measurements.md`).
pub(crate) fn pay([h, w]: [usize; 2], [ci, co]: [usize; 2]) -> bool {
    let inside = (3 * h).saturating_sub(2) * (3 * w).saturating_sub(2);
    2 * inside > 3 * PRODUCTS * tiles([h, w]) && ci * co >= 12 * (ci + co)
}

/// The places of pixels, or of products, of a tile.
pub(crate) type Places = [usize; PRODUCTS];

/// The pixels of the source that tile `tile` of an image of `[h, w]` pixels needs, one before and one behind along each
/// axis included: `at` of their numbers in the image, or [`NOWHERE`].
#[inline(always)]
pub(crate) fn source(size: [usize; 2], tile: usize, at: impl Fn(usize) -> usize) -> Places {
    pixels(size, tile, SIDE, at)
}

/// The same for the pixels of the result, of which there are `TILE * TILE`.
#[inline(always)]
pub(crate) fn result(size: [usize; 2], tile: usize, at: impl Fn(usize) -> usize) -> [usize; TILE * TILE] {
    pixels(size, tile, TILE, at)
}

#[inline(always)]
fn pixels<const N: usize>(
    [h, w]: [usize; 2],
    tile: usize,
    side: usize,
    at: impl Fn(usize) -> usize,
) -> [usize; N] {
    let (across, before) = (w.div_ceil(TILE), (side - TILE) / 2);
    let mut places = [NOWHERE; N];
    for y in 0..side {
        let row = (tile / across * TILE + y).wrapping_sub(before);
        for x in 0..side {
            let column = (tile % across * TILE + x).wrapping_sub(before);
            if row < h && column < w {
                places[side * y + x] = at(row * w + column);
            }
        }
    }
    places
}

/// The layout of the factors or the products that a thread keeps of a group of tiles. Number z of tile k begins at
/// `z * plane + k * row`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    /// From one tile to the next.
    pub row: usize,
    /// From one number to the next.
    pub plane: usize,
}

impl Planes {
    /// For `c` channels of `group` tiles. Few of the distances are multiples of 4096 bytes: values at such distances
    /// share the few places of one set of the first-level cache.
    pub const fn new(c: usize, group: usize) -> Self {
        let row = if c.is_multiple_of(256) { c + 16 } else { c };
        Self { row, plane: group * row + 16 }
    }

    /// The values of all numbers.
    pub const fn size(self) -> usize {
        PRODUCTS * self.plane
    }

    /// The places of the numbers of tile `k`.
    #[inline(always)]
    pub fn places(self, k: usize) -> Places {
        let mut places = [0; PRODUCTS];
        for (z, place) in places.iter_mut().enumerate() {
            *place = z * self.plane + k * self.row;
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_each_pixel_once() {
        for size in [[1, 1], [4, 4], [5, 3], [7, 9], [30, 30]] {
            let mut covered = vec![0; size[0] * size[1]];
            for tile in 0..tiles(size) {
                let places = result(size, tile, |pixel| pixel);
                places.into_iter().filter(|&at| at != NOWHERE).for_each(|at| covered[at] += 1);
                // The source of a tile holds its own pixels in the middle.
                let source = source(size, tile, |pixel| pixel);
                for (i, at) in places.into_iter().enumerate() {
                    assert_eq!(source[(i / TILE + 1) * SIDE + i % TILE + 1], at, "{size:?} {tile}");
                }
            }
            assert!(covered.iter().all(|n| *n == 1), "{size:?}");
        }
    }

    #[test]
    fn tiles_pay_where_they_lie_within_the_image_and_channels_are_many() {
        let sizes = [1, 2, 3, 4, 5, 6, 7, 15, 30].map(|n| pay([n, n], [64, 64]));
        assert_eq!(sizes, [false, false, false, true, false, true, true, true, true]);
        let channels =
            [[4, 64], [16, 16], [16, 64], [24, 24], [32, 32]].map(|channels| pay([30, 30], channels));
        assert_eq!(channels, [false, false, true, true, true]);
    }
}
