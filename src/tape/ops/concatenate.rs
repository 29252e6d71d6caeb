//! Concatenation of the channels of two tensors, and extraction of consecutive channels.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::nn::concatenate;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// The concatenation of the channels of two tensors.
#[derive(Clone, Debug)]
pub struct Concatenate {
    /// The tensors, of the same images.
    pub parts: [Var; 2],
}

/// The extraction of channels, from `first` on: the gradient of a concatenation.
#[derive(Clone, Debug)]
pub struct Extract {
    /// The source.
    pub src: Var,
    /// The first channel.
    pub first: usize,
}

impl Tape {
    /// Puts the concatenation of the channels of both on the tape.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) if their images differ in number or size.
    pub fn concatenate(&mut self, parts: [Var; 2]) -> Result<Var> {
        let [a, b] = parts.map(|v| self.shape(v));
        self.require(Shape { c: b.c, ..a } == b, "a concatenation needs images of one size", &parts)?;
        Ok(self.push(Concatenate { parts }, Shape { c: a.c + b.c, ..a }))
    }

    /// Puts the extraction of `c` channels, from `first` on, on the tape.
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
        // The parts may already have been computed in their places.
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
