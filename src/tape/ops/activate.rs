//! Activations: ReLU, Leaky ReLU and sigmoid.

use super::{Operation, Parts};
use crate::error::{Error, Result};
use crate::kernel::nn::activate::{self, Activation};
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::Tensor;

/// An activation of each value.
#[derive(Clone, Debug)]
pub struct Activate {
    /// The input.
    pub src: Var,
    /// The function.
    pub activation: Activation,
}

/// The gradient of an activation in its input.
#[derive(Clone, Debug)]
pub struct ActivateGrad {
    /// The input of the activation.
    pub src: Var,
    /// The upstream gradient.
    pub grad: Var,
    /// The function.
    pub activation: Activation,
}

/// Refuses a slope that is negative or not finite.
pub(super) fn check_slope(slope: f32) -> Result<()> {
    if slope.is_finite() && slope >= 0.0 {
        return Ok(());
    }
    Err(Error::Usage(format!("the slope of a Leaky ReLU must be a number of at least 0, not {slope}")))
}

impl Tape {
    /// Puts `activation` of each value of `src` on the tape.
    ///
    /// # Errors
    /// [`Error::Usage`] if the slope of a Leaky ReLU is negative or not finite.
    pub fn activate(&mut self, src: Var, activation: Activation) -> Result<Var> {
        if let Activation::LeakyRelu(slope) = activation {
            check_slope(slope)?;
        }
        let shape = self.shape(src);
        Ok(self.push(Activate { src, activation }, shape))
    }
}

impl Operation for Activate {
    const STAGE: &'static str = "norm and activation";

    fn inputs(&self) -> Vec<Var> {
        vec![self.src]
    }

    fn backward(&self, tape: &mut Tape, at: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let Self { src, activation } = *self;
        let shape = tape.shape(at);
        Ok(vec![(src, tape.push(ActivateGrad { src, grad, activation }, shape))])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        activate::record(rec, to.tensor(self.src), self.activation, dst);
        Ok(())
    }
}

impl Operation for ActivateGrad {
    const STAGE: &'static str = "norm and activation";

    fn inputs(&self) -> Vec<Var> {
        vec![self.src, self.grad]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        activate::record_grad(rec, to.tensor(self.src), to.tensor(self.grad), self.activation, dst);
        Ok(())
    }
}
