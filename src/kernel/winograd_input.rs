//! Tiles of images as Winograd's products want them; `kernels/winograd_input.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

params! {
    /// `Params` of `kernels/winograd_input.wgsl`.
    struct Uniform {
        count: u32, quads: u32, h: u32, w: u32, tiles_h: u32, tiles_w: u32,
        src_first: u32, src_pitch: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "winograd_input",
    source: include_str!("../../kernels/winograd_input.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: trial::SIZES,
    trial,
};

/// The shape of the tiles of images `[n, h, w, c]`: `[tiles, 16, 1, c]`.
pub fn tiles(Shape { n, h, w, c }: Shape) -> Shape {
    Shape::new(n * h.div_ceil(2) * w.div_ceil(2), 16, 1, c)
}

/// Records the tiles of `src` into `dst`, of the shape that [`tiles`] has.
pub fn record(rec: &mut Recorder, src: Tensor, dst: Tensor) {
    let Shape { h, w, .. } = src.shape;
    let count = dst.shape.n * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        h: h as u32,
        w: w as u32,
        tiles_h: h.div_ceil(2) as u32,
        tiles_w: w.div_ceil(2) as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let bytes = 4.0 * (src.shape.floats() + dst.shape.floats()) as f64;
    let cost = Cost { flops: (count * 4 * 32) as f64, bytes };
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.buf.into(), dst.buf.into()], count, cost);
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let values = trial::random(rng, size.shape(size.channels[0]));
    let src = trial::upload(rec, "images", &values);
    let dst = trial::room(rec, "tiles", tiles(src.shape));
    record(rec, src, dst);
    vec![trial::expect(dst, &oracle::winograd_input(&values), 1e-6)]
}
