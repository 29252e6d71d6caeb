//! A sparse direct solver for complex symmetric matrices of finite-element meshes.
//!
//! A = Aᵀ, without conjugation. Damping makes the imaginary part of A positive, except for rigid motions; inertia
//! keeps A from being singular for those. Therefore A = L D Lᵀ exists and is stable without pivoting, and the pattern
//! of non-zeros is known in advance.
//!
//! [`Symbolic`] is computed once for a mesh: the order of the nodes by approximate minimum degree, the tree of dense
//! fronts, and the position of every element's entries. A [`Matrix`] is assembled without searching. [`Factor`]
//! factors it front by front. Every [`Factor::solve`] checks and refines its residual.
//!
//! The same input gives the same bits on the same machine: there is one thread, and no order depends on timing.

mod dense;
mod graph;
mod matrix;
mod numeric;
mod symbolic;
#[cfg(test)]
mod tests;
mod tree;

pub use matrix::Matrix;
pub use symbolic::{Memory, Symbolic};

use crate::error::{Error, Result};
use num_complex::Complex64;
use numeric::Numeric;

/// The residual ‖b − A x‖ / ‖b‖ that a solution must reach.
pub const RESIDUAL: f64 = 1e-10;
/// The residual at which refinement stops. Rounding in a nearly incompressible material is about a tenth of it.
const GOOD: f64 = 1e-11;
/// The largest number of corrections to one solution.
const CORRECTIONS: usize = 5;

/// A factored matrix.
pub struct Factor<'a> {
    matrix: Matrix<'a>,
    numeric: Numeric,
}

impl<'a> Factor<'a> {
    /// Factors `matrix`. [`Symbolic::memory`] gives the memory it needs.
    ///
    /// # Errors
    /// [`Error::Data`] if a pivot is tiny or not a number.
    pub fn new(matrix: Matrix<'a>) -> Result<Self> {
        let mut factor = Factor { numeric: Numeric::new(matrix.symbolic()), matrix };
        factor.again(|_| ())?;
        Ok(factor)
    }

    /// Factors another matrix of the same pattern in the same memory. `change` turns the previous matrix into the new
    /// one.
    ///
    /// # Errors
    /// As [`Factor::new`]. There is then no factor, and solving fails.
    pub fn again(&mut self, change: impl FnOnce(&mut Matrix<'a>)) -> Result<()> {
        change(&mut self.matrix);
        let symbolic = self.matrix.symbolic();
        self.numeric.factor(symbolic, self.matrix.values()).map_err(|k| {
            Error::Data(format!(
                "the matrix is singular at {}: check that the mesh is held and every node belongs to an element, and set a damping above 0",
                symbolic.name(k)
            ))
        })
    }

    /// Solves A x = b in place. `b` has one entry for each component of each node; held entries keep their values.
    /// Returns the residual ‖b − A x‖ / ‖b‖, at most [`RESIDUAL`].
    ///
    /// # Errors
    /// [`Error::Usage`] if the length does not match, [`Error::Data`] if the residual stays above [`RESIDUAL`].
    pub fn solve(&self, b: &mut [Complex64]) -> Result<f64> {
        let symbolic = self.matrix.symbolic();
        if b.len() != symbolic.entries() {
            return Err(Error::Usage(format!(
                "the right-hand side has {} entries; give {}",
                b.len(),
                symbolic.entries()
            )));
        }
        let right: Vec<Complex64> = symbolic.entry.iter().map(|&i| b[i as usize]).collect();
        let size = norm(&right);
        let (mut x, mut rest, mut work) =
            (vec![Complex64::default(); right.len()], right.clone(), Vec::new());
        let mut residual = if size == 0.0 { 0.0 } else { 1.0 };
        for _ in 0..=CORRECTIONS {
            if residual <= GOOD {
                break;
            }
            self.numeric.solve(symbolic, &mut rest, &mut work);
            rest.iter_mut().zip(&x).for_each(|(step, x)| *step += x);
            let mut next = std::mem::replace(&mut rest, right.clone());
            self.matrix.subtract_product(&next, &mut rest);
            let now = norm(&rest) / size;
            // The new solution is not a number or no better, so the previous one stays.
            if now.is_nan() || now >= residual {
                break;
            }
            std::mem::swap(&mut x, &mut next);
            residual = now;
        }
        if residual > RESIDUAL || !size.is_finite() {
            return Err(Error::Data(format!(
                "the equations were solved only to a residual of {residual:.1e}: set a damping above 0, or a larger one"
            )));
        }
        for (&entry, x) in symbolic.entry.iter().zip(x) {
            b[entry as usize] = x;
        }
        Ok(residual)
    }

    /// The factored matrix.
    pub fn matrix(&self) -> &Matrix<'a> {
        &self.matrix
    }
}

/// The Euclidean norm, without overflow or underflow.
fn norm(x: &[Complex64]) -> f64 {
    let largest = x.iter().map(|x| x.re.abs().max(x.im.abs())).fold(0.0, f64::max);
    if largest == 0.0 || !largest.is_finite() {
        return x.iter().map(|x| x.norm_sqr()).sum();
    }
    largest * x.iter().map(|x| (x / largest).norm_sqr()).sum::<f64>().sqrt()
}
