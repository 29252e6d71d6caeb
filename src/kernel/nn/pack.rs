//! Conversion from PyTorch's layout (`kernels/nn/pack.wgsl`) and to it (`kernels/nn/unpack.wgsl`).

use crate::kernel::quads::STRIP;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
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
    native: Some(native_pack),
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
    native: Some(native_unpack),
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

fn native_pack(call: &mut Call) {
    let p: PackParams = call.params();
    let src: &[f32] = call.read(0);
    let [quads, c, plane] = [p.quads, p.c, p.plane].map(|n| n as usize);
    let count = p.count as usize / quads;
    p.dst.strips(
        call.team(),
        call.write(1),
        [count, quads],
        plane,
        #[inline(always)]
        |image, pixels, dst| {
            let first = pixels.start - image * plane;
            for quad in 0..quads {
                // Channels of zeros fill the last quad.
                let [k0, k1, k2, k3] = [0, 1, 2, 3].map(|i| {
                    let k = 4 * quad + i;
                    let all: &[f32] =
                        if k < c { &src[(image * c + k) * plane + first..] } else { &[0.0; STRIP] };
                    &all[..pixels.len()]
                });
                for (i, pixel) in dst.chunks_mut(p.dst.step()).enumerate() {
                    pixel[4 * quad..4 * quad + 4].copy_from_slice(&[k0[i], k1[i], k2[i], k3[i]]);
                }
            }
        },
    );
}

fn native_unpack(call: &mut Call) {
    let p: UnpackParams = call.params();
    let src: &[f32] = call.read(0);
    let [c, plane] = [p.c, p.plane].map(|n| n as usize);
    call.team().split(
        call.write::<f32>(1),
        plane,
        #[inline(always)]
        |first, part| {
            for (image, dst) in (first..).zip(part.chunks_mut(plane)) {
                let src = &src[p.src.at(image / c * plane) + image % c..];
                dst.iter_mut().zip(src.chunks(p.src.step())).for_each(|(dst, src)| *dst = src[0]);
            }
        },
    );
}
