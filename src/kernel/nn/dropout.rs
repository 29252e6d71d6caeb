//! Dropout of whole channels: `kernels/nn/dropout.wgsl`.

use crate::plan::{Buf, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
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
    native: None,
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
