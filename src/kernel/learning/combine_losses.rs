//! A weighted sum of scalars (`kernels/learning/combine_losses.wgsl`), and a mean from partial sums, the second pass of
//! the losses (`kernels/learning/weighted_mean.wgsl`).

use crate::kernel::core::reduce::LANES;
use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::tensor::Tensor;

params! {
    struct CombineLossesParams { n: u32, a_first: u32, b_first: u32, c_first: u32, d_first: u32, dst_first: u32, ka: f32, kb: f32, kc: f32, kd: f32 }
}

/// The row of the table of kernels.
pub static COMBINE_LOSSES: Kernel = Kernel {
    name: "combine_losses",
    source: include_str!("../../../kernels/learning/combine_losses.wgsl"),
    bindings: &[
        read("a", "vec4f"),
        read("b", "vec4f"),
        read("c", "vec4f"),
        read("d", "vec4f"),
        write("dst", "vec4f"),
    ],
    params: CombineLossesParams::LAYOUT,
    specs: || vec![Spec::new(&COMBINE_LOSSES, &[])],
    native: Some(native),
};

/// Records Σ k s over one to four pairs (k, s) into `dst`, all scalars. A single pair scales a scalar: the gradient of
/// a term is k times the gradient of the sum.
pub(crate) fn record<const N: usize>(rec: &mut Recorder, terms: [(f32, Tensor); N], dst: Tensor) {
    const { assert!(N >= 1 && N <= 4, "one to four terms") };
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| terms[usize::min(i, N - 1)]);
    let params = CombineLossesParams {
        n: N as u32,
        a_first: a.1.first,
        b_first: b.1.first,
        c_first: c.1.first,
        d_first: d.1.first,
        dst_first: dst.first,
        ka: a.0,
        kb: b.0,
        kc: c.0,
        kd: d.0,
    };
    let resources = [a.1, b.1, c.1, d.1, dst].map(Tensor::bound);
    rec.linear(Spec::new(&COMBINE_LOSSES, &[]), &params, &resources, 1, Cost::each(N, 2, 32));
}

fn native(call: &mut Call) {
    let p: CombineLossesParams = call.params();
    let terms = [(p.ka, p.a_first), (p.kb, p.b_first), (p.kc, p.c_first), (p.kd, p.d_first)];
    let counted = terms.iter().enumerate().take(p.n as usize);
    let sum = counted.map(|(i, (k, first))| k * call.read::<Quad>(i)[*first as usize][0]).sum();
    call.write::<Quad>(4)[p.dst_first as usize] = [sum, 0.0, 0.0, 0.0];
}

params! {
    struct WeightedMeanParams { n: u32, value_first: u32, weight_first: u32 }
}

/// The row of the table of kernels.
pub static WEIGHTED_MEAN: Kernel = Kernel {
    name: "weighted_mean",
    source: include_str!("../../../kernels/learning/weighted_mean.wgsl"),
    bindings: &[read("src", "vec4f"), write("value", "vec4f"), write("weight", "vec4f")],
    params: WeightedMeanParams::LAYOUT,
    specs: || vec![Spec::new(&WEIGHTED_MEAN, &[])],
    native: Some(native_mean),
};

/// Records Σ a / Σ b into the scalar `value` (0 if Σ b is 0), and Σ b into the scalar `weight` in another buffer. `src`
/// is vec4f `[n]` of (a, b, 0, 0).
pub(crate) fn record_mean(rec: &mut Recorder, src: Buf, n: usize, value: Tensor, weight: Tensor) {
    let params = WeightedMeanParams { n: n as u32, value_first: value.first, weight_first: weight.first };
    let resources = [src.first::<[f32; 4]>(n), value.bound(), weight.bound()];
    rec.linear(Spec::new(&WEIGHTED_MEAN, &[]), &params, &resources, LANES, Cost::each(n, 2, 16));
}

fn native_mean(call: &mut Call) {
    let p: WeightedMeanParams = call.params();
    let src = &call.read::<Quad>(0)[..p.n as usize];
    let [a, b] = [0, 1].map(|i| src.iter().map(|src| f64::from(src[i])).sum::<f64>());
    let mean = if b > 0.0 { a / b } else { 0.0 };
    call.write::<Quad>(1)[p.value_first as usize] = [mean as f32, 0.0, 0.0, 0.0];
    call.write::<Quad>(2)[p.weight_first as usize] = [b as f32, 0.0, 0.0, 0.0];
}
