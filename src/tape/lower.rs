//! From a tape to dispatches: where each variable lies, and which kernel makes it.

use super::{Affine, Op, Tape, Var};
use crate::error::Result;
use crate::kernel::choose::Chooser;
use crate::kernel::convolve::{Finish, Geometry};
use crate::kernel::{
    add, channel_sums, combine_losses, concatenate, convolve, convolve_weights, dropout, extract, mse,
    mse_grad, norm, norm_grad, norm_running, norm_statistics, norm_sums, pack, pad, pad_grad, pool,
    pool_grad, reduce, sum_groups, total_variation, total_variation_grad, upsample, upsample_grad,
};
use crate::plan::{Buf, Recorder};
use crate::tensor::{Shape, Tensor};
use std::collections::HashMap;

/// How fast running statistics follow: PyTorch's default.
const MOMENTUM: f32 = 0.1;

/// What keeps the root of a total variation differentiable at 0 (Iftikhar, Ahmad, Kolipaka 2025, §2.3).
const EPSILON: f32 = 1e-8;

/// Where the leaves of a tape lie.
#[derive(Clone, Copy, Debug)]
pub struct Leaves {
    /// The parameters.
    pub parameters: Buf,
    /// Running statistics; where there are none, anything.
    pub state: Buf,
    /// The scalars of a step ([`crate::kernel::adam::Step`]), of which dropout takes its seed.
    pub step: Buf,
}

/// A tape being turned into dispatches.
pub struct Lowering<'a> {
    tape: &'a Tape,
    chooser: &'a Chooser,
    leaves: Leaves,
    places: Vec<Option<Tensor>>,
    inputs: HashMap<Var, Buf>,
    /// What each loss was divided by, which its gradient needs again.
    weights: HashMap<Var, Tensor>,
    /// Convolutions that end with the one norm that reads them.
    fused: Vec<bool>,
}

/// A convolution of a tape.
#[derive(Clone, Copy)]
struct Convolution {
    src: Var,
    weights: Var,
    geometry: Geometry,
}

impl<'a> Lowering<'a> {
    /// Records into `rec` whatever it takes to make the `wanted` variables, each in the tensor beside it or wherever
    /// it comes to lie. What nobody wants is left out. Inputs that are `given` lie on the device already; the host
    /// writes the others.
    ///
    /// # Errors
    /// [`crate::Error::Kernel`] when a kernel has no form that computes correctly on this device.
    pub fn new(
        tape: &'a Tape,
        rec: &mut Recorder,
        chooser: &'a Chooser,
        leaves: Leaves,
        given: &[(Var, Tensor)],
        wanted: &[(Var, Option<Tensor>)],
    ) -> Result<Self> {
        let count = tape.nodes.len();
        let mut lowering = Self {
            tape,
            chooser,
            leaves,
            places: vec![None; count],
            inputs: HashMap::new(),
            weights: HashMap::new(),
            fused: vec![false; count],
        };
        let mut needed = vec![false; count];
        for var in tape.vars().rev() {
            needed[var.0] |= wanted.iter().any(|(v, _)| *v == var);
            if needed[var.0] {
                tape.op(var).inputs().iter().for_each(|v| needed[v.0] = true);
            }
        }
        for (var, place) in
            given.iter().map(|(v, t)| (v, Some(*t))).chain(wanted.iter().map(|(v, t)| (v, *t)))
        {
            lowering.places[var.0] = lowering.places[var.0].or(place);
        }
        let readers = |v: Var| {
            let all = tape.vars().filter(|reader| needed[reader.0]);
            all.flat_map(|reader| tape.op(reader).inputs()).filter(|read| *read == v).count()
        };
        for var in tape.vars().filter(|v| needed[v.0]) {
            lowering.join(rec, var);
            if let Some(convolved) = lowering.ends_a_convolution(var)
                && readers(convolved) == 1
                && lowering.places[convolved.0].is_none()
            {
                lowering.fused[convolved.0] = wanted.iter().all(|(v, _)| *v != convolved);
            }
        }
        for var in tape.vars().filter(|v| needed[v.0] && !lowering.fused[v.0]).collect::<Vec<_>>() {
            rec.stage(tape.op(var).stage());
            let place = lowering.place(rec, var);
            if given.iter().all(|(v, _)| *v != var) {
                lowering.record(rec, var, place)?;
            }
        }
        for (var, place) in wanted {
            // Wanted twice, or made somewhere of its own.
            if let Some(place) = place.filter(|place| lowering.places[var.0] != Some(*place)) {
                extract::record(rec, lowering.tensor(*var), 0, place);
            }
        }
        Ok(lowering)
    }

    /// Where `var` lies.
    ///
    /// # Panics
    /// When nobody wanted it, nor anything that needs it.
    pub fn tensor(&self, var: Var) -> Tensor {
        self.places[var.0].expect("a variable is made before it is read")
    }

    /// The buffer that the host writes input `var` to, `[n, c, h, w]`.
    pub fn input(&self, var: Var) -> Option<Buf> {
        self.inputs.get(&var).copied()
    }

    /// Lets the two parts of a concatenation be written where they belong, if they can be: whole quads, not placed
    /// already, and neither made from the other, as one dispatch cannot read and write one buffer.
    fn join(&mut self, rec: &mut Recorder, var: Var) {
        let Op::Concatenate { parts: [a, b] } = *self.tape.op(var) else { return };
        let aliases = |v: Var| self.reads(v).iter().any(|r| [a, b].contains(r));
        let free =
            |v: Var| self.places[v.0].is_none() && !self.leaf(v) && self.alias(v).is_none() && !aliases(v);
        if a == b || !free(a) || !free(b) || !self.tape.shape(a).c.is_multiple_of(4) {
            return;
        }
        let whole =
            self.places[var.0].unwrap_or_else(|| Tensor::scratch(rec, "concatenation", self.tape.shape(var)));
        let own = [self.tape.shape(a).c, self.tape.shape(b).c];
        if let [Some(first), Some(second)] = [whole.window(0, own[0]), whole.window(own[0], own[1])] {
            self.places[var.0] = Some(whole);
            self.places[a.0] = Some(first);
            self.places[b.0] = Some(second);
        }
    }

    /// The convolution that `var` is the norm of, if one dispatch can do both: its statistics are known before it, and its
    /// scale and shift lie with the weights.
    fn ends_a_convolution(&self, var: Var) -> Option<Var> {
        let Op::Norm { src, statistics, affine: Some(affine), .. } = *self.tape.op(var) else { return None };
        let Op::Convolve { weights, bias: None, .. } = *self.tape.op(src) else { return None };
        let known = matches!(self.tape.op(statistics), Op::RunningStatistics { .. });
        let together =
            affine.into_iter().chain([weights]).all(|v| matches!(self.tape.op(v), Op::Parameter(_)));
        (known && together).then_some(src)
    }

    fn convolve(&self, rec: &mut Recorder, of: Convolution, finish: Finish, dst: Tensor) -> Result<()> {
        let Convolution { src, weights, geometry } = of;
        let from = self.tensor(src);
        let form = self.chooser.convolve(geometry, finish, from.shape, dst.shape.c)?;
        convolve::record(rec, form, geometry, from, (self.tensor(weights), finish), dst);
        Ok(())
    }

    fn leaf(&self, var: Var) -> bool {
        matches!(self.tape.op(var), Op::Parameter(_) | Op::State(_) | Op::One)
    }

    /// What an extraction without a copy is a window of.
    fn alias(&self, var: Var) -> Option<(Var, usize)> {
        match *self.tape.op(var) {
            Op::Extract { src, first } if self.tape.shape(src).separate(first, self.tape.shape(var).c) => {
                Some((src, first))
            }
            _ => None,
        }
    }

    /// The variables whose buffers the operation of `var` reads.
    fn reads(&self, var: Var) -> Vec<Var> {
        let own = |v: Var| {
            let mut v = v;
            while let Some((src, _)) = self.alias(v) {
                v = src;
            }
            v
        };
        // A norm that ends a convolution reads what that would have.
        let through = |v: Var| if self.fused[v.0] { self.tape.op(v).inputs() } else { vec![v] };
        self.tape.op(var).inputs().into_iter().flat_map(through).map(own).collect()
    }

    fn place(&mut self, rec: &mut Recorder, var: Var) -> Tensor {
        let shape = self.tape.shape(var);
        let place = self.places[var.0].unwrap_or_else(|| match *self.tape.op(var) {
            Op::Parameter(first) => Tensor::span(self.leaves.parameters, first, shape),
            Op::State(first) => Tensor::span(self.leaves.state, first, shape),
            Op::One => Tensor::whole(rec.constant("one", &[1f32, 0.0, 0.0, 0.0]), shape),
            _ => match self.alias(var) {
                Some((src, first)) => self.tensor(src).window(first, shape.c).expect("whole quads"),
                None => Tensor::scratch(rec, "variable", shape),
            },
        });
        self.places[var.0] = Some(place);
        place
    }

    fn norm(&self, src: Var, statistics: Var, affine: Affine, slope: f32) -> norm::Norm {
        norm::Norm {
            x: self.tensor(src),
            statistics: self.tensor(statistics),
            affine: affine.map(|[scale, shift]| (self.tensor(scale), self.tensor(shift))),
            slope,
        }
    }

    fn record(&mut self, rec: &mut Recorder, var: Var, dst: Tensor) -> Result<()> {
        let chooser = self.chooser;
        let at = |v: Var| self.tensor(v);
        match *self.tape.op(var) {
            Op::Parameter(_) | Op::State(_) | Op::One => {}
            Op::Input => {
                let buf = rec.input::<f32>("input", dst.shape.len());
                pack::record(rec, buf, dst);
                self.inputs.insert(var, buf);
            }
            Op::Convolve { src, weights, bias, geometry } => {
                let finish = bias.map_or(Finish::Plain, |bias| Finish::Bias(at(bias)));
                self.convolve(rec, Convolution { src, weights, geometry }, finish, dst)?;
            }
            Op::ConvolveData { grad, weights, geometry } => {
                let (from, co) = (at(grad).shape, dst.shape.c);
                let form = chooser.convolve(geometry.gradient(), Finish::Plain, from, co)?;
                convolve::record_gradient(rec, form, geometry, at(grad), at(weights), dst);
            }
            Op::ConvolveWeights { src, grad, geometry } => {
                let (src, grad) = (at(src), at(grad));
                let form = chooser.convolve_weights(geometry, src.shape, grad.shape.c)?;
                let workgroups = chooser.workgroups();
                let (parts, count) = convolve_weights::record(rec, form, geometry, src, grad, workgroups);
                reduce::record(rec, parts.buf, count, dst);
            }
            Op::ChannelSums { src } => channel_sums::record(rec, at(src), dst),
            Op::Statistics { src, per, running } => {
                norm_statistics::record(rec, at(src), per, running.map(at), MOMENTUM, dst);
            }
            Op::RunningStatistics { running } => norm_running::record(rec, at(running), dst),
            Op::Norm { src, statistics, affine, slope } => match (self.tape.op(src), affine) {
                (&Op::Convolve { src: from, weights, geometry, .. }, Some(affine)) if self.fused[src.0] => {
                    rec.stage("convolution");
                    let finish = Finish::Norm { statistics: at(statistics), affine: affine.map(at), slope };
                    self.convolve(rec, Convolution { src: from, weights, geometry }, finish, dst)?;
                }
                _ => norm::record(rec, self.norm(src, statistics, affine, slope), dst),
            },
            Op::NormSums { src, statistics, affine, slope, grad } => {
                norm_sums::record(rec, self.norm(src, statistics, affine, slope), at(grad), dst);
            }
            Op::NormGrad { src, statistics, affine, slope, grad, sums } => {
                let norm = self.norm(src, statistics, affine, slope);
                norm_grad::record(rec, norm, at(grad), at(sums), dst);
            }
            Op::SumGroups { sums, row } => sum_groups::record(rec, at(sums), row, dst),
            Op::Pool { src, pooling } => pool::record(rec, at(src), pooling, dst),
            Op::PoolGrad { src, grad, pooling } => pool_grad::record(rec, at(src), at(grad), pooling, dst),
            Op::Upsample { src, upsampling } => upsample::record(rec, at(src), upsampling, dst),
            Op::UpsampleGrad { grad, upsampling } => upsample_grad::record(rec, at(grad), upsampling, dst),
            Op::Pad { src } => pad::record(rec, at(src), dst),
            Op::PadGrad { grad } => pad_grad::record(rec, at(grad), dst),
            Op::Concatenate { parts: [a, b] } => {
                let (a, b) = (at(a), at(b));
                let own = [dst.window(0, a.shape.c), dst.window(a.shape.c, b.shape.c)];
                if own != [Some(a), Some(b)] {
                    concatenate::record(rec, a, b, dst);
                }
            }
            Op::Extract { src, first } => {
                if at(src).window(first, dst.shape.c) != Some(dst) {
                    extract::record(rec, at(src), first, dst);
                }
            }
            Op::Add { terms: [a, b] } => add::record(rec, at(a), at(b), dst),
            Op::Dropout { src, rate, site } => {
                dropout::record(rec, self.leaves.step, at(src), rate, site, dst);
            }
            Op::Mse { prediction, target, weights } => {
                let weight = Tensor::scratch(rec, "sum of weights", Shape::SCALAR);
                mse::record(rec, at(prediction), at(target), weights.map(at), dst, weight);
                self.weights.insert(var, weight);
            }
            Op::MseGrad { loss, prediction, target, weights, upstream } => {
                let weight = self.weights[&loss];
                mse_grad::record(rec, at(prediction), at(target), weights.map(at), weight, at(upstream), dst);
            }
            Op::TotalVariation { prediction, weights } => {
                let weight = Tensor::scratch(rec, "counted pixels", Shape::SCALAR);
                total_variation::record(rec, at(prediction), weights.map(at), EPSILON, dst, weight);
                self.weights.insert(var, weight);
            }
            Op::TotalVariationGrad { loss, prediction, weights, upstream } => {
                let weight = self.weights[&loss];
                let weights = weights.map(at);
                total_variation_grad::record(
                    rec,
                    at(prediction),
                    weights,
                    EPSILON,
                    weight,
                    at(upstream),
                    dst,
                );
            }
            Op::Combine { ref terms } => {
                let term = |i: usize| (terms[i].1, at(terms[i].0));
                match terms.len() {
                    1 => combine_losses::record(rec, [term(0)], dst),
                    2 => combine_losses::record(rec, [term(0), term(1)], dst),
                    3 => combine_losses::record(rec, [term(0), term(1), term(2)], dst),
                    _ => combine_losses::record(rec, [term(0), term(1), term(2), term(3)], dst),
                }
            }
        }
        Ok(())
    }
}
