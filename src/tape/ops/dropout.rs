//! Dropout of whole channels.

use super::{Operation, Parts};
use crate::error::{Error, Result};
use crate::kernel::nn::dropout;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::Tensor;

/// Dropout of whole channels.
#[derive(Clone, Debug)]
pub struct Dropout {
    /// The source.
    pub src: Var,
    /// The probability that a channel is dropped, 0 to below 1.
    pub rate: f32,
    /// A number that distinguishes this dropout from others of the network.
    pub site: u32,
}

impl Tape {
    /// Puts dropout of channels at `rate` on the tape, 0 to below 1. The other channels are scaled by 1 / (1 − rate).
    /// At rate 0 it returns `src` itself.
    ///
    /// # Errors
    /// [`Error::Usage`] if the rate is out of its range.
    pub fn dropout(&mut self, src: Var, rate: f32, site: u32) -> Result<Var> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::Usage(format!("a dropout rate must be from 0 to below 1, not {rate}")));
        }
        let shape = self.shape(src);
        Ok(if rate == 0.0 { src } else { self.push(Dropout { src, rate, site }, shape) })
    }
}

impl Operation for Dropout {
    fn inputs(&self) -> Vec<Var> {
        vec![self.src]
    }

    /// The gradient of dropout is the same dropout of the gradient.
    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        Ok(vec![(self.src, tape.dropout(grad, self.rate, self.site)?)])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        dropout::record(rec, to.step(), to.tensor(self.src), self.rate, self.site, dst);
        Ok(())
    }
}
