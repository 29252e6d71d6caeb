//! Lowering of a tape to dispatches: the place of each variable, and the kernel that computes it.

use super::ops::{Concatenate, Convolve, Extract, Norm, One, Op, Parameter, State};
use super::{Tape, Var};
use crate::error::Result;
use crate::kernel::form::Chooser;
use crate::kernel::nn::concatenate;
use crate::plan::{Buf, Recorder};
use crate::tensor::Tensor;
use std::collections::HashMap;

/// The buffers of a tape's leaves.
#[derive(Clone, Copy, Debug)]
pub struct Leaves {
    /// The parameters, f32.
    pub parameters: Buf,
    /// The running statistics, f32. Any buffer serves if there are none.
    pub state: Buf,
    /// The scalars of a step ([`crate::kernel::learning::adam::StepValues`]), from which dropout takes its seed.
    pub step: Buf,
}

/// The lowering of one tape.
pub struct Lowering<'a> {
    tape: &'a Tape,
    chooser: &'a Chooser,
    leaves: Leaves,
    places: Vec<Option<Tensor>>,
    inputs: HashMap<Var, Buf>,
    /// The divisor of each loss, for its gradient.
    weights: HashMap<Var, Tensor>,
    /// True for a convolution that its only reader, a norm, computes in the same dispatch.
    fused: Vec<bool>,
}

impl<'a> Lowering<'a> {
    /// Records the dispatches that compute the `wanted` variables into `rec`. A wanted variable goes to the tensor
    /// beside it, or to a place of its own. Variables that no wanted variable needs are left out. `given` variables are
    /// already on the device; the host writes the other inputs.
    ///
    /// # Errors
    /// [`Error::Kernel`](crate::Error::Kernel) if no form of a kernel computes correctly on this device.
    /// [`Error::Usage`](crate::Error::Usage) if a tensor does not have the shape of its variable.
    pub fn new(
        tape: &'a Tape,
        rec: &mut Recorder,
        chooser: &'a Chooser,
        leaves: Leaves,
        given: &[(Var, Tensor)],
        wanted: &[(Var, Option<Tensor>)],
    ) -> Result<Self> {
        let count = tape.nodes.len();
        let places = given.iter().map(|(v, t)| (v, Some(*t))).chain(wanted.iter().map(|(v, t)| (v, *t)));
        for (var, place) in places {
            let fits = place.is_none_or(|place| place.shape == tape.shape(*var));
            tape.require(fits, "a tensor on the device must have the shape of its variable", &[*var])?;
        }
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
                tape.op(var).record(&mut lowering, rec, var, place)?;
            }
        }
        for (var, place) in wanted {
            // The variable is wanted twice, or was computed at another place.
            if let Some(place) = place.filter(|place| lowering.places[var.0] != Some(*place)) {
                concatenate::record_extract(rec, lowering.tensor(*var), 0, place);
            }
        }
        Ok(lowering)
    }

    /// The place of `var`.
    ///
    /// # Panics
    /// If `var` was not recorded, because no wanted variable needs it.
    pub fn tensor(&self, var: Var) -> Tensor {
        self.places[var.0].expect("a variable is made before it is read")
    }

    /// The buffer to which the host writes input `var`, `[n, c, h, w]`; `None` if `var` is not such an input.
    pub fn input(&self, var: Var) -> Option<Buf> {
        self.inputs.get(&var).copied()
    }

    /// Places both parts of a concatenation in windows of the result, if possible, so that nothing is copied. The parts
    /// must have whole quads and no place yet. Neither part may be computed from the other, because one dispatch cannot
    /// read and write one buffer.
    fn join(&mut self, rec: &mut Recorder, var: Var) {
        let Op::Concatenate(Concatenate { parts: [a, b] }) = *self.tape.op(var) else { return };
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

    /// The convolution before the norm `var`, if one dispatch can compute both. The statistics must be known
    /// beforehand, and scale and shift must lie in the buffer of the weights.
    fn ends_a_convolution(&self, var: Var) -> Option<Var> {
        let Op::Norm(Norm { src, statistics, affine: Some(affine), .. }) = *self.tape.op(var) else {
            return None;
        };
        let Op::Convolve(Convolve { weights, bias: None, .. }) = *self.tape.op(src) else { return None };
        let known = matches!(self.tape.op(statistics), Op::RunningStatistics(_));
        let together =
            affine.into_iter().chain([weights]).all(|v| matches!(self.tape.op(v), Op::Parameter(_)));
        (known && together).then_some(src)
    }

    /// The convolution that makes `var`, if the norm that reads `var` computes it in the same dispatch.
    pub(super) fn fused(&self, var: Var) -> Option<&'a Convolve> {
        match self.tape.op(var) {
            Op::Convolve(convolve) if self.fused[var.0] => Some(convolve),
            _ => None,
        }
    }

    pub(super) fn chooser(&self) -> &'a Chooser {
        self.chooser
    }

    /// The buffer with the scalars of a step.
    pub(super) fn step(&self) -> Buf {
        self.leaves.step
    }

    /// Records that the host writes input `var` to `buf`.
    pub(super) fn give(&mut self, var: Var, buf: Buf) {
        self.inputs.insert(var, buf);
    }

    /// Keeps the divisor of a loss for its gradient.
    pub(super) fn keep_weight(&mut self, loss: Var, weight: Tensor) {
        self.weights.insert(loss, weight);
    }

    /// The divisor of a loss.
    pub(super) fn weight(&self, loss: Var) -> Tensor {
        self.weights[&loss]
    }

    fn leaf(&self, var: Var) -> bool {
        matches!(self.tape.op(var), Op::Parameter(_) | Op::State(_) | Op::One(_))
    }

    /// The source and the first channel of an extraction that needs no copy.
    fn alias(&self, var: Var) -> Option<(Var, usize)> {
        match *self.tape.op(var) {
            Op::Extract(Extract { src, first })
                if self.tape.shape(src).separate(first, self.tape.shape(var).c) =>
            {
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
        // A norm that ends a convolution reads the inputs of the convolution.
        let through = |v: Var| if self.fused[v.0] { self.tape.op(v).inputs() } else { vec![v] };
        self.tape.op(var).inputs().into_iter().flat_map(through).map(own).collect()
    }

    fn place(&mut self, rec: &mut Recorder, var: Var) -> Tensor {
        let shape = self.tape.shape(var);
        let place = self.places[var.0].unwrap_or_else(|| match *self.tape.op(var) {
            Op::Parameter(Parameter { first }) => Tensor::span(self.leaves.parameters, first, shape),
            Op::State(State { first }) => Tensor::span(self.leaves.state, first, shape),
            Op::One(One) => Tensor::whole(rec.constant("one", &[1f32, 0.0, 0.0, 0.0]), shape),
            _ => match self.alias(var) {
                Some((src, first)) => self.tensor(src).window(first, shape.c).expect("whole quads"),
                None => Tensor::scratch(rec, "variable", shape),
            },
        });
        self.places[var.0] = Some(place);
        place
    }
}
