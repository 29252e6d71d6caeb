//! The values of a matrix, assembled from elements.

use super::symbolic::{NONE, Symbolic};
use num_complex::Complex64;

/// The lower triangle of a complex symmetric matrix on a mesh.
pub struct Matrix<'a> {
    symbolic: &'a Symbolic,
    values: Vec<Complex64>,
}

impl<'a> Matrix<'a> {
    /// Creates a matrix of zeros.
    pub fn new(symbolic: &'a Symbolic) -> Self {
        Matrix { symbolic, values: vec![Complex64::default(); symbolic.row.len()] }
    }

    /// Sets all values to zero.
    pub fn clear(&mut self) {
        self.values.fill(Complex64::default());
    }

    /// Adds the matrix of element `e`, square, symmetric and row-major; its lower triangle is read. It has one row
    /// for each component of each of the element's nodes, in the element's order, components fastest. Held rows and
    /// columns are left out.
    ///
    /// # Panics
    /// If the size does not match the element.
    pub fn add(&mut self, e: usize, element: &[Complex64]) {
        let targets = self.symbolic.targets(e);
        let n = element.len().isqrt();
        assert!(
            n * n == element.len() && n * (n + 1) / 2 == targets.len(),
            "the element's matrix has the wrong size"
        );
        let mut targets = targets.iter();
        for (i, row) in element.chunks_exact(n.max(1)).enumerate() {
            for (value, &target) in row[..=i].iter().zip(&mut targets) {
                if target != NONE {
                    self.values[target as usize] += value;
                }
            }
        }
    }

    /// Subtracts from `right` the product of element `e`'s matrix with the held entries of `vector`. `right` then is
    /// the right-hand side of the unknowns.
    ///
    /// # Panics
    /// If a size does not match.
    pub fn lift(&self, e: usize, element: &[Complex64], vector: &[Complex64], right: &mut [Complex64]) {
        let entries: Vec<usize> = self.symbolic.element(e).collect();
        let held = |i: usize| self.symbolic.unknown[i] == NONE;
        for (&i, row) in entries.iter().zip(element.chunks_exact(entries.len().max(1))) {
            if !held(i) {
                for (&j, value) in entries.iter().zip(row).filter(|&(&j, _)| held(j)) {
                    right[i] -= value * vector[j];
                }
            }
        }
    }

    /// Computes `y -= A x`, both in elimination order.
    pub(super) fn subtract_product(&self, x: &[Complex64], y: &mut [Complex64]) {
        let symbolic = self.symbolic;
        for (j, range) in symbolic.start.windows(2).enumerate() {
            let range = range[0] as usize..range[1] as usize;
            let (rows, values) = (&symbolic.row[range.clone()], &self.values[range]);
            let mut sum = values[0] * x[j];
            for (&i, value) in rows.iter().zip(values).skip(1) {
                y[i as usize] -= value * x[j];
                sum += value * x[i as usize];
            }
            y[j] -= sum;
        }
    }

    pub(super) fn symbolic(&self) -> &'a Symbolic {
        self.symbolic
    }

    pub(super) fn values(&self) -> &[Complex64] {
        &self.values
    }
}
