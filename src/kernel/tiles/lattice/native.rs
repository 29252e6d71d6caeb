//! The native forms of the placing of patches.

use super::super::view::within;
use super::{BoundsParams, NumberParams, OpenParams, TakeParams};
use crate::kernel::quads::Quad;
use crate::plan::Call;
use std::ops::Range;

/// The head of a lattice.
pub(in crate::kernel::tiles) struct Head {
    /// Rows and columns of the lattice.
    pub size: [usize; 2],
    /// Its first row and column in the image.
    pub first: [i32; 2],
}

impl Head {
    pub fn of(lattice: &[i32]) -> Self {
        let [rows, columns] = [1, 2].map(|i| lattice[i] as usize);
        Self { size: [rows, columns], first: [lattice[3], lattice[4]] }
    }

    /// The rows of the lattice whose patches contain row `y` of the image.
    pub fn rows(&self, y: usize, [side, stride]: [usize; 2]) -> Range<usize> {
        let Ok(below) = usize::try_from(y as i32 - self.first[0]) else { return 0..0 };
        // The patches that begin at most `side` - 1 pixels before this row.
        let low = if below < side { 0 } else { (below - side) / stride + 1 };
        low..(below / stride + 1).min(self.size[0])
    }

    /// The row or column of the image at which the patches of point `i` of an axis begin.
    fn place(&self, axis: usize, i: usize, stride: usize) -> i32 {
        self.first[axis] + (i * stride) as i32
    }
}

pub(super) fn bounds(call: &mut Call) {
    let p: BoundsParams = call.params();
    let [nx, ny] = [p.nx, p.ny].map(|n| n as usize);
    let image = &call.read::<Quad>(0)[..nx * ny];
    let is_inside = |value: &Quad| value[2] > 0.0;
    // The smallest row and column inside, and the largest.
    let (mut low, mut high) = ([i32::MAX; 2], [0; 2]);
    for (y, row) in (0..).zip(image.chunks(nx)) {
        if let Some(left) = row.iter().position(is_inside) {
            let right = row.iter().rposition(is_inside).unwrap_or(left);
            low = [low[0].min(y), low[1].min(left as i32)];
            high = [y, high[1].max(right as i32)];
        }
    }
    let axis = |low: i32, high: i32| {
        let first = low - p.side as i32 + 1;
        [(high - first) / p.stride as i32 + 1, first]
    };
    let some = low[0] < i32::MAX;
    let [[rows, y], [columns, x]] = [0, 1].map(|i| if some { axis(low[i], high[i]) } else { [0; 2] });
    call.write::<i32>(1)[1..5].copy_from_slice(&[rows, columns, y, x]);
}

pub(super) fn open(call: &mut Call) {
    let p: OpenParams = call.params();
    let [nx, side, stride] = [p.nx, p.side, p.stride].map(|n| n as usize);
    let (image, head, points) = (call.read::<Quad>(0), Head::of(call.read(1)), call.read::<u32>(2));
    let columns = head.size[1];
    call.team().split(
        call.write::<u32>(3),
        nx,
        #[inline(always)]
        |first, part| {
            for (y, open) in (first..).zip(part.chunks_mut(nx)) {
                let image = &image[y * nx..][..nx];
                open.iter_mut().zip(image).for_each(|(open, value)| *open = u32::from(value[2] > 0.0));
                let rows = head.rows(y, [side, stride]);
                // Each pixel is closed once, by the first patch that contains it.
                let mut closed = 0;
                for column in 0..columns {
                    if rows.clone().any(|row| points[row * columns + column] > 0) {
                        let own = within(head.place(1, column, stride), side, nx);
                        open[own.start.max(closed).min(own.end)..own.end].fill(0);
                        closed = own.end;
                    }
                }
            }
        },
    );
}

pub(super) fn take(call: &mut Call) {
    let p: TakeParams = call.params();
    let [nx, ny, side, stride] = [p.nx, p.ny, p.side, p.stride].map(|n| n as usize);
    let (image, head, open) = (call.read::<Quad>(0), Head::of(call.read(1)), call.read::<u32>(2));
    let [rows, columns] = head.size;
    let points = &mut call.write::<u32>(3)[..rows * columns];
    call.team().split_reading(
        points,
        columns.max(1),
        size_of_val(image),
        #[inline(always)]
        |first, part| {
            for (row, points) in (first..).zip(part.chunks_mut(columns)) {
                let ys = within(head.place(0, row, stride), side, ny);
                // The numbers of pixels inside and open in these columns of the image.
                let count = |xs: Range<usize>| {
                    let mut sums = [0, 0];
                    for y in ys.clone() {
                        let [begin, end] = [xs.start, xs.end].map(|x| y * nx + x);
                        for (value, open) in image[begin..end].iter().zip(&open[begin..end]) {
                            sums = [sums[0] + u32::from(value[2] > 0.0), sums[1] + open];
                        }
                    }
                    sums
                };
                // From one patch to the next, some columns are new and others are left behind.
                let (mut inside, mut still, mut before) = (0, 0, 0..0);
                for (column, point) in points.iter_mut().enumerate() {
                    let xs = within(head.place(1, column, stride), side, nx);
                    let (new, old) = (count(before.end..xs.end), count(before.start..xs.start));
                    (inside, still) = (inside + new[0] - old[0], still + new[1] - old[1]);
                    before = xs;
                    if inside >= p.least && still > 0 {
                        *point = inside;
                    }
                }
            }
        },
    );
}

pub(super) fn number(call: &mut Call) {
    let p: NumberParams = call.params();
    let [side, stride] = [p.side, p.stride].map(|n| n as usize);
    let points = call.read::<u32>(0);
    let (lattice, patches) = (call.write::<i32>(1), call.write::<Quad>(2));
    let head = Head::of(lattice);
    let [rows, columns] = head.size;
    let (firsts, numbers) = lattice[5..].split_at_mut(rows + 1);
    let mut number = 0;
    for (row, first) in firsts[..rows].iter_mut().enumerate() {
        *first = number as i32;
        let own = row * columns..(row + 1) * columns;
        for (column, (to, inside)) in numbers[own.clone()].iter_mut().zip(&points[own]).enumerate() {
            *to = -1;
            if *inside > 0 {
                let [y, x] = [(0, row), (1, column)].map(|(axis, i)| head.place(axis, i, stride) as f32);
                let share = *inside as f32 / (side * side) as f32;
                let view = (5 * column + 13 * row) as u32 % p.views;
                patches[number] = [x, y, share * share, view as f32];
                *to = number as i32;
                number += 1;
            }
        }
    }
    firsts[rows] = number as i32;
    lattice[0] = number as i32;
}
