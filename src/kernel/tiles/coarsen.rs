//! Means over squares of pixels, for the views of a patch's surroundings: `kernels/tiles/coarsen.wgsl`.

use super::cut::Scene;
use super::mask::CHUNK;
use crate::kernel::quads::Quad;
use crate::plan::{Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;

params! {
    struct CoarsenParams { count: u32, nx: u32, ny: u32, scale: u32, least: f32 }
}

/// The row of the table of kernels.
pub static COARSEN: Kernel = Kernel {
    name: "coarsen",
    source: include_str!("../../../kernels/tiles/coarsen.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: CoarsenParams::LAYOUT,
    specs: || vec![Spec::new(&COARSEN, &[])],
    native: Some(native),
};

/// Records the means of `scene`, an image itself, over `scale` × `scale` pixels. A mean has a value if at least the share
/// `cover` of its pixels is inside.
pub(crate) fn record(rec: &mut Recorder, scene: Scene, scale: usize, cover: f32) -> Scene {
    let Size { nx, ny } = scene.size;
    let size = Size::new(nx + scale - 1, ny + scale - 1);
    let n = size.pixels();
    let dst = rec.scratch::<[f32; 4]>("coarse image", n);
    let params = CoarsenParams {
        count: n as u32,
        nx: nx as u32,
        ny: ny as u32,
        scale: scale as u32,
        least: cover * (scale * scale) as f32,
    };
    let bound = [scene.image.first::<[f32; 4]>(nx * ny), dst.first::<[f32; 4]>(n)];
    rec.linear(Spec::new(&COARSEN, &[]), &params, &bound, n, Cost::each(n, 4 * scale * scale, 32));
    Scene { image: dst, size, scale }
}

fn native(call: &mut Call) {
    let p: CoarsenParams = call.params();
    let [nx, ny, scale] = [p.nx, p.ny, p.scale].map(|n| n as usize);
    let (wide, src) = (nx + scale - 1, call.read::<Quad>(0));
    call.team().split(
        call.write::<Quad>(1),
        CHUNK,
        #[inline(always)]
        |chunk, dst| {
            for (i, dst) in (chunk * CHUNK..).zip(dst) {
                let [x, y] = [i % wide, i / wide];
                let range = |at: usize, n: usize| (at + 1).saturating_sub(scale)..(at + 1).min(n);
                let mut sum = [0.0f32; 3];
                for row in range(y, ny) {
                    for [re, im, inside, _] in &src[row * nx..][range(x, nx)] {
                        let terms = if *inside > 0.0 { [*re, *im, 1.0] } else { [0.0; 3] };
                        (0..3).for_each(|k| sum[k] += terms[k]);
                    }
                }
                let [re, im, count] = sum;
                *dst = if count >= p.least {
                    [re / count.max(1.0), im / count.max(1.0), 1.0, 0.0]
                } else {
                    [0.0; 4]
                };
            }
        },
    );
}
