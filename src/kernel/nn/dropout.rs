//! Dropout of whole channels: `kernels/nn/dropout.wgsl`.

use crate::kernel::quads::{channels, lanes, load, store};
use crate::plan::{Buf, Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

/// The word with the seed in the buffer that random kernels read (`kernels/lib/random.wgsl`).
pub const SEED: usize = 0;

/// The word with the number of the step in the same buffer.
pub const STEP: usize = 1;

params! {
    struct DropoutParams { src: Place, dst: Place, count: u32, h: u32, w: u32, quads: u32, site: u32, threshold: u32, scale: f32 }
}

/// The row of the table of kernels.
pub static DROPOUT: Kernel = Kernel {
    name: "dropout",
    source: include_str!("../../../kernels/nn/dropout.wgsl"),
    bindings: &[read("step", "u32"), read("src", "vec4f"), write("dst", "vec4f")],
    params: DropoutParams::LAYOUT,
    specs: || vec![Spec::new(&DROPOUT, &[])],
    native: Some(native),
};

/// Records dropout of `src` into `dst`, of the same shape. Each channel of each image is dropped with probability
/// `rate`, 0 ≤ `rate` < 1; the others are scaled by 1 / (1 − rate).
///
/// `step` holds u32: the seed at [`SEED`] and the number of the step at [`STEP`]. These and `site`, a number that no
/// other use of random words has, determine the dropped channels. The backward pass is the same call with the gradient
/// as `src`.
pub(crate) fn record(rec: &mut Recorder, step: Buf, src: Tensor, rate: f32, site: u32, dst: Tensor) {
    let (shape, quads) = (dst.shape, dst.shape.quads());
    let count = shape.n * shape.h * quads;
    let params = DropoutParams {
        count: count as u32,
        h: shape.h as u32,
        w: shape.w as u32,
        quads: quads as u32,
        site,
        threshold: threshold(rate),
        scale: 1.0 / (1.0 - rate),
        src: src.place(),
        dst: dst.place(),
    };
    let resources = [step.first::<u32>(2), src.bound(), dst.bound()];
    let cost = Cost::each(shape.pixels() * quads, 4, 32);
    rec.linear(Spec::new(&DROPOUT, &[]), &params, &resources, count, cost);
}

/// Random words below this number are a share `rate` of all words.
fn threshold(rate: f32) -> u32 {
    (f64::from(rate) * 2f64.powi(32)) as u32
}

fn native(call: &mut Call) {
    let p: DropoutParams = call.params();
    let (step, src): (&[u32], &[f32]) = (call.read(0), call.read(1));
    let [quads, h, w] = [p.quads, p.h, p.w].map(|n| n as usize);
    let count = p.count as usize / quads * w;
    p.dst.strips(
        call.team(),
        call.write(2),
        [count, quads],
        h * w,
        #[inline(always)]
        |image, pixels, dst| {
            let src = &src[p.src.at(pixels.start)..];
            lanes!(quads, |from, L| {
                // A mask of all bits keeps a channel.
                let mut masks = [0; L];
                for (quad, masks) in (from / 4..).zip(masks.chunks_exact_mut(4)) {
                    let words = philox([quad as u32, image as u32, step[STEP], 0], [step[SEED], p.site]);
                    for (mask, word) in masks.iter_mut().zip(words) {
                        *mask = if word >= p.threshold { u32::MAX } else { 0 };
                    }
                }
                for i in 0..pixels.len() {
                    let x: [f32; L] = load(src, i * p.src.step() + from);
                    let kept = channels(|c| f32::from_bits((p.scale * x[c]).to_bits() & masks[c]));
                    store::<L>(dst, i * p.dst.step() + from, kept);
                }
            });
        },
    );
}

/// Philox4x32-10, as in `kernels/lib/random.wgsl`.
fn philox([mut a, mut b, mut c, mut d]: [u32; 4], [mut k, mut l]: [u32; 2]) -> [u32; 4] {
    let product = |a: u32, b: u32| {
        let wide = u64::from(a) * u64::from(b);
        ((wide >> 32) as u32, wide as u32)
    };
    for _ in 0..10 {
        let ((high0, low0), (high1, low1)) = (product(a, 0xd251_1f53), product(c, 0xcd9e_8d57));
        [a, b, c, d] = [high1 ^ b ^ k, low1, high0 ^ d ^ l, low0];
        (k, l) = (k.wrapping_add(0x9e37_79b9), l.wrapping_add(0xbb67_ae85));
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_shaders_find_seed_and_step_alike() {
        let snippet = include_str!("../../../kernels/lib/random.wgsl");
        for (name, at) in [("SEED", super::SEED), ("STEP", super::STEP)] {
            let line = format!("const {name}: u32 = {at};");
            assert!(snippet.contains(&line), "{line}");
        }
    }
}
