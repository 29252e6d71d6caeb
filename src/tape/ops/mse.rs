//! The mean square error.

use super::{Operation, Parts};
use crate::error::{Error, Result};
use crate::kernel::learning::mse;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// The mean square error, weighed by `weights` `[n, h, w, 1]` if there are any.
#[derive(Clone, Debug)]
pub struct Mse {
    pub prediction: Var,
    pub target: Var,
    pub weights: Option<Var>,
}

/// The gradient of `loss`, a mean square error, in its prediction, times the number `upstream`.
#[derive(Clone, Debug)]
pub struct MseGrad {
    pub loss: Var,
    pub of: Mse,
    pub upstream: Var,
}

impl Tape {
    /// The mean square error over pixels and channels.
    ///
    /// # Errors
    /// [`Error::Usage`] when the shapes do not go together.
    pub fn mse(&mut self, prediction: Var, target: Var, weights: Option<Var>) -> Result<Var> {
        let same = self.shape(prediction) == self.shape(target);
        self.require(same, "a mean square error wants two of one shape", &[prediction, target])?;
        self.require_weights(prediction, weights)?;
        Ok(self.push(Mse { prediction, target, weights }, Shape::SCALAR))
    }

    /// Refuses weights that do not have one value per pixel of `prediction`.
    pub(super) fn require_weights(&self, prediction: Var, weights: Option<Var>) -> Result<()> {
        let Some(weights) = weights else { return Ok(()) };
        let fits = self.shape(weights) == Shape { c: 1, ..self.shape(prediction) };
        self.require(fits, "weights have one value per pixel", &[prediction, weights])
    }
}

impl Operation for Mse {
    const STAGE: &'static str = "loss";

    fn inputs(&self) -> Vec<Var> {
        [self.prediction, self.target].into_iter().chain(self.weights).collect()
    }

    fn backward(&self, tape: &mut Tape, at: Var, grad: Var, needed: &dyn Fn(Var) -> bool) -> Result<Parts> {
        if needed(self.target) || self.weights.is_some_and(needed) {
            return Err(Error::Usage("a mean square error has no gradient in its target or weights".into()));
        }
        let to = tape.shape(self.prediction);
        let part = tape.push(MseGrad { loss: at, of: self.clone(), upstream: grad }, to);
        Ok(vec![(self.prediction, part)])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, at: Var, dst: Tensor) -> Result<()> {
        let weight = Tensor::scratch(rec, "sum of weights", Shape::SCALAR);
        let weights = self.weights.map(|v| to.tensor(v));
        mse::record(rec, to.tensor(self.prediction), to.tensor(self.target), weights, dst, weight);
        to.keep_weight(at, weight);
        Ok(())
    }
}

impl Operation for MseGrad {
    const STAGE: &'static str = "loss";

    fn inputs(&self) -> Vec<Var> {
        let Mse { prediction, target, weights } = self.of;
        [self.loss, prediction, target, self.upstream].into_iter().chain(weights).collect()
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let [prediction, target, upstream] =
            [self.of.prediction, self.of.target, self.upstream].map(|v| to.tensor(v));
        let weights = self.of.weights.map(|v| to.tensor(v));
        mse::record_grad(rec, prediction, target, weights, to.weight(self.loss), upstream, dst);
        Ok(())
    }
}
