//! Upsampling to twice the rows and columns.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::nn::upsample::{self, Upsampling};
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::Tensor;

/// Upsampling.
#[derive(Clone, Debug)]
pub struct Upsample {
    /// The source.
    pub src: Var,
    /// The method.
    pub upsampling: Upsampling,
}

/// The gradient of upsampling in its source.
#[derive(Clone, Debug)]
pub struct UpsampleGrad {
    /// The upstream gradient.
    pub grad: Var,
    /// The method.
    pub upsampling: Upsampling,
}

impl Tape {
    /// Puts upsampling of `src` to twice the rows and columns on the tape.
    pub fn upsample(&mut self, src: Var, upsampling: Upsampling) -> Var {
        let shape = upsampling.shape(self.shape(src));
        self.push(Upsample { src, upsampling }, shape)
    }
}

impl Operation for Upsample {
    fn inputs(&self) -> Vec<Var> {
        vec![self.src]
    }

    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let to = tape.shape(self.src);
        Ok(vec![(self.src, tape.push(UpsampleGrad { grad, upsampling: self.upsampling }, to))])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        upsample::record(rec, to.tensor(self.src), self.upsampling, dst);
        Ok(())
    }
}

impl Operation for UpsampleGrad {
    fn inputs(&self) -> Vec<Var> {
        vec![self.grad]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        upsample::record_grad(rec, to.tensor(self.grad), self.upsampling, dst);
        Ok(())
    }
}
