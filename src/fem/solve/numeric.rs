//! The multifrontal factorisation and its triangular solves.

use super::dense;
use super::symbolic::{Front, Symbolic};
use num_complex::Complex64;

/// L and D of S A S = L D Lᵀ, front by front and column by column, with D on the diagonal. S is diagonal, consists of
/// powers of two, and scales the diagonal of A to about 1.
pub(super) struct Numeric {
    panels: Vec<Complex64>,
    scale: Vec<f64>,
    /// The updates that wait for their parent. They are squares; only the lower triangle is used.
    waiting: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Numeric {
    pub fn new(symbolic: &Symbolic) -> Numeric {
        Numeric {
            panels: vec![Complex64::default(); symbolic.factor],
            scale: vec![1.0; symbolic.unknowns()],
            waiting: vec![Complex64::default(); symbolic.waiting],
            scratch: Vec::new(),
        }
    }

    /// Factors the matrix with these values.
    ///
    /// # Errors
    /// The unknown whose pivot is tiny or not a number.
    pub fn factor(&mut self, symbolic: &Symbolic, values: &[Complex64]) -> Result<(), usize> {
        for (scale, &diagonal) in self.scale.iter_mut().zip(&symbolic.start) {
            let size = values[diagonal as usize].norm();
            *scale = if size > 0.0 && size.is_finite() { (-0.5 * size.log2()).round().exp2() } else { 1.0 };
        }
        self.panels.fill(Complex64::default());
        // The end of the waiting updates, and the fronts that they come from.
        let (mut end, mut stack) = (0, Vec::<&Front>::new());
        for front in &symbolic.fronts {
            let (height, rows) = (front.height(), front.below.len());
            let panel = &mut self.panels[front.panel..front.panel + height * front.pivots];
            gather(symbolic, front, values, &self.scale, panel);
            let (below, above) = self.waiting.split_at_mut(end);
            let own = &mut above[..rows * rows];
            own.fill(Complex64::default());
            let mut from = end;
            for child in stack.drain(stack.len() - front.children..).rev() {
                let size = child.below.len();
                from -= size * size;
                let place = &symbolic.place[child.below.clone()];
                extend(&below[from..from + size * size], place, panel, own, front);
            }
            dense::factor(panel, height, front.pivots, &mut self.scratch).map_err(|j| front.first + j)?;
            dense::update(panel, height, front.pivots, own, &mut self.scratch);
            self.waiting.copy_within(end..end + rows * rows, from);
            end = from + rows * rows;
            stack.push(front);
        }
        Ok(())
    }

    /// Solves for `x` in place. `x` is in elimination order.
    pub fn solve(&self, symbolic: &Symbolic, x: &mut [Complex64], work: &mut Vec<Complex64>) {
        work.clear();
        work.extend(x.iter().zip(&self.scale).map(|(x, scale)| x * scale));
        for front in &symbolic.fronts {
            let (rows, last) = (&symbolic.rows[front.below.clone()], front.first + front.pivots);
            for (j, column) in self.columns(front) {
                let factor = work[front.first + j];
                let (own, below) = column.split_at(front.pivots);
                for (x, &l) in work[front.first + j + 1..last].iter_mut().zip(&own[j + 1..]) {
                    *x -= l * factor;
                }
                for (&row, &l) in rows.iter().zip(below) {
                    work[row as usize] -= l * factor;
                }
            }
        }
        for front in symbolic.fronts.iter().rev() {
            let (rows, last) = (&symbolic.rows[front.below.clone()], front.first + front.pivots);
            for (j, column) in self.columns(front).rev() {
                let (own, below) = column.split_at(front.pivots);
                let mut sum = work[front.first + j] / own[j];
                for (&x, &l) in work[front.first + j + 1..last].iter().zip(&own[j + 1..]) {
                    sum -= l * x;
                }
                for (&row, &l) in rows.iter().zip(below) {
                    sum -= l * work[row as usize];
                }
                work[front.first + j] = sum;
            }
        }
        for ((x, work), scale) in x.iter_mut().zip(&*work).zip(&self.scale) {
            *x = work * scale;
        }
    }

    /// The columns of a front's panel.
    fn columns<'a>(&'a self, front: &Front) -> impl DoubleEndedIterator<Item = (usize, &'a [Complex64])> {
        let height = front.height();
        (0..front.pivots).zip(self.panels[front.panel..].chunks_exact(height))
    }
}

/// Copies the scaled entries of the matrix into `panel`.
fn gather(symbolic: &Symbolic, front: &Front, values: &[Complex64], scale: &[f64], panel: &mut [Complex64]) {
    for (j, column) in panel.chunks_exact_mut(front.height()).enumerate() {
        let j = front.first + j;
        for k in symbolic.start[j] as usize..symbolic.start[j + 1] as usize {
            let scale = scale[j] * scale[symbolic.row[k] as usize];
            column[symbolic.local[k] as usize] = values[k] * scale;
        }
    }
}

/// Adds a child's update to its parent's front. `place` gives the rows of the child in that front.
fn extend(child: &[Complex64], place: &[u32], panel: &mut [Complex64], own: &mut [Complex64], front: &Front) {
    let (height, rows) = (front.height(), front.below.len());
    for (j, column) in child.chunks_exact(place.len().max(1)).enumerate() {
        let at = place[j] as usize;
        let (target, skip) = match at.checked_sub(front.pivots) {
            None => (&mut panel[at * height..(at + 1) * height], 0),
            Some(at) => (&mut own[at * rows..(at + 1) * rows], front.pivots),
        };
        for (&value, &row) in column[j..].iter().zip(&place[j..]) {
            target[row as usize - skip] += value;
        }
    }
}
