//! The mean squared error.

use super::{Operation, Parts};
use crate::error::{Error, Result};
use crate::kernel::learning::mse;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// The mean squared error over pixels and channels, with optional weights.
#[derive(Clone, Debug)]
pub struct Mse {
    /// The prediction, `[n, h, w, c]`.
    pub prediction: Var,
    /// The target, of the same shape.
    pub target: Var,
    /// The weights of the pixels, `[n, h, w, 1]`, if any.
    pub weights: Option<Var>,
}

/// The gradient of a mean squared error in its prediction.
#[derive(Clone, Debug)]
pub struct MseGrad {
    /// The loss.
    pub loss: Var,
    /// The operation that made the loss.
    pub of: Mse,
    /// The upstream gradient, a scalar.
    pub upstream: Var,
}

impl Tape {
    /// Puts the mean squared error over pixels and channels on the tape. `weights` are `[n, h, w, 1]`.
    ///
    /// # Errors
    /// [`Error::Usage`] if the shapes do not fit together.
    pub fn mse(&mut self, prediction: Var, target: Var, weights: Option<Var>) -> Result<Var> {
        let same = self.shape(prediction) == self.shape(target);
        self.require(same, "a mean squared error needs two tensors of one shape", &[prediction, target])?;
        self.require_weights(prediction, weights)?;
        Ok(self.push(Mse { prediction, target, weights }, Shape::SCALAR))
    }

    /// Refuses weights that do not have one value per pixel of `prediction`.
    pub(super) fn require_weights(&self, prediction: Var, weights: Option<Var>) -> Result<()> {
        let Some(weights) = weights else { return Ok(()) };
        let fits = self.shape(weights) == Shape { c: 1, ..self.shape(prediction) };
        self.require(fits, "weights need one value per pixel", &[prediction, weights])
    }
}

impl Operation for Mse {
    const STAGE: &'static str = "loss";

    fn inputs(&self) -> Vec<Var> {
        [self.prediction, self.target].into_iter().chain(self.weights).collect()
    }

    fn backward(&self, tape: &mut Tape, at: Var, grad: Var, needed: &dyn Fn(Var) -> bool) -> Result<Parts> {
        if needed(self.target) || self.weights.is_some_and(needed) {
            return Err(Error::Usage("a mean squared error has no gradient in its target or weights".into()));
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
