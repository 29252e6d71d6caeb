//! Norm with Leaky ReLU, for batch norm and instance norm: the forward pass (`kernels/nn/norm.wgsl`), and the backward
//! pass in two halves, the two sums per group and channel (`kernels/nn/norm_sums.wgsl`) and the gradient of the input
//! (`kernels/nn/norm_grad.wgsl`).
//!
//! The statistics of the forward pass come from `norm_statistics::record` in
//! training, and from `record_running` at inference. The gradients of γ
//! (column 1) and β (column 0) are `record_groups` of the sums of `record_sums`.

mod native;

use crate::kernel::core::reduce::{self, chunk};
use crate::plan::{Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

/// The number ε that is added to the variance, as in PyTorch.
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
    /// Both variants.
    pub const ALL: [Self; 2] = [Self::Batch, Self::Image];

    /// The number of groups in `n` images; each has its own statistics.
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

/// The number of pixels that one thread computes: `PIXELS` of the shaders.
const PIXELS: usize = 8;

/// A norm of `x` followed by Leaky ReLU.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// The input.
    pub x: Tensor,
    /// Mean and 1/√(variance + ε) of each group, `[groups, 1, 2, c]`. There is one group, or one for each image.
    pub statistics: Tensor,
    /// γ and β, `[1, 1, 1, c]` each; if absent, 1 and 0.
    pub affine: Option<(Tensor, Tensor)>,
    /// The slope of the Leaky ReLU below 0; 1 for the norm alone.
    pub slope: f32,
}

impl Norm {
    /// The specialisation of `kernel` for this norm.
    pub(crate) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("AFFINE", self.affine.is_some().into())])
    }

    /// The number of groups of pixels.
    pub(crate) fn groups(self) -> usize {
        self.statistics.shape.n
    }

    /// The number of pixels of one group.
    pub(crate) fn run(self) -> usize {
        self.x.shape.pixels() / self.groups()
    }

    /// The number of threads of [`record`] and [`record_grad`]: one per quad of each strip of [`PIXELS`] pixels of a
    /// group.
    pub(crate) fn threads(self) -> usize {
        self.groups() * self.run().div_ceil(PIXELS) * self.x.shape.quads()
    }

    /// The tensors to bind as γ and β. Without them, any tensor serves, because it is never read.
    pub(crate) fn scale_and_shift(self) -> (Tensor, Tensor) {
        self.affine.unwrap_or((self.statistics, self.statistics))
    }
}

/// The specialisations without and with γ and β.
pub(crate) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
    (0..2).map(|affine| Spec::new(kernel, &[("AFFINE", affine)])).collect()
}

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
    native: Some(native::norm),
};

/// Records leaky(γ (x − mean) / √(variance + ε) + β) into `dst`, of the shape of `x`.
pub(crate) fn record(rec: &mut Recorder, norm: Norm, dst: Tensor) {
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
    native: Some(native::norm_sums),
};

/// Records S₀ = Σ g′ and S₁ = Σ g′ x̂ of each group into `dst`, `[groups, 1, 2, c]`. x̂ is the normalised x, and
/// g′ = `grad` leaky′(γ x̂ + β); leaky′(0) is the slope.
pub(crate) fn record_sums(rec: &mut Recorder, norm: Norm, grad: Tensor, dst: Tensor) {
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
    native: Some(native::norm_grad),
};

/// Records the gradient of the norm's `x` into `dst`, through the statistics as well:
/// γ / √(variance + ε) (g′ − S₀/m − x̂ S₁/m) with m pixels per group. `sums` holds S₀ and S₁ from [`record_sums`].
pub(crate) fn record_grad(rec: &mut Recorder, norm: Norm, grad: Tensor, sums: Tensor, dst: Tensor) {
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
