//! The mean isotropic total variation.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::learning::total_variation;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// The number ε that keeps the root of a total variation differentiable at 0 (Iftikhar, Ahmad, Kolipaka 2025, §2.3).
const EPSILON: f32 = 1e-8;

/// The mean isotropic total variation.
#[derive(Clone, Debug)]
pub struct TotalVariation {
    /// The image, `[n, h, w, c]`.
    pub prediction: Var,
    /// The weights, `[n, h, w, 1]`, if any. Only pixels of a weight above 0 count.
    pub weights: Option<Var>,
}

/// The gradient of a total variation in its image.
#[derive(Clone, Debug)]
pub struct TotalVariationGrad {
    /// The loss.
    pub loss: Var,
    /// The operation that made the loss.
    pub of: TotalVariation,
    /// The upstream gradient, a scalar.
    pub upstream: Var,
}

impl Tape {
    /// Puts the mean isotropic total variation on the tape. `weights` are `[n, h, w, 1]`; only pixels of a weight above
    /// 0 count.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if the weights do not have one value per pixel.
    pub fn total_variation(&mut self, prediction: Var, weights: Option<Var>) -> Result<Var> {
        self.require_weights(prediction, weights)?;
        Ok(self.push(TotalVariation { prediction, weights }, Shape::SCALAR))
    }
}

impl Operation for TotalVariation {
    const STAGE: &'static str = "loss";

    fn inputs(&self) -> Vec<Var> {
        std::iter::once(self.prediction).chain(self.weights).collect()
    }

    fn backward(&self, tape: &mut Tape, at: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let to = tape.shape(self.prediction);
        let part = tape.push(TotalVariationGrad { loss: at, of: self.clone(), upstream: grad }, to);
        Ok(vec![(self.prediction, part)])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, at: Var, dst: Tensor) -> Result<()> {
        let weight = Tensor::scratch(rec, "counted pixels", Shape::SCALAR);
        let weights = self.weights.map(|v| to.tensor(v));
        total_variation::record(rec, to.tensor(self.prediction), weights, EPSILON, dst, weight);
        to.keep_weight(at, weight);
        Ok(())
    }
}

impl Operation for TotalVariationGrad {
    const STAGE: &'static str = "loss";

    fn inputs(&self) -> Vec<Var> {
        let TotalVariation { prediction, weights } = self.of;
        [self.loss, prediction, self.upstream].into_iter().chain(weights).collect()
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let [prediction, upstream] = [self.of.prediction, self.upstream].map(|v| to.tensor(v));
        let (weights, weight) = (self.of.weights.map(|v| to.tensor(v)), to.weight(self.loss));
        total_variation::record_grad(rec, prediction, weights, EPSILON, weight, upstream, dst);
        Ok(())
    }
}
