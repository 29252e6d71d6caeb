//! The multiplications of Bluestein's transform; `kernels/chirp.wgsl`.

use super::fft::Axis;
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use num_complex::Complex32;

params! {
    /// `Params` of `kernels/chirp.wgsl`.
    struct Uniform { inner: u32, n_src: u32, n_dst: u32, outer: u32, kept: u32, sign: f32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "chirp",
    source: include_str!("../../kernels/chirp.wgsl"),
    bindings: &[uniform("p"), read("src"), read("table"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[Size::new(1, 3, 5), Size::new(3, 47, 41), Size::new(4, 257, 256)],
    trial,
};

/// Records `dst[k] = src[k] table[k]` (conjugated where `sign` is −1) for k < `kept`, else 0, on
/// lines of `axis.n` values in and `n_dst` out.
pub fn record(
    rec: &mut Recorder,
    src: Buf,
    table: Buf,
    axis: Axis,
    n_dst: usize,
    kept: usize,
    sign: f32,
) -> Buf {
    let threads = axis.outer * n_dst * axis.inner;
    let dst = rec.scratch::<Complex32>("chirp", threads);
    let params = Uniform {
        inner: axis.inner as u32,
        n_src: axis.n as u32,
        n_dst: n_dst as u32,
        outer: axis.outer as u32,
        kept: kept as u32,
        sign,
    };
    let cost = Cost::each(threads, 6, 16);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.into(), table.into(), dst.into()], threads, cost);
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let axis = Axis { outer: size.planes, n: size.ny, inner: size.nx };
    let lines = oracle::waves(rng, axis.len());
    let table = oracle::waves(rng, size.ny);
    let (src, t) = (rec.constant("lines", &lines), rec.constant("table", &table));
    let (kept, n_dst) = (size.ny - 1, 2 * size.ny + 1);
    let padded = record(rec, src, t, axis, n_dst, kept, 1.0);
    let cut = record(rec, src, t, axis, kept, kept, -1.0);
    let (lines, table) = (oracle::wide_complex(&lines), oracle::wide_complex(&table));
    let expected =
        |n_dst, conjugated| oracle::flat(&oracle::chirp(&lines, &table, axis, n_dst, kept, conjugated));
    vec![
        Expect::in_buffer(padded, expected(n_dst, false), 1e-6),
        Expect::in_buffer(cut, expected(kept, true), 1e-6),
    ]
}
