//! A weighted sum of scalars.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::learning::combine_losses;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// A weighted sum of scalars.
#[derive(Clone, Debug)]
pub struct Combine {
    /// The scalars and their factors.
    pub terms: Vec<(Var, f32)>,
}

impl Tape {
    /// Puts the sum of one to four scalars times factors on the tape.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if there are no terms or more than four, or if one is not a scalar.
    pub fn combine(&mut self, terms: &[(Var, f32)]) -> Result<Var> {
        let vars: Vec<_> = terms.iter().map(|(var, _)| *var).collect();
        let fits = (1..=4).contains(&terms.len()) && vars.iter().all(|v| self.shape(*v) == Shape::SCALAR);
        self.require(fits, "a combination needs one to four scalars", &vars)?;
        Ok(self.push(Combine { terms: terms.to_vec() }, Shape::SCALAR))
    }
}

impl Operation for Combine {
    fn inputs(&self) -> Vec<Var> {
        self.terms.iter().map(|(var, _)| *var).collect()
    }

    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        self.terms.iter().map(|(var, factor)| Ok((*var, tape.combine(&[(grad, *factor)])?))).collect()
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let term = |i: usize| (self.terms[i].1, to.tensor(self.terms[i].0));
        match self.terms.len() {
            1 => combine_losses::record(rec, [term(0)], dst),
            2 => combine_losses::record(rec, [term(0), term(1)], dst),
            3 => combine_losses::record(rec, [term(0), term(1), term(2)], dst),
            _ => combine_losses::record(rec, [term(0), term(1), term(2), term(3)], dst),
        }
        Ok(())
    }
}
