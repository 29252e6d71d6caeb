//! Backward pass of a norm, second half: the gradient of its input; `kernels/norm_grad.wgsl`.

use super::norm::{Norm, Per, SIZES, made_up, specs};
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::Tensor;

params! {
    /// `Params` of `kernels/norm_grad.wgsl`.
    struct Uniform {
        n: u32, quads: u32, run: u32,
        x_first: u32, x_pitch: u32,
        statistics_first: u32, statistics_pitch: u32,
        gamma_first: u32, beta_first: u32,
        grad_first: u32, grad_pitch: u32,
        sums_first: u32, sums_pitch: u32,
        dst_first: u32, dst_pitch: u32,
        slope: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "norm_grad",
    source: include_str!("../../kernels/norm_grad.wgsl"),
    bindings: &[
        uniform("p"),
        read("x"),
        read("statistics"),
        read("gamma"),
        read("beta"),
        read("grad"),
        read("sums"),
        write("dst"),
    ],
    params: Uniform::LAYOUT,
    specs: || specs(&KERNEL),
    sizes: &SIZES,
    trial: try_out,
};

/// Records the gradient of the norm's `x` into `dst`, for statistics that depend on it:
/// γ / √(variance + ε) (g′ − S₀/m − x̂ S₁/m) with m pixels to a group and `sums` those of
/// [`super::norm_sums`].
pub fn record(rec: &mut Recorder, norm: Norm, grad: Tensor, sums: Tensor, dst: Tensor) {
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
        grad_first: grad.first,
        grad_pitch: grad.pitch,
        sums_first: sums.first,
        sums_pitch: sums.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
        slope,
    };
    let resources = [x, statistics, gamma, beta, grad, sums, dst].map(|t| t.buf.into());
    rec.linear(
        norm.spec(&KERNEL),
        &params,
        &resources,
        threads,
        Cost::each(x.shape.pixels() * x.shape.quads(), 4 * 12, 48),
    );
}

fn try_out(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mut results = Vec::new();
    for per in Per::ALL {
        let (norm, values) = made_up(rec, spec, size, per, rng);
        let grad = trial::random(rng, norm.x.shape);
        // As large as sums over a group may be, so that both terms show.
        let sums = super::norm::narrow(trial::random(rng, norm.statistics.shape) * norm.run() as f64);
        let (up, device_sums) = (trial::upload(rec, "gradient", &grad), trial::upload(rec, "sums", &sums));
        let dst = trial::room(rec, "gradient of x", norm.x.shape);
        record(rec, norm, up, device_sums, dst);
        results.push(trial::expect(dst, &oracle::norm_grad(&values, &grad, &sums), 1e-6));
    }
    results
}
