//! Conversion from PyTorch's layout (`kernels/nn/pack.wgsl`) and to it (`kernels/nn/unpack.wgsl`).

use crate::plan::{Buf, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct PackParams { dst: Place, count: u32, quads: u32, c: u32, plane: u32 }
}

/// The row of the table of kernels.
pub static PACK: Kernel = Kernel {
    name: "pack",
    source: include_str!("../../../kernels/nn/pack.wgsl"),
    bindings: &[read("src", "f32"), write("dst", "vec4f")],
    params: PackParams::LAYOUT,
    specs: || vec![Spec::new(&PACK, &[])],
    native: None,
};

/// Records the conversion of `src`, f32 `[n][c][h][w]` of the shape of `dst`, into `dst`.
pub fn pack(rec: &mut Recorder, src: Buf, dst: Tensor) {
    let Shape { h, w, c, .. } = dst.shape;
    let count = dst.shape.pixels() * dst.shape.quads();
    let params = PackParams {
        count: count as u32,
        quads: dst.shape.quads() as u32,
        c: c as u32,
        plane: (h * w) as u32,
        dst: dst.place(),
    };
    let cost = Cost { flops: 0.0, bytes: (16 * count + 4 * dst.shape.len()) as f64 };
    rec.linear(
        Spec::new(&PACK, &[]),
        &params,
        &[src.first::<f32>(dst.shape.len()), dst.bound()],
        count,
        cost,
    );
}

params! {
    struct UnpackParams { src: Place, count: u32, quads: u32, c: u32, plane: u32 }
}

/// The row of the table of kernels.
pub static UNPACK: Kernel = Kernel {
    name: "unpack",
    source: include_str!("../../../kernels/nn/unpack.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "f32")],
    params: UnpackParams::LAYOUT,
    specs: || vec![Spec::new(&UNPACK, &[])],
    native: None,
};

/// Records the conversion of `src` to f32 `[n][c][h][w]` into `dst`, which holds `src.shape.len()` values.
pub fn unpack(rec: &mut Recorder, src: Tensor, dst: Buf) {
    let Shape { h, w, c, .. } = src.shape;
    let count = src.shape.pixels() * src.shape.quads();
    let params = UnpackParams {
        count: count as u32,
        quads: src.shape.quads() as u32,
        c: c as u32,
        plane: (h * w) as u32,
        src: src.place(),
    };
    let cost = Cost { flops: 0.0, bytes: (16 * count + 4 * src.shape.len()) as f64 };
    rec.linear(
        Spec::new(&UNPACK, &[]),
        &params,
        &[src.bound(), dst.first::<f32>(src.shape.len())],
        count,
        cost,
    );
}
