//! Statistics of a norm, first pass: mean and M2 of chunks of pixels; `kernels/norm_moments.wgsl`.

use super::norm::{Per, SIZES, narrow};
use super::params::params;
use super::reduce::chunk;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/norm_moments.wgsl`.
    struct Uniform {
        n: u32, quads: u32, run: u32, chunk: u32, chunks: u32,
        x_first: u32, x_pitch: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "norm_moments",
    source: include_str!("../../kernels/norm_moments.wgsl"),
    bindings: &[uniform("p"), read("x"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &SIZES,
    trial: try_out,
};

/// The shape of the moments of `x`: `[groups, chunks, 2, c]`, mean and M2 = Σ (x − mean)² of each chunk.
pub fn shape(x: Shape, per: Per) -> Shape {
    let groups = per.groups(x.n);
    let run = x.pixels() / groups;
    Shape::new(groups, run.div_ceil(chunk(run)), 2, x.c)
}

/// Records the moments of `x` into `dst`, of the [`shape`] they have.
pub fn record(rec: &mut Recorder, x: Tensor, per: Per, dst: Tensor) {
    let (pixels, quads) = (x.shape.pixels(), x.shape.quads());
    let Shape { n: groups, h: chunks, .. } = shape(x.shape, per);
    let run = pixels / groups;
    let threads = groups * chunks * quads;
    let params = Uniform {
        n: threads as u32,
        quads: quads as u32,
        run: run as u32,
        chunk: chunk(run) as u32,
        chunks: chunks as u32,
        x_first: x.first,
        x_pitch: x.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let cost = Cost::each(pixels * quads, 4 * 4, 16);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[x.buf.into(), dst.buf.into()], threads, cost);
}

fn try_out(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape_x = size.shape(size.channels[0]);
    // A mean of many deviations, which must not cancel.
    let values = narrow(trial::random(rng, shape_x) + 100.0);
    let x = trial::upload(rec, "x", &values);
    let mut results = Vec::new();
    for per in Per::ALL {
        let of = shape(shape_x, per);
        let dst = trial::room(rec, "moments", of);
        record(rec, x, per, dst);
        let length = chunk(shape_x.pixels() / of.n);
        results.push(trial::expect(dst, &oracle::norm_moments(&values, of.n, length), 1e-6));
    }
    results
}
