//! A tape is what is to be computed, as data: operations over numbered variables, in order. It can be printed; its
//! operations check their shapes as they are put on; [`Tape::gradients`] puts on those that compute gradients; and
//! [`Lowering`] turns what is asked for into dispatches.

mod backward;
mod lower;
mod op;

pub use lower::{Leaves, Lowering};
pub use op::Op;

use crate::error::{Error, Result};
use crate::kernel::convolve::Geometry;
use crate::kernel::norm::Per;
use crate::kernel::pool::Pooling;
use crate::kernel::upsample::Upsampling;
use crate::tensor::Shape;

/// A variable of a tape: the result of its operation of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(usize);

/// Operations in the order they are computed.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    op: Op,
    shape: Shape,
}

/// Scale and shift of a norm.
pub type Affine = Option<[Var; 2]>;

impl Tape {
    /// A tape with nothing on it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The shape of `var`.
    pub fn shape(&self, var: Var) -> Shape {
        self.nodes[var.0].shape
    }

    /// The operation that makes `var`.
    pub fn op(&self, var: Var) -> &Op {
        &self.nodes[var.0].op
    }

    /// Every variable, in order.
    pub fn vars(&self) -> impl DoubleEndedIterator<Item = Var> + use<> {
        (0..self.nodes.len()).map(Var)
    }

    fn push(&mut self, op: Op, shape: Shape) -> Var {
        self.nodes.push(Node { op, shape });
        Var(self.nodes.len() - 1)
    }

    fn require(&self, holds: bool, what: &str, vars: &[Var]) -> Result<()> {
        if holds {
            return Ok(());
        }
        let shapes: Vec<_> = vars.iter().map(|v| self.shape(*v).to_string()).collect();
        Err(Error::Usage(format!("{what}; it was given {}", shapes.join(" and "))))
    }

    /// What the host gives before each run.
    pub fn input(&mut self, shape: Shape) -> Var {
        self.push(Op::Input, shape)
    }

    /// A parameter that starts with f32 number `first`, a multiple of 4.
    pub fn parameter(&mut self, first: usize, shape: Shape) -> Var {
        self.push(Op::Parameter(first), shape)
    }

    /// Running mean and variance of `c` channels that start with f32 number `first`, a multiple of 4.
    pub fn state(&mut self, first: usize, c: usize) -> Var {
        self.push(Op::State(first), Shape::new(1, 1, 2, c))
    }

    /// A convolution of `src` `[n, h, w, ci]` with `weights` ([`Geometry::weights`]) and `bias` `[1, 1, 1, co]`.
    ///
    /// # Errors
    /// [`Error::Usage`], as of every operation here, when the shapes do not go together.
    pub fn convolve(&mut self, src: Var, weights: Var, bias: Option<Var>, geometry: Geometry) -> Result<Var> {
        let Shape { n, h, w, c } = self.shape(src);
        let co = self.shape(weights).c;
        let fits = self.shape(weights) == geometry.weights(c, co);
        self.require(
            fits,
            &format!("a convolution ({geometry:?}) wants weights of its channels"),
            &[src, weights],
        )?;
        if let Some(bias) = bias {
            self.require(
                self.shape(bias) == Shape::new(1, 1, 1, co),
                "a bias has a value a channel",
                &[bias],
            )?;
        }
        if geometry == Geometry::Down {
            self.require(h.is_multiple_of(2) && w.is_multiple_of(2), "stride 2 wants even sizes", &[src])?;
        }
        let [h, w] = geometry.result([h, w]);
        Ok(self.push(Op::Convolve { src, weights, bias, geometry }, Shape::new(n, h, w, co)))
    }

    /// Statistics of each channel of `src`; updates `running`, if given.
    pub fn statistics(&mut self, src: Var, per: Per, running: Option<Var>) -> Result<Var> {
        let Shape { n, h, w, c } = self.shape(src);
        let (groups, pixels) = match per {
            Per::Batch => (1, n * h * w),
            Per::Image => (n, h * w),
        };
        let what = "a norm wants more than one pixel to take the mean over: use larger images or fewer pools";
        self.require(pixels > 1, what, &[src])?;
        if let Some(running) = running {
            let fits = groups == 1 && self.shape(running) == Shape::new(1, 1, 2, c);
            self.require(fits, "running statistics are of a batch and its channels", &[src, running])?;
        }
        Ok(self.push(Op::Statistics { src, per, running }, Shape::new(groups, 1, 2, c)))
    }

    /// Statistics as they are kept for inference.
    pub fn running_statistics(&mut self, running: Var) -> Var {
        let shape = self.shape(running);
        self.push(Op::RunningStatistics { running }, shape)
    }

    /// `src` normalised by `statistics`, scaled and shifted, through a Leaky ReLU of `slope` (1: none).
    pub fn norm(&mut self, src: Var, statistics: Var, affine: Affine, slope: f32) -> Result<Var> {
        let shape = self.shape(src);
        let groups = self.shape(statistics).n;
        let fits =
            self.shape(statistics) == Shape::new(groups, 1, 2, shape.c) && [1, shape.n].contains(&groups);
        self.require(fits, "a norm wants statistics of its channels", &[src, statistics])?;
        for var in affine.iter().flatten() {
            let fits = self.shape(*var) == Shape::new(1, 1, 1, shape.c);
            self.require(fits, "scale and shift have a value a channel", &[*var])?;
        }
        if !(slope.is_finite() && slope >= 0.0) {
            return Err(Error::Usage(format!(
                "the slope of a Leaky ReLU is a number from 0 on, not {slope}"
            )));
        }
        Ok(self.push(Op::Norm { src, statistics, affine, slope }, shape))
    }

    /// 2 × 2 pooling; a last odd row or column falls away.
    pub fn pool(&mut self, src: Var, pooling: Pooling) -> Result<Var> {
        let shape = self.shape(src);
        self.require(shape.h > 1 && shape.w > 1, "pooling wants at least 2 × 2 pixels", &[src])?;
        Ok(self.push(Op::Pool { src, pooling }, Shape { h: shape.h / 2, w: shape.w / 2, ..shape }))
    }

    /// Twice the rows and columns.
    pub fn upsample(&mut self, src: Var, upsampling: Upsampling) -> Var {
        let shape = self.shape(src);
        self.push(Op::Upsample { src, upsampling }, Shape { h: 2 * shape.h, w: 2 * shape.w, ..shape })
    }

    /// `src` with up to one reflected row and column, to `h` × `w`; itself where there is nothing to add.
    pub fn pad(&mut self, src: Var, [h, w]: [usize; 2]) -> Result<Var> {
        let shape = self.shape(src);
        if [h, w] == [shape.h, shape.w] {
            return Ok(src);
        }
        let grows = |from: usize, to: usize| to == from || (to == from + 1 && from > 1);
        let fits = grows(shape.h, h) && grows(shape.w, w);
        self.require(fits, &format!("one row or column can be reflected to reach {h} × {w}"), &[src])?;
        Ok(self.push(Op::Pad { src }, Shape { h, w, ..shape }))
    }

    /// The channels of both.
    pub fn concatenate(&mut self, parts: [Var; 2]) -> Result<Var> {
        let [a, b] = parts.map(|v| self.shape(v));
        self.require(Shape { c: b.c, ..a } == b, "a concatenation wants two of one size", &parts)?;
        Ok(self.push(Op::Concatenate { parts }, Shape { c: a.c + b.c, ..a }))
    }

    /// `c` channels from `first` on.
    fn extract(&mut self, src: Var, first: usize, c: usize) -> Result<Var> {
        let shape = self.shape(src);
        self.require(first + c <= shape.c, &format!("there are no {c} channels from {first} on"), &[src])?;
        Ok(self.push(Op::Extract { src, first }, Shape { c, ..shape }))
    }

    /// The sum of two.
    pub fn add(&mut self, terms: [Var; 2]) -> Result<Var> {
        let [a, b] = terms.map(|v| self.shape(v));
        self.require(a == b, "a sum wants two of one shape", &terms)?;
        Ok(self.push(Op::Add { terms }, a))
    }

    /// Drops channels at `rate` (0 to below 1); itself at 0.
    pub fn dropout(&mut self, src: Var, rate: f32, site: u32) -> Result<Var> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::Usage(format!("a dropout rate is from 0 to below 1, not {rate}")));
        }
        let shape = self.shape(src);
        Ok(if rate == 0.0 { src } else { self.push(Op::Dropout { src, rate, site }, shape) })
    }

    /// The mean square error over pixels and channels.
    pub fn mse(&mut self, prediction: Var, target: Var, weights: Option<Var>) -> Result<Var> {
        let same = self.shape(prediction) == self.shape(target);
        self.require(same, "a mean square error wants two of one shape", &[prediction, target])?;
        self.weighed(prediction, weights)?;
        Ok(self.push(Op::Mse { prediction, target, weights }, Shape::SCALAR))
    }

    /// The mean total variation.
    pub fn total_variation(&mut self, prediction: Var, weights: Option<Var>) -> Result<Var> {
        self.weighed(prediction, weights)?;
        Ok(self.push(Op::TotalVariation { prediction, weights }, Shape::SCALAR))
    }

    fn weighed(&self, prediction: Var, weights: Option<Var>) -> Result<()> {
        let Some(weights) = weights else { return Ok(()) };
        let fits = self.shape(weights) == Shape { c: 1, ..self.shape(prediction) };
        self.require(fits, "weights have a value a pixel", &[prediction, weights])
    }

    /// Up to four numbers times factors, summed.
    pub fn combine(&mut self, terms: &[(Var, f32)]) -> Result<Var> {
        let vars: Vec<_> = terms.iter().map(|(var, _)| *var).collect();
        let fits = (1..=4).contains(&terms.len()) && vars.iter().all(|v| self.shape(*v) == Shape::SCALAR);
        self.require(fits, "a combination is of one to four numbers", &vars)?;
        Ok(self.push(Op::Combine { terms: terms.to_vec() }, Shape::SCALAR))
    }
}

impl std::fmt::Display for Tape {
    /// One line an operation: its variable, shape, name and inputs.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        for (i, node) in self.nodes.iter().enumerate() {
            let op = format!("{:?}", node.op).replace("Var(", "%").replace(')', "");
            writeln!(f, "%{i:<4} {:<22} {op}", node.shape.to_string())?;
        }
        Ok(())
    }
}
