//! The operations of a tape. Each file has an operation's builder, inputs, gradient and dispatches. To add an
//! operation, write such a file and give it three lines here: `mod`, `pub use`, and a row in `operations!`.

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

/// The gradients that an operation adds to its inputs: pairs of an input and a gradient.
pub(super) type Parts = Vec<(Var, Var)>;

/// One kind of operation.
pub(super) trait Operation: std::fmt::Debug + Clone {
    /// The stage of a step in timings.
    const STAGE: &'static str = "data movement";

    /// The variables that it reads. A variable that it reads twice occurs twice.
    fn inputs(&self) -> Vec<Var>;

    /// Puts the gradients of the `needed` inputs on `tape`. `grad` is the gradient of the operation's own variable
    /// `at`.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no such gradient.
    fn backward(&self, _: &mut Tape, _at: Var, _grad: Var, _needed: &dyn Fn(Var) -> bool) -> Result<Parts> {
        Err(Error::Usage(format!("there are no second derivatives: {self:?}")))
    }

    /// Records the dispatches that compute variable `at` into `dst`.
    ///
    /// # Errors
    /// [`Error::Kernel`] if no form of a kernel computes correctly on the device.
    fn record(&self, to: &mut Lowering, rec: &mut Recorder, at: Var, dst: Tensor) -> Result<()>;
}

macro_rules! operations {
    ($($file:ident: $($name:ident),+;)*) => {
        /// An operation and the variables that it reads. The variable that it makes has the number of the operation.
        #[derive(Clone, Debug)]
        pub enum Op { $($(
            #[doc = concat!("See [`", stringify!($name), "`].")]
            $name($file::$name),
        )+)* }

        impl Op {
            /// The stage of a step in timings.
            pub fn stage(&self) -> &'static str {
                match self { $($(Op::$name(_) => <$file::$name as Operation>::STAGE,)+)* }
            }

            /// The variables that it reads.
            pub fn inputs(&self) -> Vec<Var> {
                match self { $($(Op::$name(op) => op.inputs(),)+)* }
            }

            /// Puts the gradients of the `needed` inputs on `tape`. `grad` is the gradient of the operation's own
            /// variable `at`.
            ///
            /// # Errors
            /// [`Error::Usage`] if there is no such gradient.
            pub fn backward(
                &self,
                tape: &mut Tape,
                at: Var,
                grad: Var,
                needed: &dyn Fn(Var) -> bool,
            ) -> Result<Parts> {
                match self { $($(Op::$name(op) => op.backward(tape, at, grad, needed),)+)* }
            }

            /// Records the dispatches that compute variable `at` into `dst`.
            ///
            /// # Errors
            /// [`Error::Kernel`] if no form of a kernel computes correctly on the device.
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
