//! Batch norm and instance norm with Leaky ReLU: their statistics and their gradients.

use super::{Convolve, Op, Operation, Parts};
use crate::error::{Error, Result};
use crate::kernel::nn::convolve::Finish;
use crate::kernel::nn::norm::{self, Per};
use crate::kernel::nn::{norm_statistics, sums};
use crate::plan::Recorder;
use crate::tape::{Affine, Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// The share of each batch in the running statistics: PyTorch's default.
const MOMENTUM: f32 = 0.1;

/// Mean and 1/σ of each channel, `[groups, 1, 2, c]`. Running statistics, if any, are updated.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// The input, `[n, h, w, c]`.
    pub src: Var,
    /// The pixels that share statistics.
    pub per: Per,
    /// Running mean and variance, `[1, 1, 2, c]`, if they are to be updated.
    pub running: Option<Var>,
}

/// Mean and 1/σ from running mean and variance, `[1, 1, 2, c]`, for inference.
#[derive(Clone, Debug)]
pub struct RunningStatistics {
    /// Running mean and variance, `[1, 1, 2, c]`.
    pub running: Var,
}

/// A norm followed by Leaky ReLU.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// The input, `[n, h, w, c]`.
    pub src: Var,
    /// Mean and 1/σ, `[groups, 1, 2, c]`.
    pub statistics: Var,
    /// Scale and shift, `[1, 1, 1, c]` each, if any.
    pub affine: Affine,
    /// The slope of the Leaky ReLU below 0; 1 for the norm alone.
    pub slope: f32,
}

/// The sums that the gradients of a norm share, `[groups, 1, 2, c]`.
#[derive(Clone, Debug)]
pub struct NormSums {
    /// The norm.
    pub of: Norm,
    /// The upstream gradient.
    pub grad: Var,
}

/// The gradient of a norm in its input, through the statistics as well.
#[derive(Clone, Debug)]
pub struct NormGrad {
    /// The norm.
    pub of: Norm,
    /// The upstream gradient.
    pub grad: Var,
    /// The sums of [`NormSums`].
    pub sums: Var,
}

/// One row of the sums, summed over the groups, `[1, 1, 1, c]`: the gradient in scale (row 1) or shift (row 0).
#[derive(Clone, Debug)]
pub struct SumGroups {
    /// The sums of [`NormSums`].
    pub sums: Var,
    /// The row: 1 for scale, 0 for shift.
    pub row: usize,
}

impl Tape {
    /// Puts the statistics of each channel of `src` on the tape. Updates `running`, `[1, 1, 2, c]`, if it is given.
    ///
    /// # Errors
    /// [`Error::Usage`] if the mean would be over a single pixel, or if `running` does not fit.
    pub fn statistics(&mut self, src: Var, per: Per, running: Option<Var>) -> Result<Var> {
        let Shape { n, h, w, c } = self.shape(src);
        let (groups, pixels) = match per {
            Per::Batch => (1, n * h * w),
            Per::Image => (n, h * w),
        };
        let what = "a norm needs more than one pixel for its mean: use larger images or fewer pools";
        self.require(pixels > 1, what, &[src])?;
        if let Some(running) = running {
            let fits = groups == 1 && self.shape(running) == Shape::new(1, 1, 2, c);
            self.require(fits, "running statistics need a batch norm of their channels", &[src, running])?;
        }
        Ok(self.push(Statistics { src, per, running }, Shape::new(groups, 1, 2, c)))
    }

    /// Puts the statistics for inference on the tape, from running mean and variance.
    pub fn running_statistics(&mut self, running: Var) -> Var {
        let shape = self.shape(running);
        self.push(RunningStatistics { running }, shape)
    }

    /// Puts a norm on the tape: `src` normalised by `statistics`, scaled and shifted, and passed through a Leaky ReLU
    /// of this `slope` (1 for the norm alone).
    ///
    /// # Errors
    /// [`Error::Usage`] if the shapes do not fit together, or if the slope is negative or not finite.
    pub fn norm(&mut self, src: Var, statistics: Var, affine: Affine, slope: f32) -> Result<Var> {
        let shape = self.shape(src);
        let groups = self.shape(statistics).n;
        let fits =
            self.shape(statistics) == Shape::new(groups, 1, 2, shape.c) && [1, shape.n].contains(&groups);
        self.require(fits, "a norm needs statistics of its channels", &[src, statistics])?;
        for var in affine.iter().flatten() {
            let fits = self.shape(*var) == Shape::new(1, 1, 1, shape.c);
            self.require(fits, "scale and shift need one value per channel", &[*var])?;
        }
        super::activate::check_slope(slope)?;
        Ok(self.push(Norm { src, statistics, affine, slope }, shape))
    }
}

const STAGE: &str = "norm and activation";

impl Operation for Statistics {
    const STAGE: &'static str = STAGE;

    fn inputs(&self) -> Vec<Var> {
        std::iter::once(self.src).chain(self.running).collect()
    }

    fn backward(&self, _: &mut Tape, _: Var, _: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        no_gradient()
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let running = self.running.map(|v| to.tensor(v));
        norm_statistics::record(rec, to.tensor(self.src), self.per, running, MOMENTUM, dst);
        Ok(())
    }
}

impl Operation for RunningStatistics {
    const STAGE: &'static str = STAGE;

    fn inputs(&self) -> Vec<Var> {
        vec![self.running]
    }

    fn backward(&self, _: &mut Tape, _: Var, _: Var, _: &dyn Fn(Var) -> bool) -> Result<Parts> {
        no_gradient()
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        norm_statistics::record_running(rec, to.tensor(self.running), dst);
        Ok(())
    }
}

/// Refuses a gradient through statistics alone. The gradient of a norm already goes through its statistics, and no
/// other operation has such a gradient.
fn no_gradient() -> Result<Parts> {
    Err(Error::Usage("statistics have no gradient except through their norm".into()))
}

impl Norm {
    fn placed(&self, to: &Lowering) -> norm::Norm {
        norm::Norm {
            x: to.tensor(self.src),
            statistics: to.tensor(self.statistics),
            affine: self.affine.map(|[scale, shift]| (to.tensor(scale), to.tensor(shift))),
            slope: self.slope,
        }
    }

    fn reads(&self, more: &[Var]) -> Vec<Var> {
        let own = [self.src, self.statistics];
        own.iter().chain(more).copied().chain(self.affine.into_iter().flatten()).collect()
    }
}

impl Operation for Norm {
    const STAGE: &'static str = STAGE;

    fn inputs(&self) -> Vec<Var> {
        self.reads(&[])
    }

    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, needed: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let Self { src, statistics, affine, .. } = *self;
        if !matches!(tape.op(statistics), Op::Statistics(Statistics { src: own, .. }) if *own == src) {
            return Err(Error::Usage(
                "a norm with running statistics is for inference and has no gradient".into(),
            ));
        }
        let to = tape.shape(statistics);
        let sums = tape.push(NormSums { of: *self, grad }, to);
        let mut parts = Vec::new();
        if needed(src) {
            let to = tape.shape(src);
            parts.push((src, tape.push(NormGrad { of: *self, grad, sums }, to)));
        }
        for (var, row) in affine.into_iter().flatten().zip([1, 0]).filter(|(v, _)| needed(*v)) {
            let to = tape.shape(var);
            parts.push((var, tape.push(SumGroups { sums, row }, to)));
        }
        Ok(parts)
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        match (to.fused(self.src), self.affine) {
            (Some(convolution), Some(affine)) => {
                rec.stage(Convolve::STAGE);
                let (statistics, slope) = (to.tensor(self.statistics), self.slope);
                let affine = affine.map(|v| to.tensor(v));
                convolution.finished(to, rec, Finish::Norm { statistics, affine, slope }, dst)?;
            }
            _ => norm::record(rec, self.placed(to), dst),
        }
        Ok(())
    }
}
impl Operation for NormSums {
    const STAGE: &'static str = STAGE;

    fn inputs(&self) -> Vec<Var> {
        self.of.reads(&[self.grad])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        norm::record_sums(rec, self.of.placed(to), to.tensor(self.grad), dst);
        Ok(())
    }
}

impl Operation for NormGrad {
    const STAGE: &'static str = STAGE;

    fn inputs(&self) -> Vec<Var> {
        self.of.reads(&[self.grad, self.sums])
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        norm::record_grad(rec, self.of.placed(to), to.tensor(self.grad), to.tensor(self.sums), dst);
        Ok(())
    }
}

impl Operation for SumGroups {
    const STAGE: &'static str = STAGE;

    fn inputs(&self) -> Vec<Var> {
        vec![self.sums]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        sums::record_groups(rec, to.tensor(self.sums), self.row, dst);
        Ok(())
    }
}
