//! The lattice of patches over a mask.

use super::views::Views;
use crate::kernel::tiles::lattice::Placing;
use crate::patches::INSIDE;
use crate::size::Size;

/// Minimum shares inside the mask, tried in turn until every pixel of the mask is in some patch.
const ACCEPTED: [f64; 5] = [INSIDE, 0.3, 0.15, 0.05, 0.0];

/// Geometry and weights of the patches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Rows and columns of a patch.
    pub side: usize,
    /// Pixels between neighbouring patches.
    pub stride: usize,
    /// The views in which patches are shown to the network.
    pub views: Views,
}

/// The patches of one mask, in the format of `kernels/tiles/cut.wgsl` and `kernels/tiles/overlap.wgsl`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lattice {
    /// First column, first row, weight and view of each patch.
    pub patches: Vec<[f32; 4]>,
    /// The lattice as one list: number of patches, rows, columns, first row, first column. Then the number of
    /// each row's first patch, and one more entry with the total. Then the number of each lattice point's
    /// patch, or -1.
    pub table: Vec<i32>,
}

impl Spread {
    /// The same, for placing on the device on images of `size`.
    pub fn placing(&self, size: Size) -> Placing {
        let Self { side, stride, views } = *self;
        let pixels = side * side;
        // The smallest number whose share reaches the limit, by the comparison of `Lattice::new`.
        let least = |share: f64| (0..pixels).find(|n| *n as f64 / pixels as f64 >= share).unwrap_or(pixels);
        Placing { size, side, stride, views: views.count(), least: ACCEPTED.map(least).to_vec() }
    }
}

impl Lattice {
    /// Returns the maximum lengths of `patches` and `table` for a mask of this size.
    pub fn most(size: Size, spread: Spread) -> [usize; 2] {
        let [columns, rows] = spread.placing(size).points();
        [columns * rows, 5 + rows + 1 + columns * rows]
    }

    /// Returns the patches of `mask`, `[ny][nx]`.
    ///
    /// All patches with at least half inside the mask are taken, as in training. Pixels in none of them are
    /// covered by patches with lower shares, in the order of `ACCEPTED`.
    pub fn new(mask: &[bool], size: Size, spread: Spread) -> Self {
        let Spread { side, stride, views } = spread;
        let Size { nx, ny } = size;
        let Some(bounds) = bounds(mask, nx) else {
            return Self { patches: vec![], table: vec![0, 0, 0, 0, 0, 0] };
        };
        // The first position of a patch that can contain a pixel inside.
        let begin = bounds.map(|[first, _]| first as i32 - side as i32 + 1);
        let points = [0, 1].map(|k| (bounds[k][1] as i32 - begin[k]) as usize / stride + 1);
        let inside = Sums::new(mask, size);
        let at = |k: usize, i: usize| begin[k] + (i * stride) as i32;
        let share: Vec<f64> = (0..points[0] * points[1])
            .map(|i| {
                let corner = [at(0, i % points[0]), at(1, i / points[0])];
                inside.within(corner, side) as f64 / (side * side) as f64
            })
            .collect();
        let mut taken = vec![false; share.len()];
        let mut open = mask.to_vec();
        for least in ACCEPTED {
            let still = Sums::new(&open, size);
            if still.within([0, 0], nx.max(ny)) == 0 {
                break;
            }
            for i in 0..share.len() {
                let corner = [at(0, i % points[0]), at(1, i / points[0])];
                if share[i] > 0.0 && share[i] >= least && still.within(corner, side) > 0 {
                    taken[i] = true;
                    let [xs, ys] = [0, 1].map(|k| span(corner[k], side, size.axes()[k]));
                    ys.for_each(|y| open[y * nx + xs.start..y * nx + xs.end].fill(false));
                }
            }
        }
        let (mut patches, mut rows, mut numbers) = (vec![], vec![], vec![]);
        for i in 0..share.len() {
            if i.is_multiple_of(points[0]) {
                rows.push(patches.len() as i32);
            }
            numbers.push(if taken[i] { patches.len() as i32 } else { -1 });
            if taken[i] {
                let [column, row] = [i % points[0], i / points[0]];
                let [x, y] = [at(0, column), at(1, row)];
                let view = views.at(column, row);
                // The weight of a patch is the square of its share inside; see also `window` in `infer.rs`.
                let share = share[i] as f32;
                patches.push([x as f32, y as f32, share * share, view as f32]);
            }
        }
        rows.push(patches.len() as i32);
        let count = patches.len() as i32;
        let mut table = vec![count, points[1] as i32, points[0] as i32, begin[1], begin[0]];
        table.extend(rows);
        table.extend(numbers);
        Self { patches, table }
    }
}

/// Returns first and last column, first and last row with a pixel inside.
fn bounds(mask: &[bool], nx: usize) -> Option<[[usize; 2]; 2]> {
    let inside = || mask.iter().enumerate().filter(|(_, m)| **m).map(|(i, _)| i);
    let range = |of: &dyn Fn(usize) -> usize| Some([inside().map(of).min()?, inside().map(of).max()?]);
    Some([range(&|i| i % nx)?, range(&|i| i / nx)?])
}

/// Returns the part of `first..first + len` within `0..n`.
fn span(first: i32, len: usize, n: usize) -> std::ops::Range<usize> {
    let end = (first + len as i32).clamp(0, n as i32);
    (first.max(0) as usize).min(end as usize)..end as usize
}

/// Summed-area table of a mask.
struct Sums {
    size: Size,
    sums: Vec<u32>,
}

impl Sums {
    fn new(mask: &[bool], size: Size) -> Self {
        let Size { nx, ny } = size;
        let mut sums = vec![0; (nx + 1) * (ny + 1)];
        for y in 0..ny {
            let mut row = 0;
            for x in 0..nx {
                row += u32::from(mask[y * nx + x]);
                sums[(y + 1) * (nx + 1) + x + 1] = sums[y * (nx + 1) + x + 1] + row;
            }
        }
        Self { size, sums }
    }

    /// Number of mask pixels in the square at `corner`.
    fn within(&self, corner: [i32; 2], side: usize) -> u32 {
        let [xs, ys] = [0, 1].map(|k| span(corner[k], side, self.size.axes()[k]));
        let at = |x: usize, y: usize| self.sums[y * (self.size.nx + 1) + x];
        (at(xs.end, ys.end) + at(xs.start, ys.start)) - (at(xs.start, ys.end) + at(xs.end, ys.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(nx: usize, ny: usize, [x0, y0, r]: [f64; 3]) -> Vec<bool> {
        (0..nx * ny).map(|i| ((i % nx) as f64 - x0).hypot((i / nx) as f64 - y0) < r).collect()
    }

    fn covered(lattice: &Lattice, nx: usize, ny: usize, side: usize) -> Vec<usize> {
        let mut count = vec![0; nx * ny];
        for [x, y, ..] in &lattice.patches {
            for row in span(*y as i32, side, ny) {
                for column in span(*x as i32, side, nx) {
                    count[row * nx + column] += 1;
                }
            }
        }
        count
    }

    #[test]
    fn every_pixel_is_in_a_patch() {
        let stripe = |nx: usize, ny: usize| (0..nx * ny).map(|i| i % nx == 7).collect::<Vec<_>>();
        let dot = |nx: usize, ny: usize| (0..nx * ny).map(|i| i == nx * ny - 1).collect::<Vec<_>>();
        for (nx, ny) in [(50, 41), (9, 64), (1, 1), (8, 1)] {
            for mask in [disc(nx, ny, [20.0, 15.0, 12.0]), stripe(nx, ny), dot(nx, ny), vec![true; nx * ny]] {
                for (side, stride) in [(30, 3), (30, 30), (7, 1), (5, 4), (1, 1)] {
                    let spread = Spread { side, stride, views: Views::All };
                    let size = Size::new(nx, ny);
                    let lattice = Lattice::new(&mask, size, spread);
                    let [most, points] = Lattice::most(size, spread);
                    assert!(lattice.patches.len() <= most && lattice.table.len() <= points);
                    assert_eq!(lattice.table[0] as usize, lattice.patches.len());
                    if stride <= side {
                        let count = covered(&lattice, nx, ny, side);
                        assert!(
                            mask.iter().zip(&count).all(|(m, n)| !m || *n > 0),
                            "{nx} {ny} {side} {stride}"
                        );
                    }
                }
            }
        }
        let none =
            Lattice::new(&[false; 12], Size::new(4, 3), Spread { side: 3, stride: 1, views: Views::One });
        assert!(none.patches.is_empty());
    }

    #[test]
    fn within_a_disc_patches_are_half_inside_and_all_there_are() {
        let mask = disc(100, 100, [50.0, 50.0, 40.0]);
        let spread = Spread { side: 30, stride: 3, views: Views::One };
        let lattice = Lattice::new(&mask, Size::square(100), spread);
        assert!(lattice.patches.iter().all(|p| p[2] >= 0.25));
        let count = covered(&lattice, 100, 100, 30);
        assert_eq!(count[50 * 100 + 50], 100, "a pixel in the middle is in every patch that can hold it");
        // Patches are numbered along the rows of the lattice.
        let columns = lattice.table[2] as usize;
        let rows = lattice.table[1] as usize;
        for (number, [x, y, ..]) in lattice.patches.iter().enumerate() {
            let [column, row] = [(x - lattice.table[4] as f32) / 3.0, (y - lattice.table[3] as f32) / 3.0];
            let at = 5 + rows + 1 + row as usize * columns + column as usize;
            assert_eq!(lattice.table[at] as usize, number);
            let first = lattice.table[5 + row as usize] as usize;
            assert!((first..lattice.table[5 + row as usize + 1] as usize).contains(&number));
        }
    }
}
