//! Padding by reflection, by up to one row at the bottom and one column at the right.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::nn::pad;
use crate::plan::Recorder;
use crate::size::Size;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// Padding by reflection.
#[derive(Clone, Debug)]
pub struct Pad {
    /// The source.
    pub src: Var,
}

/// The gradient of padding in its source.
#[derive(Clone, Debug)]
pub struct PadGrad {
    /// The upstream gradient.
    pub grad: Var,
}

impl Tape {
    /// Puts `src`, padded by up to one reflected row and column to `size`, on the tape. Returns `src` itself if it
    /// has this size.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if more rows or columns are needed, or an axis of one pixel cannot be
    /// reflected.
    pub fn pad(&mut self, src: Var, size: Size) -> Result<Var> {
        let shape = self.shape(src);
        if size == shape.size() {
            return Ok(src);
        }
        let grows = |from: usize, to: usize| to == from || (to == from + 1 && from > 1);
        let fits = grows(shape.h, size.ny) && grows(shape.w, size.nx);
        self.require(fits, &format!("only one row or column can be reflected to reach {size}"), &[src])?;
        Ok(self.push(Pad { src }, Shape::images(shape.n, size, shape.c)))
    }
}

impl Operation for Pad {
    fn inputs(&self) -> Vec<Var> {
        vec![self.src]
    }

    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let to = tape.shape(self.src);
        Ok(vec![(self.src, tape.push(PadGrad { grad }, to))])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        pad::record(rec, to.tensor(self.src), dst);
        Ok(())
    }
}

impl Operation for PadGrad {
    fn inputs(&self) -> Vec<Var> {
        vec![self.grad]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        pad::record_grad(rec, to.tensor(self.grad), dst);
        Ok(())
    }
}
