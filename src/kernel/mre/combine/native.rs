//! The native form of `combine`. It names quantities as the shader does.

use super::{CombineParams, SAMPLES};
use crate::kernel::mre::planes::MmdiMap;
use crate::kernel::quads::Quad;
use crate::plan::Call;
use std::array::from_fn;

const TINY: f32 = 1e-30;
const SQUARE_MIN: f32 = 1e-9;

/// The number of pixels whose sums are copied together. Planes of a power of two compete for the same lines of a cache,
/// so twelve of them are not read side by side.
const PIXELS: usize = 32;

pub(super) fn native(call: &mut Call) {
    let p: CombineParams = call.params();
    let n = p.count as usize;
    let (sums, mask): (&[Quad], &[f32]) = (call.read(0), call.read(1));
    let (curves, _) = call.read::<[f32; 2]>(2).as_chunks::<SAMPLES>();
    let models = from_fn(|m| Model { noise: p.noise[m], reach: p.reach[m], curve: &curves[m] });
    let sums: [_; 12] = from_fn(|plane| &sums[plane * n..][..n]);
    let (maps, trace): (&mut [f32], &mut [f32]) = (call.write(3), call.write(4));
    let mut planes: [_; MmdiMap::Coherence as usize + 1] = Default::default();
    for (plane, values) in planes.iter_mut().zip(maps.chunks_exact_mut(n)) {
        *plane = values;
    }
    let [stiffness, storage, loss, speed, _, coherence] = planes;
    let maps = [stiffness, storage, loss, speed, coherence].map(|plane| (plane, 1));
    let [a, b, c, d, e] = maps;
    call.team().split_all(
        [(trace, 4), a, b, c, d, e],
        #[inline(always)]
        |first, [trace, mut parts @ ..]| {
            let (traces, _) = trace.as_chunks_mut::<4>();
            let mut near = [[[0.0; 4]; PIXELS]; 12];
            for (block, traces) in traces.chunks_mut(PIXELS).enumerate() {
                let start = block * PIXELS;
                for (near, sums) in near.iter_mut().zip(sums) {
                    near[..traces.len()].copy_from_slice(&sums[first + start..][..traces.len()]);
                }
                for (i, trace) in traces.iter_mut().enumerate() {
                    let pixel = Pixel::new(&p, &models, from_fn(|plane| near[plane][i]));
                    *trace = pixel.trace;
                    let inside = mask[first + start + i] > 0.0;
                    for (part, value) in parts.iter_mut().zip(pixel.maps) {
                        part[start + i] = if inside { value } else { 0.0 };
                    }
                }
            }
        },
    );
}

/// The constants of one polynomial model.
struct Model<'a> {
    noise: [f32; 4],
    reach: f32,
    curve: &'a [[f32; 2]; SAMPLES],
}

impl Model<'_> {
    /// The two curves at `x`, which is clamped to 0..1.
    #[inline(always)]
    fn curve(&self, x: f32) -> [f32; 2] {
        let at = x.clamp(0.0, 1.0) * (SAMPLES - 1) as f32;
        let k = (at as usize).min(SAMPLES - 2);
        let (f, from, to) = (at - k as f32, self.curve[k], self.curve[k + 1]);
        from_fn(|c| from[c] * (1.0 - f) + to[c] * f)
    }

    /// The squared wavenumber at which this model gives z.
    #[inline(always)]
    fn wavenumber2(&self, z: f32) -> f32 {
        let [k, _] = self.curve(z.sqrt() / self.reach);
        k * k
    }
}

/// The results at one pixel. The maps are stiffness, storage and loss modulus, wave speed and coherence.
struct Pixel {
    maps: [f32; 5],
    trace: Quad,
}

impl Pixel {
    #[inline(always)]
    fn new(p: &CombineParams, models: &[Model; 3], sums: [Quad; 12]) -> Self {
        let [_, _, _, _, _, _, _, _, _, near, aux, far] = sums;
        let (wide, residual) = if aux[1] < 0.02 { (far, aux[2]) } else { (near, aux[0]) };
        let power = wide[0].max(TINY);
        let k2 = models[0].wavenumber2(length([wide[1], wide[2]]) / power).max(0.001);
        let noise = residual.max(0.0) / power;
        let mut answers = [Answer::default(); 3];
        for (m, answer) in answers.iter_mut().enumerate() {
            let sums = [sums[3 * m], sums[3 * m + 1], sums[3 * m + 2]];
            *answer = Answer::new(p, &models[m], sums, k2, noise);
        }

        let least = answers.iter().map(|a| a.error).fold(f32::INFINITY, f32::min);
        let (mut weight, mut mu, mut turned, mut mean) = (0.0, 0.0, [0.0; 2], 0.0);
        let logs = answers.each_ref().map(|a| a.modulus.max(1e-6).ln());
        for (a, log) in answers.iter().zip(logs) {
            let ratio = (least / a.error) * (least / a.error);
            let w = (ratio * ratio) * (ratio * ratio);
            weight += w;
            mu += w * a.modulus;
            turned = from_fn(|k| turned[k] + w * a.modulus * a.direction[k]);
            mean += log / 3.0;
        }
        let square: f32 = logs.iter().map(|log| (log - mean) * (log - mean) / 3.0).sum();
        mu /= weight;
        let long = length(turned);
        let phase = if long > TINY { turned.map(|v| v / long) } else { [1.0, 0.0] };
        // Phase velocity omega / Re k in m/s, from k = omega sqrt(rho / mu*); mu in kPa.
        let speed = (2000.0 * mu / (p.density * (1.0 + phase[0]).max(1e-3))).sqrt();
        let Answer { coherence, plain, .. } = answers[0];
        Self {
            maps: [mu, mu * phase[0], mu * phase[1], speed, plain],
            trace: [mu.clamp(0.05, 30.0).ln(), square.sqrt(), sums[1][1], coherence],
        }
    }
}

/// The result of one model at one pixel.
#[derive(Clone, Copy, Default)]
struct Answer {
    error: f32,
    modulus: f32,
    direction: [f32; 2],
    coherence: f32,
    plain: f32,
}

impl Answer {
    #[inline(always)]
    fn new(p: &CombineParams, model: &Model, [with, aux, without]: [Quad; 3], k2: f32, noise: f32) -> Self {
        let trusted = aux[1] > 0.04;
        let (sum, residual) = if trusted { (with, aux[0]) } else { (without, aux[2]) };
        let [a, b, c, _] = model.noise;
        let (mut uu, mut ul) = (sum[0], [sum[1], sum[2]]);
        let plain = (sum[1] * sum[1] + sum[2] * sum[2]) / (sum[0] * sum[3]).max(TINY);
        if p.corrected != 0 {
            uu = (uu - a * residual).max(0.2 * uu);
            ul[0] -= b * residual;
        }
        let size = length(ul);
        let mut z = size / uu.max(TINY);
        if p.corrected != 0 {
            z = model.wavenumber2(z);
        }
        let [_, bias] = model.curve(k2.sqrt() / p.reach[3]);
        let doubt = if trusted { 0.0 } else { 10.0 };
        Self {
            error: 0.3 * c * noise / (k2 * k2) + bias * bias + 1e-6 + doubt,
            modulus: p.unit / z.max(SQUARE_MIN),
            // -1/UL has the direction of -conj(UL).
            direction: if size > TINY { [-ul[0] / size, ul[1] / size] } else { [1.0, 0.0] },
            coherence: size * size / (uu * sum[3]).max(TINY),
            plain: plain.min(1.0),
        }
    }
}

#[inline(always)]
fn length(v: [f32; 2]) -> f32 {
    (v[0] * v[0] + v[1] * v[1]).sqrt()
}
