//! One column of a small tensor summed over images and rows; `kernels/sum_groups.wgsl`.

use super::norm::{Per, SIZES};
use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/sum_groups.wgsl`.
    struct Uniform {
        quads: u32, rows: u32, w: u32, column: u32,
        src_first: u32, src_pitch: u32, dst_first: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "sum_groups",
    source: include_str!("../../kernels/sum_groups.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &SIZES,
    trial: try_out,
};

/// Records the sum over images and rows of `column` of `src` into `dst`, `[1, 1, 1, c]`. Of the sums of
/// [`super::norm_sums`], column 0 gives the gradient of β and column 1 that of γ.
pub fn record(rec: &mut Recorder, src: Tensor, column: usize, dst: Tensor) {
    let Shape { n, h, w, .. } = src.shape;
    let quads = src.shape.quads();
    let params = Uniform {
        quads: quads as u32,
        rows: (n * h) as u32,
        w: w as u32,
        column: column as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        dst_first: dst.first,
    };
    let cost = Cost::each(quads, 4 * n * h, 16 * (n * h + 1));
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.buf.into(), dst.buf.into()], quads, cost);
}

fn try_out(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let shape = Per::Image.statistics(size.shape(size.channels[0]));
    let values = trial::random(rng, shape);
    let src = trial::upload(rec, "sums", &values);
    let mut results = Vec::new();
    for column in 0..shape.w {
        let dst = trial::room(rec, "sum", Shape::new(1, 1, 1, shape.c));
        record(rec, src, column, dst);
        results.push(trial::expect(dst, &oracle::sum_groups(&values, column), 1e-6));
    }
    results
}
