//! Backward pass of a norm, first half: its two sums per group and channel; `kernels/norm_sums.wgsl`.

use super::norm::{Norm, Per, SIZES, made_up, specs};
use super::params::params;
use super::reduce::{self, chunk};
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/norm_sums.wgsl`.
    struct Uniform {
        n: u32, quads: u32, run: u32, chunk: u32, groups: u32,
        x_first: u32, x_pitch: u32,
        statistics_first: u32, statistics_pitch: u32,
        gamma_first: u32, beta_first: u32,
        grad_first: u32, grad_pitch: u32,
        slope: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "norm_sums",
    source: include_str!("../../kernels/norm_sums.wgsl"),
    bindings: &[
        uniform("p"),
        read("x"),
        read("statistics"),
        read("gamma"),
        read("beta"),
        read("grad"),
        write("dst"),
    ],
    params: Uniform::LAYOUT,
    specs: || specs(&KERNEL),
    sizes: &SIZES,
    trial: try_out,
};

/// Records S₀ = Σ g′ and S₁ = Σ g′ x̂ of each group into `dst`, `[groups, 1, 2, c]`, with x̂ the normalised
/// x and g′ = `grad` leaky′(γ x̂ + β); leaky′(0) is the slope.
pub fn record(rec: &mut Recorder, norm: Norm, grad: Tensor, dst: Tensor) {
    let Norm { x, statistics, slope, .. } = norm;
    let (gamma, beta) = norm.scale_and_shift();
    let (groups, run, quads) = (norm.groups(), norm.run(), x.shape.quads());
    let chunks = run.div_ceil(chunk(run));
    let threads = chunks * groups * quads;
    let params = Uniform {
        n: threads as u32,
        quads: quads as u32,
        run: run as u32,
        chunk: chunk(run) as u32,
        groups: groups as u32,
        x_first: x.first,
        x_pitch: x.pitch,
        statistics_first: statistics.first,
        statistics_pitch: statistics.pitch,
        gamma_first: gamma.first,
        beta_first: beta.first,
        grad_first: grad.first,
        grad_pitch: grad.pitch,
        slope,
    };
    let partial = rec.scratch::<[f32; 4]>("partial sums of a norm", 2 * threads);
    let [x_, statistics, gamma, beta, grad] = [x, statistics, gamma, beta, grad].map(|t| t.buf.into());
    let resources = [x_, statistics, gamma, beta, grad, partial.into()];
    let cost = Cost::each(x.shape.pixels() * quads, 4 * 9, 32);
    rec.linear(norm.spec(&KERNEL), &params, &resources, threads, cost);
    reduce::record(rec, partial, chunks, dst);
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mut results = Vec::new();
    for per in Per::ALL {
        let (norm, values) = made_up(rec, spec, size, per, rng);
        let grad = trial::random(rng, norm.x.shape);
        let up = trial::upload(rec, "gradient", &grad);
        let dst = trial::room(rec, "sums", norm.statistics.shape);
        record(rec, norm, up, dst);
        results.push(trial::expect(dst, &oracle::norm_sums(&values, &grad), 2e-6));
    }
    results
}
