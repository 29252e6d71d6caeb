//! Twice the size; `kernels/upsample.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};

/// How an image is brought to twice its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Upsampling {
    /// Each pixel four times.
    Nearest,
    /// Linear between the centres of pixels along both axes, constant beyond the outermost (PyTorch's
    /// `align_corners=False`).
    Bilinear,
}

impl std::fmt::Display for Upsampling {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Nearest { "nearest" } else { "bilinear" })
    }
}

impl Upsampling {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Nearest, Self::Bilinear];

    pub(super) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
        Self::ALL.map(|mode| mode.spec(kernel)).to_vec()
    }

    pub(super) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("MODE", self as u32)])
    }

    pub(super) fn of(spec: &Spec) -> Self {
        Self::ALL[spec.constant("MODE") as usize]
    }

    /// The shape of the result: twice the rows and columns.
    pub const fn shape(self, shape: Shape) -> Shape {
        Shape { h: 2 * shape.h, w: 2 * shape.w, ..shape }
    }
}

params! {
    /// `Params` of `kernels/upsample.wgsl`.
    struct Uniform {
        count: u32, h: u32, w: u32, quads: u32, src_first: u32, src_pitch: u32,
        dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "upsample",
    source: include_str!("../../kernels/upsample.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || Upsampling::specs(&KERNEL),
    sizes: trial::SIZES,
    trial,
};

/// Records `src` at twice its size into `dst` of shape `mode.shape(src.shape)`.
pub fn record(rec: &mut Recorder, src: Tensor, mode: Upsampling, dst: Tensor) {
    let Shape { h, w, .. } = src.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let flops = if mode == Upsampling::Nearest { 0 } else { 36 };
    let cost = Cost::each(count, flops, 4 + 16);
    rec.linear(mode.spec(&KERNEL), &params, &[src.buf.into(), dst.buf.into()], count, cost);
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Upsampling::of(spec);
    let x = trial::random(rng, size.shape(size.channels[0]));
    let src = trial::upload(rec, "input", &x);
    let dst = trial::room(rec, "upsampled", mode.shape(src.shape));
    record(rec, src, mode, dst);
    vec![trial::expect(dst, &oracle::upsample(&x, mode), 1e-6)]
}
