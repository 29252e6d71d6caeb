//! Norm with Leaky ReLU, batch norm and instance norm alike; `kernels/norm.wgsl`.
//!
//! Forward, statistics come from [`super::norm_statistics`] (training) or [`super::norm_running`] (inference);
//! backward, [`super::norm_sums`] goes before [`super::norm_grad`], and [`super::sum_groups`] of its sums
//! gives the gradients of γ (column 1) and β (column 0).

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};
use ndarray::Array4;

params! {
    /// `Params` of `kernels/norm.wgsl`.
    struct Uniform {
        n: u32, quads: u32, run: u32,
        x_first: u32, x_pitch: u32,
        statistics_first: u32, statistics_pitch: u32,
        gamma_first: u32, beta_first: u32,
        dst_first: u32, dst_pitch: u32,
        slope: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "norm",
    source: include_str!("../../kernels/norm.wgsl"),
    bindings: &[uniform("p"), read("x"), read("statistics"), read("gamma"), read("beta"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || specs(&KERNEL),
    sizes: &SIZES,
    trial: try_out,
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
    pub(super) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("AFFINE", self.affine.is_some().into())])
    }

    /// Groups of pixels with statistics of their own.
    pub(super) fn groups(self) -> usize {
        self.statistics.shape.n
    }

    /// Pixels of one group.
    pub(super) fn run(self) -> usize {
        self.x.shape.pixels() / self.groups()
    }

    /// Threads of [`norm`](self) and [`super::norm_grad`]: one for each strip of [`PIXELS`] pixels of a group, and quad.
    pub(super) fn threads(self) -> usize {
        self.groups() * self.run().div_ceil(PIXELS) * self.x.shape.quads()
    }

    /// What is bound as γ and β; without them something that is never read.
    pub(super) fn scale_and_shift(self) -> (Tensor, Tensor) {
        self.affine.unwrap_or((self.statistics, self.statistics))
    }
}

/// Records leaky(γ (x − mean) / √(variance + ε) + β) into `dst`, of the shape of `x`.
pub fn record(rec: &mut Recorder, norm: Norm, dst: Tensor) {
    let Norm { x, statistics, slope, .. } = norm;
    let (gamma, beta) = norm.scale_and_shift();
    let threads = norm.threads();
    let params = Uniform {
        n: threads as u32,
        quads: x.shape.quads() as u32,
        run: norm.run() as u32,
        x_first: x.first,
        x_pitch: x.pitch,
        statistics_first: statistics.first,
        statistics_pitch: statistics.pitch,
        gamma_first: gamma.first,
        beta_first: beta.first,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
        slope,
    };
    let resources = [x, statistics, gamma, beta, dst].map(|t| t.buf.into());
    rec.linear(
        norm.spec(&KERNEL),
        &params,
        &resources,
        threads,
        Cost::each(x.shape.pixels() * x.shape.quads(), 4 * 6, 32),
    );
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mut results = Vec::new();
    for per in Per::ALL {
        let (norm, values) = made_up(rec, spec, size, per, rng);
        let dst = trial::room(rec, "y", norm.x.shape);
        record(rec, norm, dst);
        results.push(trial::expect(dst, &oracle::norm(&values), 1e-6));
    }
    results
}

/// Specialisations without and with γ and β.
pub(super) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
    (0..2).map(|affine| Spec::new(kernel, &[("AFFINE", affine)])).collect()
}

/// Sizes to try the kernels of a norm on.
pub(super) const SIZES: [Size; 6] = [
    Size::batch(1, [1, 1], 1, 1),
    Size::batch(5, [1, 7], 2, 2),
    Size::batch(1, [41, 47], 3, 3),
    Size::batch(2, [55, 13], 5, 5),
    Size::batch(128, [3, 3], 4, 4),
    Size::batch(8, [30, 30], 32, 32),
];

/// A norm for a trial, on the device and for its oracle. Statistics, γ and β are made up as well.
pub(super) fn made_up(
    rec: &mut Recorder,
    spec: &Spec,
    size: Size,
    per: Per,
    rng: &mut fastrand::Rng,
) -> (Norm, oracle::Norm) {
    let shape = size.shape(size.channels[0]);
    let slope = 0.2f32;
    let mut statistics = trial::random(rng, per.statistics(shape));
    // A deviation is positive; a mean far from 0 is the business of norm_moments.
    statistics.slice_mut(ndarray::s![.., .., 1, ..]).mapv_inplace(|v| v.abs() + 0.5);
    let affine = (spec.constant("AFFINE") == 1).then(|| {
        let row = Shape::new(1, 1, 1, shape.c);
        let gamma = trial::random(rng, row).mapv(|v| v + v.signum() * 0.5);
        (narrow(gamma), trial::random(rng, row))
    });
    let x = trial::random(rng, shape);
    let mut values = oracle::Norm { x, statistics: narrow(statistics), affine, slope: f64::from(slope) };
    // Off the kink, on either side of which f32 and f64 may find themselves.
    let z = oracle::norm(&oracle::Norm { slope: 1.0, ..values.clone() });
    values.x.zip_mut_with(&z, |x, z| *x += if z.abs() < 1e-4 { 0.125 } else { 0.0 });
    values.x = narrow(values.x);

    let norm = Norm {
        x: trial::upload(rec, "x", &values.x),
        statistics: trial::upload(rec, "statistics", &values.statistics),
        affine: values
            .affine
            .as_ref()
            .map(|(gamma, beta)| (trial::upload(rec, "gamma", gamma), trial::upload(rec, "beta", beta))),
        slope,
    };
    (norm, values)
}

/// The values an f32 can have.
pub(super) fn narrow(values: Array4<f64>) -> Array4<f64> {
    values.mapv(|v| f64::from(v as f32))
}
