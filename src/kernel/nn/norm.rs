//! Norm with Leaky ReLU, batch norm and instance norm alike; `kernels/norm.wgsl`.
//!
//! Forward, statistics come from [`super::norm_statistics`] (training) or [`super::norm_running`] (inference);
//! backward, [`super::norm_sums`] goes before [`super::norm_grad`], and [`super::sum_groups`] of its sums
//! gives the gradients of γ (column 1) and β (column 0).
//! Backward pass of a norm, first half: its two sums per group and channel; `kernels/norm_sums.wgsl`.
//! Backward pass of a norm, second half: the gradient of its input; `kernels/norm_grad.wgsl`.

use crate::kernel::core::reduce::{self, chunk};
use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct NormParams { x: Place, statistics: Place, dst: Place, count: u32, quads: u32, run: u32, gamma_first: u32, beta_first: u32, slope: f32 }
}

/// The row of the table of kernels.
pub static NORM: Kernel = Kernel {
    name: "norm",
    source: include_str!("../../../kernels/nn/norm.wgsl"),
    bindings: &[
        read("x", "vec4f"),
        read("statistics", "vec4f"),
        read("gamma", "vec4f"),
        read("beta", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: NormParams::LAYOUT,
    specs: || specs(&NORM),
};

/// What is added to the variance, as in PyTorch.
pub const EPSILON: f32 = 1e-5;

/// The pixels that share their statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// All pixels of the batch: batch norm.
    Batch,
    /// The pixels of one image: instance norm.
    Image,
}

impl Per {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Batch, Self::Image];

    /// Groups of pixels with statistics of their own in `n` images.
    pub const fn groups(self, n: usize) -> usize {
        match self {
            Self::Batch => 1,
            Self::Image => n,
        }
    }

    /// The shape of the statistics of `x`: `[groups, 1, 2, c]`.
    pub const fn statistics(self, x: Shape) -> Shape {
        Shape::new(self.groups(x.n), 1, 2, x.c)
    }
}

/// Pixels that one thread computes; that of the shaders.
const PIXELS: usize = 8;

/// A norm of `x` and the Leaky ReLU after it.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// What is normalised.
    pub x: Tensor,
    /// `[groups, 1, 2, c]`: mean, and 1/√(variance + ε), of each group. One group, or one for each image.
    pub statistics: Tensor,
    /// γ and β, `[1, 1, 1, c]` each; without them 1 and 0.
    pub affine: Option<(Tensor, Tensor)>,
    /// The slope of the Leaky ReLU below 0; 1 for the norm alone.
    pub slope: f32,
}

impl Norm {
    /// The specialisation of `kernel` for this norm.
    pub(crate) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("AFFINE", self.affine.is_some().into())])
    }

    /// Groups of pixels with statistics of their own.
    pub(crate) fn groups(self) -> usize {
        self.statistics.shape.n
    }

    /// Pixels of one group.
    pub(crate) fn run(self) -> usize {
        self.x.shape.pixels() / self.groups()
    }

    /// Threads of [`norm`](self) and [`super::norm_grad`]: one for each strip of [`PIXELS`] pixels of a group, and quad.
    pub(crate) fn threads(self) -> usize {
        self.groups() * self.run().div_ceil(PIXELS) * self.x.shape.quads()
    }

    /// What is bound as γ and β; without them something that is never read.
    pub(crate) fn scale_and_shift(self) -> (Tensor, Tensor) {
        self.affine.unwrap_or((self.statistics, self.statistics))
    }
}

/// Records leaky(γ (x − mean) / √(variance + ε) + β) into `dst`, of the shape of `x`.
pub fn record(rec: &mut Recorder, norm: Norm, dst: Tensor) {
    let Norm { x, statistics, slope, .. } = norm;
    let (gamma, beta) = norm.scale_and_shift();
    let threads = norm.threads();
    let params = NormParams {
        count: threads as u32,
        quads: x.shape.quads() as u32,
        run: norm.run() as u32,
        x: x.place(),
        statistics: statistics.place(),
        gamma_first: gamma.first,
        beta_first: beta.first,
        dst: dst.place(),
        slope,
    };
    let resources = [x, statistics, gamma, beta, dst].map(Tensor::bound);
    rec.linear(
        norm.spec(&NORM),
        &params,
        &resources,
        threads,
        Cost::each(x.shape.pixels() * x.shape.quads(), 4 * 6, 32),
    );
}

/// Specialisations without and with γ and β.
pub(crate) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
    (0..2).map(|affine| Spec::new(kernel, &[("AFFINE", affine)])).collect()
}

params! {
    struct NormSumsParams { x: Place, statistics: Place, grad: Place, count: u32, quads: u32, run: u32, chunk: u32, groups: u32, gamma_first: u32, beta_first: u32, slope: f32 }
}

/// The row of the table of kernels.
pub static NORM_SUMS: Kernel = Kernel {
    name: "norm_sums",
    source: include_str!("../../../kernels/nn/norm_sums.wgsl"),
    bindings: &[
        read("x", "vec4f"),
        read("statistics", "vec4f"),
        read("gamma", "vec4f"),
        read("beta", "vec4f"),
        read("grad", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: NormSumsParams::LAYOUT,
    specs: || specs(&NORM_SUMS),
};

/// Records S₀ = Σ g′ and S₁ = Σ g′ x̂ of each group into `dst`, `[groups, 1, 2, c]`, with x̂ the normalised
/// x and g′ = `grad` leaky′(γ x̂ + β); leaky′(0) is the slope.
pub fn record_sums(rec: &mut Recorder, norm: Norm, grad: Tensor, dst: Tensor) {
    let Norm { x, statistics, slope, .. } = norm;
    let (gamma, beta) = norm.scale_and_shift();
    let (groups, run, quads) = (norm.groups(), norm.run(), x.shape.quads());
    let chunks = run.div_ceil(chunk(run));
    let threads = chunks * groups * quads;
    let params = NormSumsParams {
        count: threads as u32,
        quads: quads as u32,
        run: run as u32,
        chunk: chunk(run) as u32,
        groups: groups as u32,
        x: x.place(),
        statistics: statistics.place(),
        gamma_first: gamma.first,
        beta_first: beta.first,
        grad: grad.place(),
        slope,
    };
    let partial = rec.scratch::<[f32; 4]>("partial sums of a norm", 2 * threads);
    let [x_, statistics, gamma, beta, grad] = [x, statistics, gamma, beta, grad].map(Tensor::bound);
    let resources = [x_, statistics, gamma, beta, grad, partial.first::<[f32; 4]>(2 * threads)];
    let cost = Cost::each(x.shape.pixels() * quads, 4 * 9, 32);
    rec.linear(norm.spec(&NORM_SUMS), &params, &resources, threads, cost);
    reduce::record(rec, partial, chunks, dst);
}

params! {
    struct NormGradParams { x: Place, statistics: Place, grad: Place, sums: Place, dst: Place, count: u32, quads: u32, run: u32, gamma_first: u32, beta_first: u32, slope: f32 }
}

/// The row of the table of kernels.
pub static NORM_GRAD: Kernel = Kernel {
    name: "norm_grad",
    source: include_str!("../../../kernels/nn/norm_grad.wgsl"),
    bindings: &[
        read("x", "vec4f"),
        read("statistics", "vec4f"),
        read("gamma", "vec4f"),
        read("beta", "vec4f"),
        read("grad", "vec4f"),
        read("sums", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: NormGradParams::LAYOUT,
    specs: || specs(&NORM_GRAD),
};

/// Records the gradient of the norm's `x` into `dst`, for statistics that depend on it:
/// γ / √(variance + ε) (g′ − S₀/m − x̂ S₁/m) with m pixels to a group and `sums` those of
/// [`super::norm_sums`].
pub fn record_grad(rec: &mut Recorder, norm: Norm, grad: Tensor, sums: Tensor, dst: Tensor) {
    let Norm { x, statistics, slope, .. } = norm;
    let (gamma, beta) = norm.scale_and_shift();
    let threads = norm.threads();
    let params = NormGradParams {
        count: threads as u32,
        quads: x.shape.quads() as u32,
        run: norm.run() as u32,
        x: x.place(),
        statistics: statistics.place(),
        gamma_first: gamma.first,
        beta_first: beta.first,
        grad: grad.place(),
        sums: sums.place(),
        dst: dst.place(),
        slope,
    };
    let resources = [x, statistics, gamma, beta, grad, sums, dst].map(Tensor::bound);
    rec.linear(
        norm.spec(&NORM_GRAD),
        &params,
        &resources,
        threads,
        Cost::each(x.shape.pixels() * x.shape.quads(), 4 * 12, 48),
    );
}
