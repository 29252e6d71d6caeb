//! The measured cases: each kernel of the network at one layer's shape, recorded as the network records it, with the
//! passes that belong to it.

use crate::error::Result;
use crate::kernel::core::reduce;
use crate::kernel::form::{Chooser, Question, Work};
use crate::kernel::learning::adam::{self, AdamBuffers, AdamSettings};
use crate::kernel::learning::{mse, total_variation};
use crate::kernel::nn::convolve::{Finish, Geometry};
use crate::kernel::nn::norm::{Norm, Per};
use crate::kernel::nn::pool::Pooling;
use crate::kernel::nn::upsample::Upsampling;
use crate::kernel::nn::{
    add, concatenate, convolve, convolve_weights, dropout, norm, norm_statistics, pack, pad, pool, sums,
    upsample,
};
use crate::plan::{Cost, Dispatch, Recorder, Spec};
use crate::tensor::{Shape, Tensor};

/// The shapes of the table: those of a U-Net of 64 channels on patches of 30 × 30.
pub const REFERENCE: [Layer; 4] =
    [Layer::square(64, 30), Layer::square(128, 15), Layer::square(256, 7), Layer::square(512, 3)];

/// Other layers: of the same network the first one, one after a concatenation and one that widens; and two of a network
/// of 16 channels, like the networks that are shipped with palpate.
pub const OTHERS: [Layer; 5] = [
    Layer { ci: 2, co: 64, side: 30 },
    Layer { ci: 128, co: 64, side: 30 },
    Layer { ci: 64, co: 128, side: 15 },
    Layer::square(16, 30),
    Layer::square(32, 15),
];

/// A layer: its input and output channels, and the rows (and columns) of its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Input channels.
    pub ci: usize,
    /// Output channels.
    pub co: usize,
    /// The number of rows, and of columns.
    pub side: usize,
}

impl Layer {
    const fn square(c: usize, side: usize) -> Self {
        Self { ci: c, co: c, side }
    }
}

impl std::fmt::Display for Layer {
    /// Writes `64@30²`, or `2→64@30²` if the channels differ.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        if self.ci != self.co {
            write!(f, "{}→", self.ci)?;
        }
        write!(f, "{}@{}²", self.co, self.side)
    }
}

/// A kernel of the table, and the function that records it.
pub struct Case {
    /// The name, for example `conv3x3_forward`.
    pub name: &'static str,
    record: fn(&mut Site) -> Result<()>,
}

/// The state while a case is recorded.
struct Site<'a> {
    rec: Recorder,
    chooser: &'a Chooser,
    batch: usize,
    layer: Layer,
    /// The source of random values; `None` if no values are needed.
    rng: Option<fastrand::Rng>,
    /// The f32 that a convolution reads and writes at least, in any form.
    floats: Option<usize>,
    /// The questions that the case asks of a chooser.
    questions: Vec<Question>,
}

/// A recorded case.
pub struct Recorded {
    /// All dispatches.
    pub rec: Recorder,
    /// The specialisation of the dispatch with the most work.
    pub spec: String,
    /// The useful arithmetic, and the bytes that have to move. A convolution counts 2 n h w ci co taps.
    pub cost: Cost,
}

impl Case {
    /// Records the case at `layer` for batches of `batch`, on random values.
    ///
    /// # Errors
    /// [`Error::Kernel`](crate::Error::Kernel) if no form computes correctly on this device.
    pub fn record(&self, chooser: &Chooser, batch: usize, layer: Layer) -> Result<Recorded> {
        let Site { rec, floats, .. } = self.site(chooser, batch, layer, Some(fastrand::Rng::with_seed(1)))?;
        let all = rec.dispatches();
        let work = |d: &&Dispatch| d.cost().flops + d.cost().bytes;
        let most = all.iter().max_by(|a, b| work(a).total_cmp(&work(b)));
        let spec = most.map(|d| d.spec().label()).unwrap_or_default();
        // Reductions and flips beside a convolution do not count as useful work.
        let convolves = |d: &&Dispatch| d.spec().kernel.name.starts_with("convolve");
        let counted: Vec<_> = if all.iter().any(|d| convolves(&d)) {
            all.iter().filter(convolves).collect()
        } else {
            all.iter().collect()
        };
        let cost = Cost {
            flops: counted.iter().map(|d| d.cost().flops).sum(),
            bytes: floats
                .map_or_else(|| all.iter().map(|d| d.cost().bytes).sum(), |floats| 4.0 * floats as f64),
        };
        Ok(Recorded { rec, spec, cost })
    }

    /// The questions that the case asks of a chooser, for tuning.
    ///
    /// # Errors
    /// The errors of [`Case::record`].
    pub fn questions(&self, chooser: &Chooser, batch: usize, layer: Layer) -> Result<Vec<Question>> {
        Ok(self.site(chooser, batch, layer, None)?.questions)
    }

    /// The specialisations that the case runs, for qualification.
    ///
    /// # Errors
    /// The errors of [`Case::record`].
    pub fn specs(&self, chooser: &Chooser, batch: usize, layer: Layer) -> Result<Vec<Spec>> {
        Ok(self.site(chooser, batch, layer, None)?.rec.specs())
    }

    fn site<'a>(
        &self,
        chooser: &'a Chooser,
        batch: usize,
        layer: Layer,
        rng: Option<fastrand::Rng>,
    ) -> Result<Site<'a>> {
        let (rec, questions) = (Recorder::new(), Vec::new());
        let mut site = Site { rec, chooser, batch, layer, rng, floats: None, questions };
        (self.record)(&mut site)?;
        Ok(site)
    }
}

impl Site<'_> {
    fn images(&self, side: usize, c: usize) -> Shape {
        Shape::new(self.batch, side, side, c)
    }

    /// The shape of the layer's output.
    fn out(&self) -> Shape {
        self.images(self.layer.side, self.layer.co)
    }

    fn random(&mut self, label: &'static str, shape: Shape) -> Tensor {
        let Some(rng) = &mut self.rng else { return Tensor::scratch(&mut self.rec, label, shape) };
        // The values repeat a block, because random numbers for large tensors would take long.
        let block: Vec<f32> = (0..shape.floats().min(1 << 14)).map(|_| rng.f32() - 0.5).collect();
        let values: Vec<f32> = block.iter().copied().cycle().take(shape.floats()).collect();
        Tensor::whole(self.rec.constant(label, &values), shape)
    }

    fn result(&mut self, shape: Shape) -> Tensor {
        Tensor::scratch(&mut self.rec, "result", shape)
    }

    /// Records `work` from random images of `from` to images of `to`.
    fn map(
        &mut self,
        from: Shape,
        to: Shape,
        work: impl FnOnce(&mut Recorder, Tensor, Tensor),
    ) -> Result<()> {
        let (src, dst) = (self.random("source", from), self.result(to));
        work(&mut self.rec, src, dst);
        Ok(())
    }

    /// The shapes before and after `geometry`, which ends at this layer.
    fn ends(&mut self, geometry: Geometry) -> [Shape; 2] {
        let Layer { ci, co, side } = self.layer;
        let ends = if geometry == Geometry::Up {
            // The even part of an odd side, as in the network, where the rest is padding.
            let half = (side / 2).max(1);
            [self.images(half, 2 * ci), self.images(2 * half, co)]
        } else {
            [self.images(side, ci), self.images(side, co)]
        };
        let weights = geometry.weights(ends[0].c, ends[1].c);
        self.floats = Some(ends.iter().chain([&weights]).map(|shape| shape.floats()).sum());
        ends
    }

    fn forward(&mut self, geometry: Geometry) -> Result<()> {
        let [from, to] = self.ends(geometry);
        self.questions.push(Question::new(Work::Convolution, geometry, from, to.c));
        let form = self.chooser.convolve(geometry, Finish::Plain, from, to.c)?;
        let weights = self.random("weights", geometry.weights(from.c, to.c));
        let filter = (weights, Finish::Plain);
        self.map(from, to, |rec, src, dst| convolve::record(rec, form, geometry, src, filter, dst))
    }

    fn grad_input(&mut self, geometry: Geometry) -> Result<()> {
        let [from, to] = self.ends(geometry);
        self.questions.push(Question::new(Work::Convolution, geometry.gradient(), to, from.c));
        let form = self.chooser.convolve(geometry.gradient(), Finish::Plain, to, from.c)?;
        let weights = self.random("weights", geometry.weights(from.c, to.c));
        self.map(to, from, |rec, grad, dst| {
            convolve::record_gradient(rec, form, geometry, grad, weights, dst)
        })
    }

    fn grad_weight(&mut self, geometry: Geometry) -> Result<()> {
        let [from, to] = self.ends(geometry);
        self.questions.push(Question::new(Work::Weights, geometry, from, to.c));
        let form = self.chooser.convolve_weights(geometry, from, to.c)?;
        let (src, grad) = (self.random("source", from), self.random("gradient", to));
        let dst = self.result(geometry.weights(from.c, to.c));
        let busy = self.chooser.workgroups();
        let (parts, count) = convolve_weights::record(&mut self.rec, form, geometry, src, grad, busy);
        reduce::record(&mut self.rec, parts.buf, count, dst);
        Ok(())
    }

    /// A batch norm with Leaky ReLU, and its upstream gradient.
    fn norm(&mut self) -> (Norm, Tensor) {
        let shape = self.out();
        let row = Shape::new(1, 1, 1, shape.c);
        let x = self.random("x", shape);
        let statistics = self.random("statistics", Per::Batch.statistics(shape));
        let affine = Some((self.random("scale", row), self.random("shift", row)));
        let grad = self.random("gradient", shape);
        (Norm { x, statistics, affine, slope: 0.2 }, grad)
    }

    /// The shape with half the rows and columns.
    fn halved(&self) -> Shape {
        let Shape { n, h, w, c } = self.out();
        Shape::new(n, h / 2, w / 2, c)
    }

    /// The shapes before and after padding by one row and one column; the latter is the layer's output.
    fn padded(&self) -> [Shape; 2] {
        let whole = self.out();
        [Shape { h: whole.h - 1, w: whole.w - 1, ..whole }, whole]
    }

    /// A prediction, its truth, a mask, a loss, its weight, and the upstream gradient.
    fn loss(&mut self) -> [Tensor; 6] {
        let shape = self.out();
        let mask = Shape { c: 1, ..shape };
        [
            self.random("prediction", shape),
            self.random("truth", shape),
            self.random("mask", mask),
            self.result(Shape::SCALAR),
            self.result(Shape::SCALAR),
            self.random("upstream", Shape::SCALAR),
        ]
    }
}

const fn case(name: &'static str, record: fn(&mut Site) -> Result<()>) -> Case {
    Case { name, record }
}

/// The convolutions, which have several forms.
pub static CONVOLUTIONS: &[Case] = &[
    case("conv3x3_forward", |s| s.forward(Geometry::Three)),
    case("conv3x3_grad_input", |s| s.grad_input(Geometry::Three)),
    case("conv3x3_grad_weight", |s| s.grad_weight(Geometry::Three)),
    case("conv1x1_forward", |s| s.forward(Geometry::One)),
    case("conv1x1_grad_input", |s| s.grad_input(Geometry::One)),
    case("conv1x1_grad_weight", |s| s.grad_weight(Geometry::One)),
    case("conv_up_forward", |s| s.forward(Geometry::Up)),
    case("conv_up_grad_input", |s| s.grad_input(Geometry::Up)),
    case("conv_up_grad_weight", |s| s.grad_weight(Geometry::Up)),
];

/// All other kernels.
pub static OTHER_KERNELS: &[Case] = &[
    case("norm_statistics", |s| {
        let (shape, statistics) = (s.out(), Per::Batch.statistics(s.out()));
        s.map(shape, statistics, |rec, x, dst| norm_statistics::record(rec, x, Per::Batch, None, 0.1, dst))
    }),
    case("norm", |s| {
        let ((norm, _), dst) = (s.norm(), s.result(s.out()));
        norm::record(&mut s.rec, norm, dst);
        Ok(())
    }),
    case("norm_sums", |s| {
        let ((norm, grad), dst) = (s.norm(), s.result(Per::Batch.statistics(s.out())));
        norm::record_sums(&mut s.rec, norm, grad, dst);
        Ok(())
    }),
    case("norm_grad", |s| {
        let (norm, grad) = s.norm();
        let (sums, dst) = (s.random("sums", norm.statistics.shape), s.result(s.out()));
        norm::record_grad(&mut s.rec, norm, grad, sums, dst);
        Ok(())
    }),
    case("norm_running", |s| {
        let shape = Per::Batch.statistics(s.out());
        s.map(shape, shape, norm_statistics::record_running)
    }),
    case("sum_groups", |s| {
        let (from, to) = (Per::Image.statistics(s.out()), Shape::new(1, 1, 1, s.layer.co));
        s.map(from, to, |rec, sums, dst| sums::record_groups(rec, sums, 0, dst))
    }),
    case("dropout", |s| {
        let step = s.rec.constant("step", &[1u32; 8]);
        s.map(s.out(), s.out(), |rec, src, dst| dropout::record(rec, step, src, 0.1, 0, dst))
    }),
    case("pool", |s| s.map(s.out(), s.halved(), |rec, src, dst| pool::record(rec, src, Pooling::Max, dst))),
    case("pool_grad", |s| {
        let input = s.random("input", s.out());
        s.map(s.halved(), s.out(), |rec, grad, dst| pool::record_grad(rec, input, grad, Pooling::Max, dst))
    }),
    case("upsample", |s| {
        let half = s.halved();
        let to = Shape { h: 2 * half.h, w: 2 * half.w, ..half };
        s.map(half, to, |rec, src, dst| upsample::record(rec, src, Upsampling::Bilinear, dst))
    }),
    case("upsample_grad", |s| {
        let half = s.halved();
        let from = Shape { h: 2 * half.h, w: 2 * half.w, ..half };
        s.map(from, half, |rec, grad, dst| upsample::record_grad(rec, grad, Upsampling::Bilinear, dst))
    }),
    case("pad", |s| {
        let [from, to] = s.padded();
        s.map(from, to, pad::record)
    }),
    case("pad_grad", |s| {
        let [from, to] = s.padded();
        s.map(to, from, pad::record_grad)
    }),
    case("concatenate", |s| {
        let (shape, second) = (s.out(), s.random("second", s.out()));
        s.map(shape, Shape { c: 2 * shape.c, ..shape }, |rec, first, dst| {
            concatenate::record(rec, first, second, dst);
        })
    }),
    case("extract", |s| {
        let shape = s.out();
        s.map(Shape { c: 2 * shape.c, ..shape }, shape, |rec, src, dst| {
            concatenate::record_extract(rec, src, shape.c, dst)
        })
    }),
    case("add", |s| {
        let second = s.random("second", s.out());
        s.map(s.out(), s.out(), |rec, first, dst| add::record(rec, first, second, dst))
    }),
    case("channel_sums", |s| {
        let row = Shape::new(1, 1, 1, s.layer.co);
        s.map(s.out(), row, sums::record_channels)
    }),
    case("pack", |s| {
        let shape = s.out();
        let src = s.rec.input::<f32>("images", shape.len());
        let dst = s.result(shape);
        pack::pack(&mut s.rec, src, dst);
        Ok(())
    }),
    case("unpack", |s| {
        let src = s.random("images", s.out());
        let dst = s.rec.output::<f32>("images", src.shape.len());
        pack::unpack(&mut s.rec, src, dst);
        Ok(())
    }),
    case("mse", |s| {
        let [prediction, truth, mask, loss, weight, _] = s.loss();
        mse::record(&mut s.rec, prediction, truth, Some(mask), loss, weight);
        Ok(())
    }),
    case("mse_grad", |s| {
        let [prediction, truth, mask, _, _, up] = s.loss();
        let dst = s.result(prediction.shape);
        mse::record_grad(&mut s.rec, prediction, truth, Some(mask), up, up, dst);
        Ok(())
    }),
    case("total_variation", |s| {
        let [prediction, _, mask, loss, weight, _] = s.loss();
        total_variation::record(&mut s.rec, prediction, Some(mask), 1e-8, loss, weight);
        Ok(())
    }),
    case("total_variation_grad", |s| {
        let [prediction, _, mask, _, _, up] = s.loss();
        let dst = s.result(prediction.shape);
        total_variation::record_grad(&mut s.rec, prediction, Some(mask), 1e-8, up, up, dst);
        Ok(())
    }),
    case("adam", |s| {
        let Layer { ci, co, .. } = s.layer;
        let shape = Geometry::Three.weights(ci, co);
        let [parameters, gradients, first, second] =
            ["parameters", "gradients", "first", "second"].map(|label| s.random(label, shape).buf);
        let step = s.rec.constant("step", &[adam::StepValues::new(1, 1, 1e-3, [0.9, 0.999])]);
        let norm = s.result(Shape::SCALAR);
        let state = AdamBuffers { parameters, gradients, moments: [first, second], len: shape.floats() };
        adam::record(&mut s.rec, step, state, norm, AdamSettings::default());
        Ok(())
    }),
];
