//! A weighted sum of scalars; `kernels/combine_losses.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/combine_losses.wgsl`.
    struct Uniform {
        n: u32,
        a_first: u32, b_first: u32, c_first: u32, d_first: u32, dst_first: u32,
        ka: f32, kb: f32, kc: f32, kd: f32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "combine_losses",
    source: include_str!("../../kernels/combine_losses.wgsl"),
    bindings: &[uniform("p"), read("a"), read("b"), read("c"), read("d"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::batch(1, [1, 1], 1, 1)],
    trial: try_out,
};

/// Records Σ k s over one to four pairs (k, s) into `dst`, all scalars. One pair scales: the gradient of a
/// sum's term is k times that of the sum.
pub fn record<const N: usize>(rec: &mut Recorder, terms: [(f32, Tensor); N], dst: Tensor) {
    const { assert!(N >= 1 && N <= 4, "one to four terms") };
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| terms[usize::min(i, N - 1)]);
    let params = Uniform {
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
    let resources = [a.1, b.1, c.1, d.1, dst].map(|t| t.buf.into());
    rec.linear(Spec::new(&KERNEL, &[]), &params, &resources, 1, Cost::each(N, 2, 32));
}

fn try_out(rec: &mut Recorder, _: &Spec, _: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    // No sum of these is near 0, where rounding would be large beside it.
    let terms: [(f32, f32); 4] = std::array::from_fn(|_| (rng.f32() + 0.5, rng.f32() + 0.5));
    let [a, b, c, d] = terms.map(|(k, s)| (k, trial::upload(rec, "scalar", &oracle::scalar(s.into()))));
    let sums: [_; 4] = std::array::from_fn(|_| trial::room(rec, "sum", Shape::SCALAR));
    record(rec, [a], sums[0]);
    record(rec, [a, b], sums[1]);
    record(rec, [a, b, c], sums[2]);
    record(rec, [a, b, c, d], sums[3]);
    let wide = terms.map(|(k, s)| (f64::from(k), f64::from(s)));
    let expected = (1..=4).map(|n| oracle::scalar(oracle::combine_losses(&wide[..n])));
    sums.iter().zip(expected).map(|(&sum, values)| trial::expect(sum, &values, 1e-6)).collect()
}
