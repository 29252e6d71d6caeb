//! Where an array lies in the patient, and how two arrays lie to each other.

use crate::error::{Error, Result};
use std::fmt;

/// An offset of less than this share of a pixel is rounding.
const TOLERANCE_PX: f64 = 0.1;

/// From the indices (i, j, k) of axes 0, 1 and 2 to millimetres, as NIfTI has them: x to the right of the patient, y
/// forwards, z to the head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [[f64; 4]; 3]);

impl Affine {
    /// The millimetres of the point (i, j, k).
    pub fn at(&self, index: [f64; 3]) -> [f64; 3] {
        self.0.map(|[a, b, c, d]| a * index[0] + b * index[1] + c * index[2] + d)
    }

    /// The step along an axis, mm.
    pub fn step(&self, axis: usize) -> [f64; 3] {
        self.0.map(|row| row[axis])
    }

    /// The length of the step along an axis, mm.
    pub fn spacing(&self, axis: usize) -> f64 {
        self.step(axis).iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    /// The letter of the patient's side that an axis mainly runs to: R, L, A, P, H or F. None if it has no length.
    pub fn letter(&self, axis: usize) -> Option<char> {
        let step = self.step(axis);
        let main = (0..3).max_by(|&a, &b| step[a].abs().total_cmp(&step[b].abs()))?;
        match (main, step[main]) {
            (_, 0.0) => None,
            (0, v) => Some(if v > 0.0 { 'R' } else { 'L' }),
            (1, v) => Some(if v > 0.0 { 'A' } else { 'P' }),
            (_, v) => Some(if v > 0.0 { 'H' } else { 'F' }),
        }
    }
}

impl fmt::Display for Affine {
    /// Writes the rows: `[1.5 0 0 -90; 0 1.5 0 -95; 0 0 4 10]`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let number = |v: &f64| format!("{}", (v * 1e4).round() / 1e4 + 0.0);
        let row = |row: &[f64; 4]| row.iter().map(number).collect::<Vec<_>>().join(" ");
        write!(f, "[{}]", self.0.iter().map(row).collect::<Vec<_>>().join("; "))
    }
}

/// How one grid is read in the order of another: axis `axes[i]` runs along axis i of the other grid, from its end where
/// `flipped[i]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reordering {
    /// For each axis of the result, the axis that it is read from.
    pub axes: [usize; 3],
    /// For each axis of the result, whether it is read from the end.
    pub flipped: [bool; 3],
}

impl Reordering {
    /// Nothing changes.
    pub const NONE: Self = Self { axes: [0, 1, 2], flipped: [false; 3] };

    /// The flips and the permutation that read a grid of `shape` at `from` in the order of the grid at `to`.
    /// `to_shape` is the shape of the latter. A single slice of `from` serves all slices of `to`, wherever it lies along
    /// them, if `one_for_all`.
    ///
    /// # Errors
    /// [`Error::Data`] with both affines if the grids do not lie on each other.
    pub fn between(
        (from, shape): (&Affine, [usize; 3]),
        (to, to_shape): (&Affine, [usize; 3]),
        one_for_all: bool,
    ) -> Result<Self> {
        let apart = || {
            Error::Data(format!(
                "the two files lie at different places in the patient: an affine of {from} for {} × {} × {} voxels, and \
                 one of {to} for {} × {} × {}; resample one onto the grid of the other",
                shape[0], shape[1], shape[2], to_shape[0], to_shape[1], to_shape[2]
            ))
        };
        let single = one_for_all && shape[2] == 1;
        let mut axes = [0; 3];
        let mut flipped = [false; 3];
        let mut taken = [false; 3];
        for i in 0..3 {
            let step = to.step(i);
            // A step may be off by so much that the far end is still on its voxel.
            let share = (TOLERANCE_PX / (to_shape[i] as f64 - 1.0).max(1.0)).max(1e-4);
            let fits = |axis: usize, sign: f64| {
                let own = from.step(axis);
                (0..3).all(|k| (sign * own[k] - step[k]).abs() <= share * to.spacing(i))
            };
            let found = if single && i == 2 {
                (0..3).find(|&axis| !taken[axis]).map(|axis| (axis, 1.0))
            } else {
                (0..3)
                    .flat_map(|axis| [(axis, 1.0), (axis, -1.0)])
                    .find(|&(axis, sign)| !taken[axis] && fits(axis, sign))
            };
            let (axis, sign) = found.ok_or_else(apart)?;
            (axes[i], flipped[i], taken[axis]) = (axis, sign < 0.0, true);
        }
        let reordering = Self { axes, flipped };
        let same = (0..3).all(|i| shape[axes[i]] == to_shape[i] || (single && i == 2));
        // The first voxel of the result must lie on the first voxel of `to`.
        let mut index = [0.0; 3];
        for i in 0..3 {
            index[axes[i]] = if flipped[i] { shape[axes[i]] as f64 - 1.0 } else { 0.0 };
        }
        let [own, other] = [from.at(index), to.at([0.0; 3])];
        let mut off: [f64; 3] = std::array::from_fn(|k| own[k] - other[k]);
        if single {
            // Where the slice lies along the normal does not count.
            let step = to.step(2);
            let length = to.spacing(2).powi(2).max(f64::MIN_POSITIVE);
            let along = (0..3).map(|k| off[k] * step[k]).sum::<f64>() / length;
            (0..3).for_each(|k| off[k] -= along * step[k]);
        }
        let finest = (0..3).map(|i| to.spacing(i)).filter(|h| *h > 0.0).fold(f64::INFINITY, f64::min);
        let near = off.iter().map(|v| v * v).sum::<f64>().sqrt() <= TOLERANCE_PX * finest;
        if same && near { Ok(reordering) } else { Err(apart()) }
    }

    /// The samples of an array of `shape`, axis 0 fastest, in the new order.
    ///
    /// # Panics
    /// If `values` do not have this shape.
    pub fn apply<T: Copy>(&self, values: &[T], shape: [usize; 3]) -> Vec<T> {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "the values must have the shape");
        if *self == Self::NONE {
            return values.to_vec();
        }
        let strides = [1, shape[0], shape[0] * shape[1]];
        let to = self.axes.map(|axis| shape[axis]);
        let mut out = Vec::with_capacity(values.len());
        for k in 0..to[2] {
            for j in 0..to[1] {
                for i in 0..to[0] {
                    let at = [i, j, k];
                    let along = |n: usize| {
                        let index = if self.flipped[n] { to[n] - 1 - at[n] } else { at[n] };
                        index * strides[self.axes[n]]
                    };
                    out.push(values[along(0) + along(1) + along(2)]);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: Affine = Affine([[1.5, 0.0, 0.4, -90.0], [0.0, 2.0, 0.0, -95.0], [-0.2, 0.0, 4.0, 10.0]]);
    const SHAPE: [usize; 3] = [7, 5, 3];

    /// The affine of the grid at `TO` when it is stored in another order.
    fn stored(axes: [usize; 3], flipped: [bool; 3]) -> (Affine, [usize; 3]) {
        let mut rows = [[0.0; 4]; 3];
        let mut shape = [0; 3];
        let mut first = [0.0; 3];
        for i in 0..3 {
            shape[axes[i]] = SHAPE[i];
            first[i] = if flipped[i] { SHAPE[i] as f64 - 1.0 } else { 0.0 };
            for (k, row) in rows.iter_mut().enumerate() {
                row[axes[i]] = if flipped[i] { -1.0 } else { 1.0 } * TO.0[k][i];
            }
        }
        let origin = TO.at(first);
        (0..3).for_each(|k| rows[k][3] = origin[k]);
        (Affine(rows), shape)
    }

    #[test]
    fn flips_and_permutations_are_undone_exactly() {
        for axes in [[0, 1, 2], [1, 0, 2], [2, 0, 1], [2, 1, 0]] {
            for flips in 0..8 {
                let flipped = [flips & 1 > 0, flips & 2 > 0, flips & 4 > 0];
                let (from, shape) = stored(axes, flipped);
                let found = Reordering::between((&from, shape), (&TO, SHAPE), false).unwrap();
                assert_eq!(found, Reordering { axes, flipped });
                // Each voxel holds where it lies; read in the other order, it lies where the other's voxel lies.
                let at = |n: usize| [n % shape[0], n / shape[0] % shape[1], n / (shape[0] * shape[1])];
                let values: Vec<[f64; 3]> = (0..105).map(|n| from.at(at(n).map(|i| i as f64))).collect();
                for (n, got) in found.apply(&values, shape).into_iter().enumerate() {
                    let wanted = TO.at([n % 7, n / 7 % 5, n / 35].map(|i| i as f64));
                    assert!((0..3).all(|k| (got[k] - wanted[k]).abs() < 1e-9));
                }
            }
        }
    }

    #[test]
    fn grids_that_do_not_lie_on_each_other_are_refused_with_both_affines() {
        let moved = |by: f64| {
            let mut moved = TO;
            moved.0[0][3] += by;
            Reordering::between((&moved, SHAPE), (&TO, SHAPE), false)
        };
        assert!(moved(0.1).is_ok());
        let what = moved(60.0).unwrap_err().to_string();
        assert!(what.contains("-30;") && what.contains("-90;"), "{what}");
        let mut coarse = TO;
        coarse.0[1][1] = 2.2;
        assert!(Reordering::between((&coarse, SHAPE), (&TO, SHAPE), false).is_err());
        assert!(Reordering::between((&TO, [7, 5, 2]), (&TO, SHAPE), false).is_err());
    }

    #[test]
    fn one_slice_serves_all() {
        let mut single = TO;
        (0..3).for_each(|k| single.0[k][3] += 1.7 * TO.0[k][2]);
        let one = |affine: &Affine| Reordering::between((affine, [7, 5, 1]), (&TO, SHAPE), true);
        assert_eq!(one(&single).unwrap(), Reordering::NONE);
        single.0[1][3] += 1.0;
        assert!(one(&single).is_err());
        assert!(Reordering::between((&TO, [7, 5, 1]), (&TO, SHAPE), false).is_err());
    }

    #[test]
    fn letters_name_the_patients_sides() {
        assert_eq!([0, 1, 2].map(|axis| TO.letter(axis)), [Some('R'), Some('A'), Some('H')]);
        assert_eq!(Affine([[-1.0, 0.0, 0.0, 0.0]; 3]).letter(1), None);
        assert_eq!(TO.to_string(), "[1.5 0 0.4 -90; 0 2 0 -95; -0.2 0 4 10]");
    }
}
