//! The norm and Leaky ReLU that follow a convolution on the processor.

use super::ConvolveParams;
use crate::kernel::quads::leaky;
use crate::plan::Place;

/// A norm with known statistics, and Leaky ReLU.
pub(super) struct Norm<'a> {
    mean: &'a [f32],
    rstd: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    slope: f32,
}

impl<'a> Norm<'a> {
    pub fn new(p: &ConvolveParams, statistics: &'a [f32], weights: &'a [f32]) -> Self {
        let c = 4 * p.co4 as usize;
        let Place { first, pitch } = p.statistics;
        let of = |values: &'a [f32], quad: u32| &values[4 * quad as usize..][..c];
        Self {
            mean: of(statistics, first),
            rstd: of(statistics, first + pitch),
            gamma: of(weights, p.scale_first),
            beta: of(weights, p.shift_first),
            slope: p.slope,
        }
    }

    /// Applies it to the first channels of each pixel of `part`.
    #[inline(always)]
    pub fn apply(&self, part: &mut [f32], pitch: usize) {
        for pixel in part.chunks_mut(pitch) {
            let statistics = self.mean.iter().zip(self.rstd);
            let affine = self.gamma.iter().zip(self.beta);
            for ((value, (mean, rstd)), (gamma, beta)) in pixel.iter_mut().zip(statistics).zip(affine) {
                *value = leaky(gamma * ((*value - mean) * rstd) + beta, self.slope);
            }
        }
    }
}
