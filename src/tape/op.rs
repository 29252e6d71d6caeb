//! What a tape can hold: one enum, forward and backward alike.

use super::Var;
use crate::kernel::convolve::Geometry;
use crate::kernel::norm::Per;
use crate::kernel::pool::Pooling;
use crate::kernel::upsample::Upsampling;

/// An operation and the variables it reads. The variable it makes is the node's own.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Given by the host before each run, `[n, c, h, w]` as PyTorch lays it out.
    Input,
    /// Learned; the number of its first f32 in the parameters.
    Parameter(usize),
    /// Running mean and variance `[1, 1, 2, c]`; the number of its first f32 in the state.
    State(usize),
    /// The number 1: the gradient of a loss in itself.
    One,

    /// A convolution; `kernels/convolve.wgsl`.
    Convolve { src: Var, weights: Var, bias: Option<Var>, geometry: Geometry },
    /// Its gradient in `src`.
    ConvolveData { grad: Var, weights: Var, geometry: Geometry },
    /// Its gradient in `weights`.
    ConvolveWeights { src: Var, grad: Var, geometry: Geometry },
    /// Sums over all pixels, `[1, 1, 1, c]`: the gradient in `bias`.
    ChannelSums { src: Var },

    /// Mean and 1/σ of each channel, `[groups, 1, 2, c]`; updates the running ones, if there are.
    Statistics { src: Var, per: Per, running: Option<Var> },
    /// The same from running mean and variance, for inference.
    RunningStatistics { running: Var },
    /// Norm and Leaky ReLU; `affine` is scale and shift.
    Norm { src: Var, statistics: Var, affine: Option<[Var; 2]>, slope: f32 },
    /// Sums that its gradients share, `[groups, 1, 2, c]`.
    NormSums { src: Var, statistics: Var, affine: Option<[Var; 2]>, slope: f32, grad: Var },
    /// Its gradient in `src`, through the statistics too.
    NormGrad { src: Var, statistics: Var, affine: Option<[Var; 2]>, slope: f32, grad: Var, sums: Var },
    /// One row of such sums, summed over the groups, `[1, 1, 1, c]`: the gradient in scale (1) or shift (0).
    SumGroups { sums: Var, row: usize },

    /// 2 × 2 pooling with stride 2.
    Pool { src: Var, pooling: Pooling },
    /// Its gradient.
    PoolGrad { src: Var, grad: Var, pooling: Pooling },
    /// Twice the rows and columns.
    Upsample { src: Var, upsampling: Upsampling },
    /// Its gradient.
    UpsampleGrad { grad: Var, upsampling: Upsampling },
    /// Up to one reflected row below and one column to the right.
    Pad { src: Var },
    /// Its gradient.
    PadGrad { grad: Var },
    /// The channels of two, one after the other.
    Concatenate { parts: [Var; 2] },
    /// Some of the channels, from `first` on: the gradient of a concatenation.
    Extract { src: Var, first: usize },
    /// The sum.
    Add { terms: [Var; 2] },
    /// Whole channels dropped at random, the others scaled up; `site` tells one dropout from another. Its own
    /// gradient.
    Dropout { src: Var, rate: f32, site: u32 },

    /// The mean square error, weighed by `weights` `[n, h, w, 1]` if there are any.
    Mse { prediction: Var, target: Var, weights: Option<Var> },
    /// The gradient of `loss`, which is the former, in `prediction`, times the number `upstream`.
    MseGrad { loss: Var, prediction: Var, target: Var, weights: Option<Var>, upstream: Var },
    /// The mean isotropic total variation, where `weights` are above 0.
    TotalVariation { prediction: Var, weights: Option<Var> },
    /// The gradient of `loss`, which is the former, times the number `upstream`.
    TotalVariationGrad { loss: Var, prediction: Var, weights: Option<Var>, upstream: Var },
    /// Numbers times factors, summed.
    Combine { terms: Vec<(Var, f32)> },
}

impl Op {
    /// Which part of a step it is, for timings.
    pub fn stage(&self) -> &'static str {
        match self {
            Op::Convolve { .. } => "convolution",
            Op::ConvolveData { .. } => "data gradient",
            Op::ConvolveWeights { .. } => "weight gradient",
            Op::Statistics { .. }
            | Op::RunningStatistics { .. }
            | Op::Norm { .. }
            | Op::NormSums { .. }
            | Op::NormGrad { .. }
            | Op::SumGroups { .. } => "norm and activation",
            Op::Mse { .. }
            | Op::MseGrad { .. }
            | Op::TotalVariation { .. }
            | Op::TotalVariationGrad { .. } => "loss",
            _ => "data movement",
        }
    }

    /// The variables it reads, each once for each place it stands in.
    pub fn inputs(&self) -> Vec<Var> {
        let with = |own: &[Var], optional: &[Option<Var>]| {
            own.iter().copied().chain(optional.iter().flatten().copied()).collect()
        };
        let normed = |own: &[Var], affine: &Option<[Var; 2]>| {
            own.iter().copied().chain(affine.iter().flatten().copied()).collect()
        };
        match self {
            Op::Input | Op::Parameter(_) | Op::State(_) | Op::One => Vec::new(),
            Op::Convolve { src, weights, bias, .. } => with(&[*src, *weights], &[*bias]),
            Op::ConvolveData { grad, weights, .. } => vec![*grad, *weights],
            Op::ConvolveWeights { src, grad, .. } | Op::PoolGrad { src, grad, .. } => vec![*src, *grad],
            Op::Statistics { src, running, .. } => with(&[*src], &[*running]),
            Op::RunningStatistics { running } => vec![*running],
            Op::Norm { src, statistics, affine, .. } => normed(&[*src, *statistics], affine),
            Op::NormSums { src, statistics, affine, grad, .. } => normed(&[*src, *statistics, *grad], affine),
            Op::NormGrad { src, statistics, affine, grad, sums, .. } => {
                normed(&[*src, *statistics, *grad, *sums], affine)
            }
            Op::SumGroups { sums, .. } => vec![*sums],
            Op::ChannelSums { src }
            | Op::Pool { src, .. }
            | Op::Upsample { src, .. }
            | Op::Pad { src }
            | Op::Extract { src, .. }
            | Op::Dropout { src, .. } => vec![*src],
            Op::UpsampleGrad { grad, .. } | Op::PadGrad { grad } => vec![*grad],
            Op::Concatenate { parts: two } | Op::Add { terms: two } => two.to_vec(),
            Op::Mse { prediction, target, weights } => with(&[*prediction, *target], &[*weights]),
            Op::MseGrad { loss, prediction, target, weights, upstream } => {
                with(&[*loss, *prediction, *target, *upstream], &[*weights])
            }
            Op::TotalVariation { prediction, weights } => with(&[*prediction], &[*weights]),
            Op::TotalVariationGrad { loss, prediction, weights, upstream } => {
                with(&[*loss, *prediction, *upstream], &[*weights])
            }
            Op::Combine { terms } => terms.iter().map(|(var, _)| *var).collect(),
        }
    }
}
