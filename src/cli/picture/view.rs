//! How a slice is shown: the part of it, and which way it is turned. Pictures alone are turned; maps never are.

use ndarray::{ArrayView2, Axis, s};
use palpate::Size;
use palpate::lowlevel::io::Affine;
use std::ops::Range;

/// The letters of the patient's sides towards which right, forwards and up in the patient run, and their opposites.
const SIDES: [[char; 2]; 3] = [['R', 'L'], ['A', 'P'], ['H', 'F']];
/// The least margin about the mask, pixels.
const MARGIN: usize = 4;

/// A slice as a picture shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    size: Size,
    /// The part that is shown, of the columns and of the rows.
    part: [Range<usize>; 2],
    /// Axis 0 runs up or down.
    transposed: bool,
    /// The columns of the picture run against their axis; the rows do.
    flipped: [bool; 2],
    /// The patient's sides at the left, right, upper and lower side.
    sides: Option<[char; 4]>,
    matrix: bool,
}

impl View {
    /// The whole slice. With an affine, it is turned as radiologists read it: axial slices with the patient's right on
    /// the left and the front on top, coronal ones with the right on the left and the head on top, sagittal ones with
    /// the front on the left and the head on top. Without one, axis 0 of an image runs to the right. Axis 0 of a matrix
    /// runs downwards, as MATLAB and NumPy print it.
    pub fn new(size: Size, matrix: bool, affine: Option<&Affine>) -> Self {
        let part = [0..size.nx, 0..size.ny];
        let plain = Self { size, part, transposed: matrix, flipped: [false; 2], sides: None, matrix };
        let Some([first, second]) = affine.and_then(directions) else { return plain };
        // The front or the right of the patient lies across, and of these two the right.
        let transposed = first.0 > second.0;
        let [across, down] = if transposed { [second, first] } else { [first, second] };
        let [[left, right], [top, bottom]] = [SIDES[across.0], SIDES[down.0]];
        let sides = Some([left, right, top, bottom]);
        Self { transposed, flipped: [across.1, down.1], sides, ..plain }
    }

    /// Shows no more than the box about these masks, with a margin: the longer side of the box, divided by `share`.
    pub fn cropped<'a>(self, masks: impl Iterator<Item = &'a [bool]>, share: usize) -> Self {
        let Size { nx, ny } = self.size;
        let [mut x, mut y] = [(nx, 0), (ny, 0)];
        for mask in masks {
            for at in (0..mask.len()).filter(|&at| mask[at]) {
                x = (x.0.min(at % nx), x.1.max(at % nx));
                y = (y.0.min(at / nx), y.1.max(at / nx));
            }
        }
        if x.0 > x.1 {
            return self;
        }
        let longer = (x.1 - x.0).max(y.1 - y.0) + 1;
        let margin = MARGIN.max(longer / share);
        let wider =
            |(low, high): (usize, usize), n: usize| low.saturating_sub(margin)..(high + 1 + margin).min(n);
        Self { part: [wider(x, nx), wider(y, ny)], ..self }
    }

    /// A map of the slice, `[y][x]`, with rows downwards.
    pub fn of<'a, T>(&self, map: &'a [T]) -> ArrayView2<'a, T> {
        let Size { nx, ny } = self.size;
        let whole = ArrayView2::from_shape((ny, nx), map).expect("a map fills its image");
        let [columns, rows] = self.part.clone();
        let mut view = whole.slice_move(s![rows, columns]);
        if self.transposed {
            view = view.reversed_axes();
        }
        for (axis, flipped) in [1, 0].into_iter().zip(self.flipped) {
            if flipped {
                view.invert_axis(Axis(axis));
            }
        }
        view
    }

    /// The patient's sides at the left, right, upper and lower side, if they are known.
    pub fn sides(&self) -> Option<[char; 4]> {
        self.sides
    }

    /// Names of the axes that run to the right and down, where the patient's sides are not known.
    pub fn axes(&self) -> [String; 2] {
        let axes = if self.matrix { ["axis 1", "axis 0"] } else { ["x (axis 0)", "y (axis 1)"] };
        axes.map(String::from)
    }

    /// The spacing of columns and rows.
    pub fn spacing(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        if self.transposed { [y, x] } else { [x, y] }
    }
}

/// For axes 0 and 1, the direction in the patient that is nearest to theirs (right, forwards or up), and whether they run
/// that way rather than the opposite. The two directions are different.
fn directions(affine: &Affine) -> Option<[(usize, bool); 2]> {
    let steps = [0, 1].map(|axis| {
        let length = affine.spacing(axis);
        affine.step(axis).map(|v| v / length)
    });
    if !steps.iter().flatten().all(|v| v.is_finite()) {
        return None;
    }
    let pairs = (0..3).flat_map(|a| (0..3).map(move |b| [a, b])).filter(|[a, b]| a != b);
    let near = |[a, b]: &[usize; 2]| steps[0][*a].abs() + steps[1][*b].abs();
    let [a, b] = pairs.max_by(|p, q| near(p).total_cmp(&near(q)))?;
    Some([(a, steps[0][a] > 0.0), (b, steps[1][b] > 0.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(7, 5);

    /// An affine whose axes 0 and 1 run along these directions in the patient, or against them, tilted a little.
    fn affine(directions: [usize; 2], signs: [f64; 2]) -> Affine {
        let mut rows = [[0.0; 4]; 3];
        for axis in 0..2 {
            for (direction, row) in rows.iter_mut().enumerate() {
                let main = direction == directions[axis];
                row[axis] = signs[axis] * if main { 1.5 } else { 0.4 };
            }
        }
        rows[3 - directions[0] - directions[1]][2] = 4.0;
        Affine(rows)
    }

    /// Slices are stored in any order; a marker that lies to the patient's right, front or head must be shown at the
    /// left or at the top.
    #[test]
    fn a_marker_ends_on_the_right_spot_however_slices_are_stored() {
        let planes =
            [([0, 1], ['R', 'L', 'A', 'P']), ([0, 2], ['R', 'L', 'H', 'F']), ([1, 2], ['A', 'P', 'H', 'F'])];
        for ([across, down], sides) in planes {
            for stored in [[across, down], [down, across]] {
                for signs in [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]] {
                    let view = View::new(SIZE, false, Some(&affine(stored, signs)));
                    assert_eq!(view.sides(), Some(sides), "{stored:?} {signs:?}");
                    // Along each stored axis, the end that lies farthest to the right, front or head.
                    let [x, y] = [0, 1].map(|axis| if signs[axis] > 0.0 { SIZE.axes()[axis] - 1 } else { 0 });
                    let mut marker = vec![false; 35];
                    marker[y * 7 + x] = true;
                    let shown = view.of(&marker);
                    assert_eq!(shown.dim(), if stored == [across, down] { (5, 7) } else { (7, 5) });
                    assert!(shown[[0, 0]] && shown.iter().filter(|m| **m).count() == 1);
                    let spacing = if stored == [across, down] { [1.0, 2.0] } else { [2.0, 1.0] };
                    assert_eq!(view.spacing([1.0, 2.0]), spacing);
                }
            }
        }
    }

    #[test]
    fn oblique_slices_have_two_different_directions() {
        // Both axes run mainly forwards; the first does so less.
        let turned = Affine([[0.69, -0.5, 0.0, 0.0], [0.72, 0.86, 0.0, 0.0], [0.1, 0.0, 1.0, 0.0]]);
        assert_eq!(View::new(SIZE, false, Some(&turned)).sides(), Some(['R', 'L', 'A', 'P']));
        for nothing in [Affine([[0.0; 4]; 3]), Affine([[f64::NAN; 4]; 3])] {
            assert_eq!(View::new(SIZE, false, Some(&nothing)), View::new(SIZE, false, None));
        }
    }

    #[test]
    fn without_an_affine_slices_are_shown_as_they_are_stored() {
        let map: Vec<usize> = (0..35).collect();
        let image = View::new(SIZE, false, None);
        assert_eq!((image.of(&map)[[1, 2]], image.sides()), (9, None));
        let matrix = View::new(SIZE, true, None);
        assert_eq!((matrix.of(&map)[[2, 1]], matrix.axes()[0].as_str()), (9, "axis 1"));
    }

    #[test]
    fn slices_are_cropped_to_all_masks_with_a_margin() {
        let size = Size::new(40, 30);
        let mut masks = vec![vec![false; 1200]; 3];
        masks[0][10 * 40 + 20] = true;
        masks[2][12 * 40 + 25] = true;
        let map: Vec<usize> = (0..1200).collect();
        let shown = |masks: &[Vec<bool>]| {
            let view = View::new(size, false, None).cropped(masks.iter().map(Vec::as_slice), 16);
            let map = view.of(&map);
            (map.dim(), map[[0, 0]])
        };
        assert_eq!(shown(&masks), ((11, 14), 6 * 40 + 16));
        assert_eq!(shown(&masks[1..2]), ((30, 40), 0));
        masks[1][0] = true;
        assert_eq!(shown(&masks), ((17, 30), 0));
    }
}
