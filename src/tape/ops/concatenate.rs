//! The channels of two tensors, one after the other, and some of the channels of one.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::nn::concatenate;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// A concatenation.
#[derive(Clone, Debug)]
pub struct Concatenate {
    pub parts: [Var; 2],
}

/// Some of the channels, from `first` on: the gradient of a concatenation.
#[derive(Clone, Debug)]
pub struct Extract {
    pub src: Var,
    pub first: usize,
}

impl Tape {
    /// The channels of both.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) when their images differ in number or size.
    pub fn concatenate(&mut self, parts: [Var; 2]) -> Result<Var> {
        let [a, b] = parts.map(|v| self.shape(v));
        self.require(Shape { c: b.c, ..a } == b, "a concatenation wants two of one size", &parts)?;
        Ok(self.push(Concatenate { parts }, Shape { c: a.c + b.c, ..a }))
    }

    /// `c` channels from `first` on.
    fn extract(&mut self, src: Var, first: usize, c: usize) -> Result<Var> {
        let shape = self.shape(src);
        self.require(first + c <= shape.c, &format!("there are no {c} channels from {first} on"), &[src])?;
        Ok(self.push(Extract { src, first }, Shape { c, ..shape }))
    }
}

impl Operation for Concatenate {
    fn inputs(&self) -> Vec<Var> {
        self.parts.to_vec()
    }

    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, needed: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let [a, b] = self.parts;
        let own = [tape.shape(a).c, tape.shape(b).c];
        let mut parts = Vec::new();
        for (var, first, c) in [(a, 0, own[0]), (b, own[0], own[1])] {
            if needed(var) {
                parts.push((var, tape.extract(grad, first, c)?));
            }
        }
        Ok(parts)
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let [a, b] = self.parts.map(|v| to.tensor(v));
        // The parts may have been computed in their places already.
        let own = [dst.window(0, a.shape.c), dst.window(a.shape.c, b.shape.c)];
        if own != [Some(a), Some(b)] {
            concatenate::record(rec, a, b, dst);
        }
        Ok(())
    }
}

impl Operation for Extract {
    fn inputs(&self) -> Vec<Var> {
        vec![self.src]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let src = to.tensor(self.src);
        if src.window(self.first, dst.shape.c) != Some(dst) {
            concatenate::record_extract(rec, src, self.first, dst);
        }
        Ok(())
    }
}
