//! Pooling over windows of 2 × 2 pixels with stride 2.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::nn::pool::{self, Pooling};
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::Tensor;

/// Pooling.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The source.
    pub src: Var,
    /// The reduction of each window.
    pub pooling: Pooling,
}

/// The gradient of pooling in its source.
#[derive(Clone, Debug)]
pub struct PoolGrad {
    /// The source of the pooling.
    pub src: Var,
    /// The upstream gradient.
    pub grad: Var,
    /// The reduction of each window.
    pub pooling: Pooling,
}

impl Tape {
    /// Puts 2 × 2 pooling of `src` on the tape. An odd last row or column is dropped.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if `src` has fewer than 2 × 2 pixels.
    pub fn pool(&mut self, src: Var, pooling: Pooling) -> Result<Var> {
        let shape = self.shape(src);
        self.require(shape.h > 1 && shape.w > 1, "pooling needs at least 2 × 2 pixels", &[src])?;
        Ok(self.push(Pool { src, pooling }, pooling.shape(shape)))
    }
}

impl Operation for Pool {
    fn inputs(&self) -> Vec<Var> {
        vec![self.src]
    }

    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let Self { src, pooling } = *self;
        let to = tape.shape(src);
        Ok(vec![(src, tape.push(PoolGrad { src, grad, pooling }, to))])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        pool::record(rec, to.tensor(self.src), self.pooling, dst);
        Ok(())
    }
}

impl Operation for PoolGrad {
    fn inputs(&self) -> Vec<Var> {
        vec![self.src, self.grad]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        pool::record_grad(rec, to.tensor(self.src), to.tensor(self.grad), self.pooling, dst);
        Ok(())
    }
}
