//! The weights for the data gradient of a convolution: `kernels/nn/flip.wgsl`.

use super::convolve::Geometry;
use crate::kernel::quads::Quad;
use crate::plan::{Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::tensor::{Shape, Tensor};

params! {
    struct FlipParams { taps: u32, ci4: u32, co4: u32, src_first: u32, reverse: u32 }
}

/// The row of the table of kernels.
pub static FLIP: Kernel = Kernel {
    name: "flip",
    source: include_str!("../../../kernels/nn/flip.wgsl"),
    bindings: &[read("src", "f32"), write("dst", "vec4f")],
    params: FlipParams::LAYOUT,
    specs: || vec![Spec::new(&FLIP, &[])],
    native: Some(native),
};

/// Records the weights `[taps][ci][co]` of a convolution of `geometry` as those of its data gradient, `[taps][co][ci]`.
pub(crate) fn record(rec: &mut Recorder, weights: Tensor, geometry: Geometry) -> Tensor {
    let Shape { n, w, c, .. } = weights.shape;
    let dst = Tensor::scratch(rec, "flipped weights", Shape::new(n, 1, c.next_multiple_of(4), w));
    let params = FlipParams {
        taps: n as u32,
        ci4: (w / 4) as u32,
        co4: weights.shape.quads() as u32,
        src_first: weights.first,
        reverse: u32::from(geometry == Geometry::Three),
    };
    let threads = dst.shape.floats() / 4;
    let resources = [weights.bound(), dst.bound()];
    rec.linear(Spec::new(&FLIP, &[]), &params, &resources, threads, Cost::each(threads, 0, 32));
    dst
}

fn native(call: &mut Call) {
    let p: FlipParams = call.params();
    let src: &[f32] = call.read(0);
    let [taps, ci4, co, src_first] = [p.taps, p.ci4, 4 * p.co4, p.src_first].map(|n| n as usize);
    let dst: &mut [Quad] = call.write(1);
    call.team().split(
        &mut dst[..taps * co * ci4],
        ci4,
        #[inline(always)]
        |first, part| {
            for (row, dst) in (first..).zip(part.chunks_mut(ci4)) {
                let (tap, channel) = (row / co, row % co);
                let own = if p.reverse != 0 { taps - 1 - tap } else { tap };
                let src = &src[4 * src_first + own * 4 * ci4 * co..][..4 * ci4 * co];
                for (dst, src) in dst.iter_mut().zip(src.chunks_exact(4 * co)) {
                    *dst = std::array::from_fn(|k| src[k * co + channel]);
                }
            }
        },
    );
}
