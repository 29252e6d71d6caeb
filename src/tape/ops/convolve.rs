//! Convolutions, and their gradients in source, weights and bias.

use super::{Op, Operation, Parts};
use crate::error::{Error, Result};
use crate::kernel::core::reduce;
use crate::kernel::form::{Question, Work};
use crate::kernel::nn::convolve::{self, Finish, Geometry};
use crate::kernel::nn::{convolve_weights, sums};
use crate::plan::Recorder;
use crate::tape::{Lowering, Tape, Var};
use crate::tensor::{Shape, Tensor};

/// A convolution.
#[derive(Clone, Debug)]
pub struct Convolve {
    /// The source, `[n, h, w, ci]`.
    pub src: Var,
    /// The weights ([`Geometry::weights`]).
    pub weights: Var,
    /// The bias, `[1, 1, 1, co]`, if any.
    pub bias: Option<Var>,
    /// The geometry.
    pub geometry: Geometry,
}

/// The gradient of a convolution in its source.
#[derive(Clone, Debug)]
pub struct ConvolveData {
    /// The upstream gradient, `[n, h', w', co]`.
    pub grad: Var,
    /// The weights of the convolution.
    pub weights: Var,
    /// The geometry of the convolution.
    pub geometry: Geometry,
}

/// The gradient of a convolution in its weights.
#[derive(Clone, Debug)]
pub struct ConvolveWeights {
    /// The source of the convolution.
    pub src: Var,
    /// The upstream gradient, `[n, h', w', co]`.
    pub grad: Var,
    /// The geometry of the convolution.
    pub geometry: Geometry,
}

/// The sums over all pixels, `[1, 1, 1, c]`: the gradient of a convolution in its bias.
#[derive(Clone, Debug)]
pub struct ChannelSums {
    /// The upstream gradient, `[n, h', w', c]`.
    pub src: Var,
}

impl Tape {
    /// Puts a convolution of `src` `[n, h, w, ci]` with `weights` ([`Geometry::weights`]) and `bias` `[1, 1, 1, co]` on
    /// the tape.
    ///
    /// # Errors
    /// [`Error::Usage`] if the shapes do not fit together.
    pub fn convolve(&mut self, src: Var, weights: Var, bias: Option<Var>, geometry: Geometry) -> Result<Var> {
        let shape @ Shape { n, h, w, c } = self.shape(src);
        let co = self.shape(weights).c;
        let fits = self.shape(weights) == geometry.weights(c, co);
        let what = format!("a convolution ({geometry:?}) needs weights for its channels");
        self.require(fits, &what, &[src, weights])?;
        if let Some(bias) = bias {
            let fits = self.shape(bias) == Shape::new(1, 1, 1, co);
            self.require(fits, "a bias needs one value per channel", &[bias])?;
        }
        if geometry == Geometry::Down {
            self.require(h.is_multiple_of(2) && w.is_multiple_of(2), "stride 2 needs even sizes", &[src])?;
        }
        Ok(self.push(
            Convolve { src, weights, bias, geometry },
            Shape::images(n, geometry.result(shape.size()), co),
        ))
    }
}

impl Tape {
    /// The questions that a chooser answers when this tape is recorded: one for each convolution, data gradient and
    /// weight gradient.
    pub fn questions(&self) -> Vec<Question> {
        let question = |var: Var| {
            let co = self.shape(var).c;
            match *self.op(var) {
                Op::Convolve(Convolve { src, geometry, .. }) => {
                    Some(Question::new(Work::Convolution, geometry, self.shape(src), co))
                }
                Op::ConvolveData(ConvolveData { grad, geometry, .. }) => {
                    Some(Question::new(Work::Convolution, geometry.gradient(), self.shape(grad), co))
                }
                Op::ConvolveWeights(ConvolveWeights { src, grad, geometry }) => {
                    Some(Question::new(Work::Weights, geometry, self.shape(src), self.shape(grad).c))
                }
                _ => None,
            }
        };
        self.vars().filter_map(question).collect()
    }
}

impl Operation for Convolve {
    const STAGE: &'static str = "convolution";

    fn inputs(&self) -> Vec<Var> {
        [self.src, self.weights].into_iter().chain(self.bias).collect()
    }

    fn backward(&self, tape: &mut Tape, _: Var, grad: Var, needed: &dyn Fn(Var) -> bool) -> Result<Parts> {
        let Self { src, weights, bias, geometry } = *self;
        let mut parts = Vec::new();
        if needed(src) {
            let to = tape.shape(src);
            parts.push((src, tape.push(ConvolveData { grad, weights, geometry }, to)));
        }
        if needed(weights) {
            if geometry == Geometry::Down {
                return Err(Error::Usage("a convolution of stride 2 has no gradient in its weights".into()));
            }
            let to = tape.shape(weights);
            parts.push((weights, tape.push(ConvolveWeights { src, grad, geometry }, to)));
        }
        if let Some(bias) = bias.filter(|&b| needed(b)) {
            let to = tape.shape(bias);
            parts.push((bias, tape.push(ChannelSums { src: grad }, to)));
        }
        Ok(parts)
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let finish = self.bias.map_or(Finish::Plain, |bias| Finish::Bias(to.tensor(bias)));
        self.finished(to, rec, finish, dst)
    }
}

impl Convolve {
    /// Records the convolution with `finish` applied to its sums, in place of its own bias.
    ///
    /// # Errors
    /// [`Error::Kernel`] if no form computes correctly on the device.
    pub fn finished(&self, to: &Lowering, rec: &mut Recorder, finish: Finish, dst: Tensor) -> Result<()> {
        let (src, weights) = (to.tensor(self.src), to.tensor(self.weights));
        let form = to.chooser().convolve(self.geometry, finish, src.shape, dst.shape.c)?;
        convolve::record(rec, form, self.geometry, src, (weights, finish), dst);
        Ok(())
    }
}

impl Operation for ConvolveData {
    const STAGE: &'static str = "data gradient";

    fn inputs(&self) -> Vec<Var> {
        vec![self.grad, self.weights]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let (grad, weights) = (to.tensor(self.grad), to.tensor(self.weights));
        let gradient = self.geometry.gradient();
        let form = to.chooser().convolve(gradient, Finish::Plain, grad.shape, dst.shape.c)?;
        convolve::record_gradient(rec, form, self.geometry, grad, weights, dst);
        Ok(())
    }
}

impl Operation for ConvolveWeights {
    const STAGE: &'static str = "weight gradient";

    fn inputs(&self) -> Vec<Var> {
        vec![self.src, self.grad]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        let (src, grad) = (to.tensor(self.src), to.tensor(self.grad));
        let form = to.chooser().convolve_weights(self.geometry, src.shape, grad.shape.c)?;
        let workgroups = to.chooser().workgroups();
        let (parts, count) = convolve_weights::record(rec, form, self.geometry, src, grad, workgroups);
        reduce::record(rec, parts.buf, count, dst);
        Ok(())
    }
}

impl Operation for ChannelSums {
    fn inputs(&self) -> Vec<Var> {
        vec![self.src]
    }

    fn record(&self, to: &mut Lowering, rec: &mut Recorder, _: Var, dst: Tensor) -> Result<()> {
        sums::record_channels(rec, to.tensor(self.src), dst);
        Ok(())
    }
}
