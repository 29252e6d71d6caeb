//! The leaves of a tape: inputs, parameters, running statistics, and the number 1.

use super::{Operation, Parts};
use crate::error::Result;
use crate::kernel::nn::pack;
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// An input that the host writes before each run, `[n, c, h, w]` as in PyTorch.
#[derive(Clone, Debug)]
pub struct Input;

/// A learned parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The number of its first f32 among the parameters.
    pub first: usize,
}

/// Running mean and variance `[1, 1, 2, c]`.
#[derive(Clone, Debug)]
pub struct State {
    /// The number of its first f32 in the state.
    pub first: usize,
}

/// The scalar 1: the gradient of a loss in itself.
#[derive(Clone, Debug)]
pub struct One;

impl Tape {
    /// Puts an input on the tape. The host writes it before each run, `[n, c, h, w]` as in PyTorch.
    pub fn input(&mut self, shape: Shape) -> Var {
        self.push(Input, shape)
    }

    /// Puts a parameter on the tape that starts at f32 number `first`, a multiple of 4.
    pub fn parameter(&mut self, first: usize, shape: Shape) -> Var {
        self.push(Parameter { first }, shape)
    }

    /// Puts running mean and variance of `c` channels on the tape, `[1, 1, 2, c]`. They start at f32 number `first` of
    /// the state, a multiple of 4.
    pub fn state(&mut self, first: usize, c: usize) -> Var {
        self.push(State { first }, Shape::new(1, 1, 2, c))
    }
}

impl Operation for Input {
    fn inputs(&self) -> Vec<Var> {
        Vec::new()
    }

    fn backward(&self, _: &mut Tape, _: Var, _: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        Ok(Vec::new())
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, at: Var, dst: Tensor) -> Result<()> {
        let buf = rec.input::<f32>("input", dst.shape.len());
        pack::pack(rec, buf, dst);
        to.give(at, buf);
        Ok(())
    }
}

macro_rules! at_rest {
    ($($name:ty),*) => { $(
        impl Operation for $name {
            fn inputs(&self) -> Vec<Var> {
                Vec::new()
            }

            fn backward(&self, _: &mut Tape, _: Var, _: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
                Ok(Vec::new())
            }

            /// Records nothing, because a leaf is already in its place.
            fn record(&self, _: &mut Lowering, _: &mut Recorder, _: Var, _: Tensor) -> Result<()> {
                Ok(())
            }
        }
    )* };
}
at_rest!(Parameter, State, One);
