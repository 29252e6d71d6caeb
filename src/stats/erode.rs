//! Binary erosion: removes the rim of a mask, where filters and stencils use pixels outside it.

use ndarray::{Array2, ArrayView2};

/// Erodes `mask` (`[y][x]`, or any order) `n` times with the cross of the four neighbours. Pixels outside the image
/// count as background. `n = 0` returns the mask unchanged.
///
/// A pixel remains after `n` erosions exactly if its city-block distance to the background exceeds `n`. Two sweeps
/// are therefore enough for any `n`.
///
/// ```
/// # use palpate::lowlevel::stats::erode::erode;
/// let square = ndarray::Array2::from_elem((5, 5), true);
/// assert_eq!(erode(square.view(), 2).iter().filter(|&&p| p).count(), 1);
/// ```
pub fn erode(mask: ArrayView2<bool>, n: usize) -> Array2<bool> {
    let (rows, columns) = mask.dim();
    let mut distance = mask.map(|&inside| if inside { usize::MAX } else { 0 });
    for y in 0..rows {
        for x in 0..columns {
            let up = if y > 0 { distance[[y - 1, x]] } else { 0 };
            let left = if x > 0 { distance[[y, x - 1]] } else { 0 };
            distance[[y, x]] = distance[[y, x]].min(up.min(left).saturating_add(1));
        }
    }
    for y in (0..rows).rev() {
        for x in (0..columns).rev() {
            let down = if y + 1 < rows { distance[[y + 1, x]] } else { 0 };
            let right = if x + 1 < columns { distance[[y, x + 1]] } else { 0 };
            distance[[y, x]] = distance[[y, x]].min(down.min(right).saturating_add(1));
        }
    }
    distance.mapv(|d| d > n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: &[&str]) -> Array2<bool> {
        let columns = rows.first().map_or(0, |row| row.len());
        Array2::from_shape_fn((rows.len(), columns), |(y, x)| rows[y].as_bytes()[x] == b'#')
    }

    #[test]
    fn border_holes_and_corners_erode() {
        let mask = picture(&["########.", "########.", "########.", "########.", "########.", "###.####."]);
        assert_eq!(erode(mask.view(), 0), mask);
        // Expected values from scipy.ndimage.binary_erosion, iterations = 1 and 2.
        let once = picture(&[".........", ".######..", ".######..", ".######..", ".##.###..", "........."]);
        assert_eq!(erode(mask.view(), 1), once);
        let twice = picture(&[".........", ".........", "..####...", "..#.##...", ".........", "........."]);
        assert_eq!(erode(mask.view(), 2), twice);
        assert!(erode(mask.view(), 3).iter().all(|&inside| !inside));
    }

    #[test]
    fn is_the_cross_applied_n_times() {
        // Compares with the definition, on regions that touch the border.
        let mut seed = 7u64;
        let mask = Array2::from_shape_fn((33, 21), |(y, x)| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            !(seed >> 33).is_multiple_of(64) && (y + x) % 29 != 3
        });
        let mut expected = mask.clone();
        for n in 0..6 {
            assert_eq!(erode(mask.view(), n), expected, "n = {n}");
            let before = expected.clone();
            let at = |y: usize, x: usize| before.get((y, x)).copied().unwrap_or(false);
            expected = Array2::from_shape_fn(before.dim(), |(y, x)| {
                let around = [(y.wrapping_sub(1), x), (y + 1, x), (y, x.wrapping_sub(1)), (y, x + 1)];
                at(y, x) && around.iter().all(|&(y, x)| at(y, x))
            });
        }
    }

    #[test]
    fn empty_and_thin_images() {
        assert_eq!(erode(Array2::from_elem((0, 4), true).view(), 3).dim(), (0, 4));
        assert!(erode(Array2::from_elem((1, 9), true).view(), 1).iter().all(|&p| !p));
    }
}
