//! Dropout of whole channels; `kernels/dropout.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use crate::tensor::Tensor;

/// Where the seed lies in the buffer that random kernels draw from, `kernels/lib/random.wgsl`.
pub const SEED: usize = 0;
/// Where the number of the step lies there.
pub const STEP: usize = 1;

params! {
    /// `Params` of `kernels/dropout.wgsl`.
    struct Uniform {
        count: u32, h: u32, w: u32, quads: u32, site: u32, threshold: u32, scale: f32,
        src_first: u32, src_pitch: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "dropout",
    source: include_str!("../../kernels/dropout.wgsl"),
    bindings: &[uniform("p"), read("step"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// Records `src` into `dst` of its shape with each channel of each image dropped with probability `rate`, at
/// least 0 and less than 1, and the others scaled by 1 / (1 − rate). `step` holds u32, the seed at [`SEED`]
/// and the number of the step at [`STEP`]; they and `site`, a number that no other use of random words has,
/// decide what is dropped. The backward pass is the same with the gradient as `src`.
pub fn record(rec: &mut Recorder, step: Buf, src: Tensor, rate: f32, site: u32, dst: Tensor) {
    let (shape, quads) = (dst.shape, dst.shape.quads());
    let count = shape.n * shape.h * quads;
    let params = Uniform {
        count: count as u32,
        h: shape.h as u32,
        w: shape.w as u32,
        quads: quads as u32,
        site,
        threshold: threshold(rate),
        scale: 1.0 / (1.0 - rate),
        src_first: src.first,
        src_pitch: src.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let resources = [step.into(), src.buf.into(), dst.buf.into()];
    let cost = Cost::each(shape.pixels() * quads, 4, 32);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, count, cost);
}

/// The random words below this are a share `rate` of all.
pub(crate) fn threshold(rate: f32) -> u32 {
    (f64::from(rate) * 2f64.powi(32)) as u32
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let (rate, site, [seed, number]) = (0.3, rng.u32(..), [rng.u32(..), rng.u32(..)]);
    let x = trial::random(rng, size.shape(size.channels[0]));
    let mut words = [0; 2];
    (words[SEED], words[STEP]) = (seed, number);
    let (step, src) = (rec.constant("step", &words), trial::upload(rec, "input", &x));
    let dst = trial::room(rec, "kept", src.shape);
    record(rec, step, src, rate, site, dst);
    vec![trial::expect(dst, &oracle::dropout(&x, [seed, number], rate, site), 1e-6)]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_shaders_find_seed_and_step_alike() {
        let snippet = include_str!("../../kernels/lib/random.wgsl");
        for (name, at) in [("SEED", super::SEED), ("STEP", super::STEP)] {
            let line = format!("const {name}: u32 = {at};");
            assert!(snippet.contains(&line), "{line}");
        }
    }
}
