//! Activations: ReLU, Leaky ReLU and sigmoid.

use super::{Operation, Parts};
use crate::error::{Error, Result};
use crate::kernel::nn::activate::{self, Activation};
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::Tensor;

/// An activation, value by value.
#[derive(Clone, Debug)]
pub struct Activate {
    pub src: Var,
    pub activation: Activation,
}

/// Its gradient.
#[derive(Clone, Debug)]
pub struct ActivateGrad {
    pub src: Var,
    pub grad: Var,
    pub activation: Activation,
}

/// Refuses a slope that no Leaky ReLU has.
pub(super) fn check_slope(slope: f32) -> Result<()> {
    if slope.is_finite() && slope >= 0.0 {
        return Ok(());
    }
    Err(Error::Usage(format!("the slope of a Leaky ReLU is a number from 0 on, not {slope}")))
}

impl Tape {
    /// `activation` of each value of `src`.
    ///
    /// # Errors
    /// [`Error::Usage`] when the slope of a Leaky ReLU is not a number from 0 on.
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
