//! Pooling over windows of 2 × 2 pixels; `kernels/pool.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, trial, uniform, write};
use crate::oracle;
use crate::plan::Recorder;
use crate::tensor::{Shape, Tensor};
use ndarray::Array4;

/// What becomes of a window of 2 × 2 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Its greatest value; NaN is the greatest.
    Max,
    /// The mean of its values.
    #[serde(rename = "avg")]
    Average,
}

impl std::fmt::Display for Pooling {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if *self == Self::Max { "max" } else { "avg" })
    }
}

impl Pooling {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Max, Self::Average];

    pub(super) fn specs(kernel: &'static Kernel) -> Vec<Spec> {
        Self::ALL.map(|mode| mode.spec(kernel)).to_vec()
    }

    pub(super) fn spec(self, kernel: &'static Kernel) -> Spec {
        Spec::new(kernel, &[("MODE", self as u32)])
    }

    pub(super) fn of(spec: &Spec) -> Self {
        Self::ALL[spec.constant("MODE") as usize]
    }

    /// The shape of the result: half the rows and columns, rounded down. It is empty where `shape` has an
    /// axis of one pixel, which callers refuse.
    pub const fn shape(self, shape: Shape) -> Shape {
        Shape { h: shape.h / 2, w: shape.w / 2, ..shape }
    }
}

params! {
    /// `Params` of `kernels/pool.wgsl`.
    struct Uniform {
        count: u32, h: u32, w: u32, quads: u32, src_h: u32, src_w: u32,
        src_first: u32, src_pitch: u32, dst_first: u32, dst_pitch: u32,
    }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "pool",
    source: include_str!("../../kernels/pool.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || Pooling::specs(&KERNEL),
    sizes: trial::SIZES,
    trial,
};

/// Records the pooling of `src` by `mode` into `dst` of shape `mode.shape(src.shape)`.
pub fn record(rec: &mut Recorder, src: Tensor, mode: Pooling, dst: Tensor) {
    let Shape { h, w, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = Uniform {
        count: count as u32,
        h: h as u32,
        w: w as u32,
        quads: dst.shape.quads() as u32,
        src_h: src.shape.h as u32,
        src_w: src.shape.w as u32,
        src_first: src.first,
        src_pitch: src.pitch,
        dst_first: dst.first,
        dst_pitch: dst.pitch,
    };
    let cost = Cost::each(count, 16, 5 * 16);
    rec.linear(mode.spec(&KERNEL), &params, &[src.buf.into(), dst.buf.into()], count, cost);
}

/// Values with many ties, and a NaN here and there.
pub(super) fn values(rng: &mut fastrand::Rng, shape: Shape) -> Array4<f64> {
    let coarse = trial::random(rng, shape).mapv(|v| (2.0 * v).round() / 2.0);
    coarse.mapv(|v| if rng.u8(..) < 8 { f64::NAN } else { v })
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let mode = Pooling::of(spec);
    let x = values(rng, size.shape(size.channels[0]));
    let src = trial::upload(rec, "input", &x);
    let dst = trial::room(rec, "pooled", mode.shape(src.shape));
    record(rec, src, mode, dst);
    vec![trial::expect(dst, &oracle::pool(&x, mode), 0.0)]
}
