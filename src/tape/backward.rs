//! Differentiation: puts the operations that compute gradients on the same tape.

use super::ops::One;
use super::{Tape, Var};
use crate::error::Result;
use crate::tensor::Shape;
use std::collections::HashMap;

impl Tape {
    /// Puts the gradients of the scalar `of` in each of `with` on the tape. The result is `None` where `of` does not
    /// depend on the variable.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if `of` is not a scalar, or if it depends on a norm with running
    /// statistics.
    pub fn gradients(&mut self, of: Var, with: &[Var]) -> Result<Vec<Option<Var>>> {
        self.require(self.shape(of) == Shape::SCALAR, "gradients are of a scalar", &[of])?;
        let mut needed: Vec<bool> = vec![false; of.0 + 1];
        for var in self.vars().take(of.0 + 1) {
            needed[var.0] = with.contains(&var) || self.op(var).inputs().iter().any(|v| needed[v.0]);
        }
        let one = self.push(One, Shape::SCALAR);
        let mut grads = HashMap::from([(of, one)]);
        for var in (0..=of.0).rev().map(Var) {
            let Some(&grad) = grads.get(&var) else { continue };
            if !self.op(var).inputs().iter().any(|v| needed[v.0]) {
                continue;
            }
            for (input, part) in self.parts(var, grad, &|v: Var| needed[v.0])? {
                let sum = match grads.get(&input) {
                    Some(&before) => self.add([before, part])?,
                    None => part,
                };
                grads.insert(input, sum);
            }
        }
        Ok(with.iter().map(|var| grads.get(var).copied()).collect())
    }

    /// The gradients that `grad`, the gradient in `var`, adds to the `needed` inputs of the operation that makes `var`.
    fn parts(&mut self, var: Var, grad: Var, needed: &dyn Fn(Var) -> bool) -> Result<Vec<(Var, Var)>> {
        let op = self.op(var).clone();
        let mut parts = op.backward(self, var, grad, needed)?;
        parts.retain(|(input, _)| needed(*input));
        Ok(parts)
    }
}
