//! The sum of two tensors.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::nn::add;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::Tensor;

/// The sum of two tensors of one shape.
#[derive(Clone, Debug)]
pub struct Add {
    /// The summands.
    pub terms: [Var; 2],
}

impl Tape {
    /// Puts the sum of two tensors on the tape.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if their shapes differ.
    pub fn add(&mut self, terms: [Var; 2]) -> Result<Var> {
        let [a, b] = terms.map(|v| self.shape(v));
        self.require(a == b, "a sum needs two tensors of one shape", &terms)?;
        Ok(self.push(Add { terms }, a))
    }
}

impl Operation for Add {
    fn inputs(&self) -> Vec<Var> {
        self.terms.to_vec()
    }

    fn backward(&self, _: &mut Tape, _: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        Ok(self.terms.map(|term| (term, grad)).to_vec())
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let [a, b] = self.terms.map(|v| to.tensor(v));
        add::record(rec, a, b, dst);
        Ok(())
    }
}
