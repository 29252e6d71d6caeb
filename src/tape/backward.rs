//! Differentiation: the operations that compute gradients, put on the same tape.

use super::{Op, Tape, Var};
use crate::error::{Error, Result};
use crate::kernel::convolve::Geometry;
use crate::tensor::Shape;
use std::collections::HashMap;

impl Tape {
    /// Puts on what computes the gradients of the number `of` in each of `with`; `None` where `of` does not depend
    /// on it.
    ///
    /// # Errors
    /// [`Error::Usage`] when `of` is no number, or a norm on the way uses running statistics.
    pub fn gradients(&mut self, of: Var, with: &[Var]) -> Result<Vec<Option<Var>>> {
        self.require(self.shape(of) == Shape::SCALAR, "gradients are of one number", &[of])?;
        let mut needed: Vec<bool> = vec![false; of.0 + 1];
        for var in self.vars().take(of.0 + 1) {
            needed[var.0] = with.contains(&var) || self.op(var).inputs().iter().any(|v| needed[v.0]);
        }
        let one = self.push(Op::One, Shape::SCALAR);
        let mut grads = HashMap::from([(of, one)]);
        for var in (0..=of.0).rev().map(Var) {
            let Some(&grad) = grads.get(&var) else { continue };
            if !self.op(var).inputs().iter().any(|v| needed[v.0]) {
                continue;
            }
            for (input, part) in self.parts(var, grad, &|v: Var| needed[v.0])? {
                let sum = match grads.get(&input) {
                    Some(&before) => self.add([before, part])?,
                    None => part,
                };
                grads.insert(input, sum);
            }
        }
        Ok(with.iter().map(|var| grads.get(var).copied()).collect())
    }

    /// What `grad`, the gradient in `var`, adds to the gradients in those inputs of its operation that are `needed`.
    fn parts(&mut self, var: Var, grad: Var, needed: &dyn Fn(Var) -> bool) -> Result<Vec<(Var, Var)>> {
        let shape = |tape: &Self, v: Var| tape.shape(v);
        let mut parts = Vec::new();
        match self.op(var).clone() {
            Op::Input | Op::Parameter(_) | Op::State(_) | Op::One => {}
            Op::Convolve { src, weights, bias, geometry } => {
                if needed(src) {
                    parts.push((
                        src,
                        self.push(Op::ConvolveData { grad, weights, geometry }, shape(self, src)),
                    ));
                }
                if needed(weights) {
                    if geometry == Geometry::Down {
                        return Err(Error::Usage(
                            "a convolution of stride 2 has no gradient in its weights".into(),
                        ));
                    }
                    let to = shape(self, weights);
                    parts.push((weights, self.push(Op::ConvolveWeights { src, grad, geometry }, to)));
                }
                if let Some(bias) = bias.filter(|&b| needed(b)) {
                    parts.push((bias, self.push(Op::ChannelSums { src: grad }, shape(self, bias))));
                }
            }
            Op::Norm { src, statistics, affine, slope } => {
                if !matches!(self.op(statistics), Op::Statistics { src: own, .. } if *own == src) {
                    return Err(Error::Usage(
                        "a norm with running statistics is for inference and has no gradient".into(),
                    ));
                }
                let to = shape(self, statistics);
                let sums = self.push(Op::NormSums { src, statistics, affine, slope, grad }, to);
                if needed(src) {
                    let op = Op::NormGrad { src, statistics, affine, slope, grad, sums };
                    parts.push((src, self.push(op, shape(self, src))));
                }
                for (var, row) in affine.into_iter().flatten().zip([1, 0]).filter(|(v, _)| needed(*v)) {
                    parts.push((var, self.push(Op::SumGroups { sums, row }, shape(self, var))));
                }
            }
            Op::Pool { src, pooling } => {
                parts.push((src, self.push(Op::PoolGrad { src, grad, pooling }, shape(self, src))));
            }
            Op::Upsample { src, upsampling } => {
                parts.push((src, self.push(Op::UpsampleGrad { grad, upsampling }, shape(self, src))));
            }
            Op::Pad { src } => parts.push((src, self.push(Op::PadGrad { grad }, shape(self, src)))),
            Op::Concatenate { parts: [a, b] } => {
                let own = [shape(self, a).c, shape(self, b).c];
                for (var, first, c) in [(a, 0, own[0]), (b, own[0], own[1])] {
                    if needed(var) {
                        parts.push((var, self.extract(grad, first, c)?));
                    }
                }
            }
            Op::Add { terms } => parts.extend(terms.map(|term| (term, grad))),
            Op::Dropout { src, rate, site } => parts.push((src, self.dropout(grad, rate, site)?)),
            Op::Mse { target, weights, .. } if needed(target) || weights.is_some_and(needed) => {
                return Err(Error::Usage(
                    "a mean square error has no gradient in its target or weights".into(),
                ));
            }
            Op::Mse { prediction, target, weights } => {
                let op = Op::MseGrad { loss: var, prediction, target, weights, upstream: grad };
                parts.push((prediction, self.push(op, shape(self, prediction))));
            }
            Op::TotalVariation { prediction, weights } => {
                let op = Op::TotalVariationGrad { loss: var, prediction, weights, upstream: grad };
                parts.push((prediction, self.push(op, shape(self, prediction))));
            }
            Op::Combine { terms } => {
                for (var, factor) in terms {
                    parts.push((var, self.combine(&[(grad, factor)])?));
                }
            }
            // A norm's gradient goes through its statistics already; nothing else's does.
            Op::Statistics { .. } | Op::RunningStatistics { .. } => {
                return Err(Error::Usage("statistics have no gradient but that of their norm".into()));
            }
            other => return Err(Error::Usage(format!("there are no second derivatives: {other:?}"))),
        }
        parts.retain(|(input, _)| needed(*input));
        Ok(parts)
    }
}
