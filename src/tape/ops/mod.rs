//! The operations of a tape, one file for each with its builder, its inputs, its gradient and its dispatches. To add one,
//! write such a file and name it in `operations!`.

mod activate;
mod add;
mod combine;
mod concatenate;
mod convolve;
mod dropout;
mod leaf;
mod mse;
mod norm;
mod pad;
mod pool;
mod total_variation;
mod upsample;

pub use activate::{Activate, ActivateGrad};
pub use add::Add;
pub use combine::Combine;
pub use concatenate::{Concatenate, Extract};
pub use convolve::{ChannelSums, Convolve, ConvolveData, ConvolveWeights};
pub use dropout::Dropout;
pub use leaf::{Input, One, Parameter, State};
pub use mse::{Mse, MseGrad};
pub use norm::{Norm, NormGrad, NormSums, RunningStatistics, Statistics, SumGroups};
pub use pad::{Pad, PadGrad};
pub use pool::{Pool, PoolGrad};
pub use total_variation::{TotalVariation, TotalVariationGrad};
pub use upsample::{Upsample, UpsampleGrad};

use super::{Lowering, Tape, Var};
use crate::error::{Error, Result};
use crate::plan::Recorder;
use crate::tensor::Tensor;

/// Gradients that an operation adds to those of its inputs: the input, and the gradient.
pub(super) type Parts = Vec<(Var, Var)>;

/// One kind of operation.
pub(super) trait Operation: std::fmt::Debug + Clone {
    /// The part of a step that it belongs to, for timings.
    const STAGE: &'static str = "data movement";

    /// The variables that it reads, once for each place they stand in.
    fn inputs(&self) -> Vec<Var>;

    /// Puts on `tape` what computes the gradients of those inputs that are `needed`, from `grad`, the gradient of the
    /// operation's own variable `at`.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is no such gradient.
    fn backward(&self, _: &mut Tape, _at: Var, _grad: Var, _needed: &dyn Fn(Var) -> bool) -> Result<Parts> {
        Err(Error::Usage(format!("there are no second derivatives: {self:?}")))
    }

    /// Records the dispatches that compute variable `at` into `dst`.
    ///
    /// # Errors
    /// [`Error::Kernel`] when no form of a kernel computes correctly on the device.
    fn record(&self, to: &mut Lowering, rec: &mut Recorder, at: Var, dst: Tensor) -> Result<()>;
}

macro_rules! operations {
    ($($file:ident: $($name:ident),+;)*) => {
        /// An operation and the variables it reads. The variable it makes is the node's own.
        #[derive(Clone, Debug)]
        pub enum Op { $($($name($file::$name),)+)* }

        impl Op {
            /// The part of a step that it belongs to, for timings.
            pub fn stage(&self) -> &'static str {
                match self { $($(Op::$name(_) => <$file::$name as Operation>::STAGE,)+)* }
            }

            /// The variables that it reads.
            pub fn inputs(&self) -> Vec<Var> {
                match self { $($(Op::$name(op) => op.inputs(),)+)* }
            }

            pub fn backward(
                &self,
                tape: &mut Tape,
                at: Var,
                grad: Var,
                needed: &dyn Fn(Var) -> bool,
            ) -> Result<Parts> {
                match self { $($(Op::$name(op) => op.backward(tape, at, grad, needed),)+)* }
            }

            pub fn record(&self, to: &mut Lowering, rec: &mut Recorder, at: Var, dst: Tensor) -> Result<()> {
                match self { $($(Op::$name(op) => op.record(to, rec, at, dst),)+)* }
            }

            /// The operation without the name of its variant, for printing.
            pub fn describe(&self) -> String {
                match self { $($(Op::$name(op) => format!("{op:?}"),)+)* }
            }
        }

        $($(impl From<$file::$name> for Op {
            fn from(op: $file::$name) -> Self {
                Op::$name(op)
            }
        })+)*
    };
}

operations! {
    leaf: Input, Parameter, State, One;
    convolve: Convolve, ConvolveData, ConvolveWeights, ChannelSums;
    norm: Statistics, RunningStatistics, Norm, NormSums, NormGrad, SumGroups;
    activate: Activate, ActivateGrad;
    pool: Pool, PoolGrad;
    upsample: Upsample, UpsampleGrad;
    pad: Pad, PadGrad;
    concatenate: Concatenate, Extract;
    add: Add;
    dropout: Dropout;
    mse: Mse, MseGrad;
    total_variation: TotalVariation, TotalVariationGrad;
    combine: Combine;
}
