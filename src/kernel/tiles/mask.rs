//! Masks: a wave under a mask (`kernels/tiles/apply_mask.wgsl`), and the planes of an image under a mask
//! (`kernels/tiles/unstack.wgsl`).

use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};

/// Threads take multiples of so many pixels on the processor, so that they share no cache line.
pub(super) const CHUNK: usize = 256;

params! {
    struct ApplyMaskParams { count: u32, sign: f32 }
}

/// The row of the table of kernels.
pub static APPLY_MASK: Kernel = Kernel {
    name: "apply_mask",
    source: include_str!("../../../kernels/tiles/apply_mask.wgsl"),
    bindings: &[read("wave", "vec2f"), read("mask", "f32"), write("dst", "vec4f")],
    params: ApplyMaskParams::LAYOUT,
    specs: || vec![Spec::new(&APPLY_MASK, &[])],
    native: Some(native),
};

/// Records (re, im, inside, 0), vec4f `[n]`, from a wave vec2f `[n]` and a mask f32 `[n]`. `conjugated` conjugates the
/// wave.
pub fn apply(rec: &mut Recorder, [wave, mask]: [Buf; 2], conjugated: bool, n: usize) -> Buf {
    let dst = rec.scratch::<[f32; 4]>("field", n);
    let params = ApplyMaskParams { count: n as u32, sign: if conjugated { -1.0 } else { 1.0 } };
    let resources = [wave.first::<[f32; 2]>(n), mask.first::<f32>(n), dst.first::<[f32; 4]>(n)];
    rec.linear(Spec::new(&APPLY_MASK, &[]), &params, &resources, n, Cost::each(n, 1, 28));
    dst
}

fn native(call: &mut Call) {
    let p: ApplyMaskParams = call.params();
    let (wave, mask) = (call.read::<[f32; 2]>(0), call.read::<f32>(1));
    call.team().split(
        call.write::<Quad>(2),
        CHUNK,
        #[inline(always)]
        |chunk, dst| {
            let first = chunk * CHUNK;
            for (dst, ([re, im], mask)) in dst.iter_mut().zip(wave[first..].iter().zip(&mask[first..])) {
                *dst = if *mask > 0.0 { [*re, p.sign * im, 1.0, 0.0] } else { [0.0; 4] };
            }
        },
    );
}

params! {
    struct UnstackParams { count: u32 }
}

/// The row of the table of kernels.
pub static UNSTACK: Kernel = Kernel {
    name: "unstack",
    source: include_str!("../../../kernels/tiles/unstack.wgsl"),
    bindings: &[read("src", "vec4f"), read("mask", "f32"), write("dst", "f32")],
    params: UnstackParams::LAYOUT,
    specs: || vec![Spec::new(&UNSTACK, &[])],
    native: Some(native_planes),
};

/// The number of planes that are written.
pub const PLANES: usize = 3;

/// Records x, y and w of `src`, vec4f `[n]`, as planes f32 `[3][n]` into `dst`. A pixel is inside if both z and the
/// mask, f32 `[n]`, are above 0; the others are 0.
pub fn unstack(rec: &mut Recorder, [src, mask, dst]: [Buf; 3], n: usize) {
    let params = UnstackParams { count: n as u32 };
    let resources = [src.first::<[f32; 4]>(n), mask.first::<f32>(n), dst.first::<f32>(PLANES * n)];
    rec.linear(Spec::new(&UNSTACK, &[]), &params, &resources, n, Cost::each(n, 0, 32));
}

fn native_planes(call: &mut Call) {
    let p: UnstackParams = call.params();
    let (src, mask) = (call.read::<Quad>(0), call.read::<f32>(1));
    let (a, rest) = call.write::<f32>(2).split_at_mut(p.count as usize);
    let (b, c) = rest.split_at_mut(p.count as usize);
    call.team().split_all(
        [(a, CHUNK), (b, CHUNK), (c, CHUNK)],
        #[inline(always)]
        |chunk, [a, b, c]| {
            let first = chunk * CHUNK;
            let planes = a.iter_mut().zip(b).zip(c);
            for (((a, b), c), (src, mask)) in planes.zip(src[first..].iter().zip(&mask[first..])) {
                let value = if *mask > 0.0 && src[2] > 0.0 { *src } else { [0.0; 4] };
                [*a, *b, _, *c] = value;
            }
        },
    );
}
