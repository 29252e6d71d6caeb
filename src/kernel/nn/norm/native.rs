//! The native forms of `norm`, `norm_sums` and `norm_grad`.

use super::{NormGradParams, NormParams, NormSumsParams};
use crate::kernel::quads::{channels, lanes, leaky, leaky_derivative, load, store};
use crate::plan::{Call, Place};

/// The groups and channels of a norm.
#[derive(Clone, Copy)]
struct Known<'a> {
    statistics: &'a [f32],
    place: Place,
    /// γ and β of all channels, if any.
    affine: Option<[&'a [f32]; 2]>,
}

impl<'a> Known<'a> {
    /// From the bindings that all kernels of a norm have in common.
    fn of(call: &Call<'a>, place: Place, gamma_first: u32, beta_first: u32) -> Self {
        let row = |binding, first: u32| &call.read::<f32>(binding)[4 * first as usize..];
        let affine = (call.constant("AFFINE") == 1).then(|| [row(2, gamma_first), row(3, beta_first)]);
        Self { statistics: call.read(1), place, affine }
    }

    /// `L` channels of a group, from channel `from` on.
    #[inline(always)]
    fn channels<const L: usize>(&self, group: usize, from: usize) -> Channels<L> {
        let [mean, rstd] = [0, 1].map(|i| load(self.statistics, self.place.at(2 * group + i) + from));
        let [scale, shift] = self.affine.map_or([[1.0; L], [0.0; L]], |rows| rows.map(|row| load(row, from)));
        Channels { mean, rstd, scale, shift }
    }
}

/// Statistics, γ and β of `L` channels.
struct Channels<const L: usize> {
    mean: [f32; L],
    rstd: [f32; L],
    scale: [f32; L],
    shift: [f32; L],
}

impl<const L: usize> Channels<L> {
    /// Returns x̂ = (x − mean) / σ.
    #[inline(always)]
    fn normalised(&self, x: [f32; L]) -> [f32; L] {
        channels(|c| (x[c] - self.mean[c]) * self.rstd[c])
    }

    /// Returns γ x̂ + β.
    #[inline(always)]
    fn scaled(&self, xhat: [f32; L]) -> [f32; L] {
        channels(|c| self.scale[c] * xhat[c] + self.shift[c])
    }

    /// Returns g′ = `grad` leaky′(γ x̂ + β).
    #[inline(always)]
    fn passed(&self, xhat: [f32; L], grad: [f32; L], slope: f32) -> [f32; L] {
        let z = self.scaled(xhat);
        channels(|c| grad[c] * leaky_derivative(z[c], slope))
    }
}

pub(super) fn norm(call: &mut Call) {
    let p: NormParams = call.params();
    let known = Known::of(call, p.statistics, p.gamma_first, p.beta_first);
    let x: &[f32] = call.read(0);
    let [quads, run] = [p.quads, p.run].map(|n| n as usize);
    let count = p.count as usize / quads / run.div_ceil(super::PIXELS) * run;
    p.dst.strips(
        call.team(),
        call.write(4),
        [count, quads],
        run,
        #[inline(always)]
        |group, pixels, dst| {
            let x = &x[p.x.at(pixels.start)..];
            lanes!(quads, |from, L| {
                let own = known.channels::<L>(group, from);
                for i in 0..pixels.len() {
                    let z = own.scaled(own.normalised(load(x, i * p.x.step() + from)));
                    store::<L>(dst, i * p.dst.step() + from, channels(|c| leaky(z[c], p.slope)));
                }
            });
        },
    );
}

pub(super) fn norm_sums(call: &mut Call) {
    let p: NormSumsParams = call.params();
    let known = Known::of(call, p.statistics, p.gamma_first, p.beta_first);
    let (x, grad): (&[f32], &[f32]) = (call.read(0), call.read(4));
    let [quads, run, chunk, groups] = [p.quads, p.run, p.chunk, p.groups].map(|n| n as usize);
    let (chunks, bytes) = (p.count as usize / quads, 32 * groups * run * quads);
    let dst = &mut call.write::<f32>(5)[..chunks * 8 * quads];
    call.team().split_reading(
        dst,
        8 * quads,
        bytes,
        #[inline(always)]
        |first, part| {
            for (k, sums) in (first..).zip(part.chunks_mut(8 * quads)) {
                let (group, begin) = (k % groups, k / groups * chunk);
                let (pixel, count) = (group * run + begin, chunk.min(run - begin));
                let (x, grad) = (&x[p.x.at(pixel)..], &grad[p.grad.at(pixel)..]);
                lanes!(quads, |from, L| {
                    let own = known.channels::<L>(group, from);
                    let [mut s0, mut s1] = [[0.0; L]; 2];
                    for i in 0..count {
                        let xhat = own.normalised(load(x, i * p.x.step() + from));
                        let passed = own.passed(xhat, load(grad, i * p.grad.step() + from), p.slope);
                        s0 = channels(|c| s0[c] + passed[c]);
                        s1 = channels(|c| s1[c] + passed[c] * xhat[c]);
                    }
                    store(sums, from, s0);
                    store(sums, 4 * quads + from, s1);
                });
            }
        },
    );
}

pub(super) fn norm_grad(call: &mut Call) {
    let p: NormGradParams = call.params();
    let known = Known::of(call, p.statistics, p.gamma_first, p.beta_first);
    let (x, grad, sums): (&[f32], &[f32], &[f32]) = (call.read(0), call.read(4), call.read(5));
    let [quads, run] = [p.quads, p.run].map(|n| n as usize);
    let count = p.count as usize / quads / run.div_ceil(super::PIXELS) * run;
    p.dst.strips(
        call.team(),
        call.write(6),
        [count, quads],
        run,
        #[inline(always)]
        |group, pixels, dst| {
            let (x, grad) = (&x[p.x.at(pixels.start)..], &grad[p.grad.at(pixels.start)..]);
            lanes!(quads, |from, L| {
                let own = known.channels::<L>(group, from);
                let factor = channels::<L>(|c| own.scale[c] * own.rstd[c]);
                let [mean0, mean1] = [0, 1].map(|i| {
                    let sum: [f32; L] = load(sums, p.sums.at(2 * group + i) + from);
                    channels::<L>(|c| sum[c] / run as f32)
                });
                for i in 0..pixels.len() {
                    let xhat = own.normalised(load(x, i * p.x.step() + from));
                    let passed = own.passed(xhat, load(grad, i * p.grad.step() + from), p.slope);
                    let gradient = channels(|c| factor[c] * (passed[c] - (mean0[c] + xhat[c] * mean1[c])));
                    store::<L>(dst, i * p.dst.step() + from, gradient);
                }
            });
        },
    );
}
