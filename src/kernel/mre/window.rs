//! Box means along rows and columns (`kernels/mre/window.wgsl`), the values that they average, with and without trust
//! (`kernels/mre/weigh.wgsl`), and the erosion of the mask (`kernels/mre/erode.wgsl`).

use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;

params! {
    struct WindowParams { nx: u32, ny: u32, planes: u32, first: u32, radius: u32 }
}

/// The row of the table of kernels.
pub static WINDOW: Kernel = Kernel {
    name: "window",
    source: include_str!("../../../kernels/mre/window.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: WindowParams::LAYOUT,
    specs: || vec![spec(0), spec(1)],
    native: None,
};

/// The number of pixels that one thread computes: `BLOCK` of the shader.
const BLOCK: usize = 4;

fn spec(axis: u32) -> Spec {
    Spec::new(&WINDOW, &[("AXIS", axis)])
}

/// A range of planes of a buffer, and the half width of their box.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first plane.
    pub first: usize,
    /// The number of planes.
    pub planes: usize,
    /// The half width, at least 2: the box has `2 radius + 1` pixels a side.
    pub radius: usize,
}

/// Records the box means of several spans of planes, vec4f `[planes][ny][nx]`; pixels beyond the image count as zero.
/// The spans together must cover all planes.
pub fn record(rec: &mut Recorder, src: Buf, Size { nx, ny }: Size, spans: &[Span]) -> Buf {
    debug_assert!(spans.iter().all(|s| s.radius >= 2), "the shader sums four pixels' boxes at once");
    let values = nx * ny * spans.iter().map(|s| s.planes).sum::<usize>();
    let mut from = src;
    for axis in 0..2 {
        let dst = rec.scratch::<[f32; 4]>("box means", values);
        for span in spans {
            let lines = if axis == 0 { nx.div_ceil(BLOCK) * ny } else { nx * ny.div_ceil(BLOCK) };
            let threads = lines * span.planes;
            let params = WindowParams {
                nx: nx as u32,
                ny: ny as u32,
                planes: span.planes as u32,
                first: span.first as u32,
                radius: span.radius as u32,
            };
            let cost = Cost::each(nx * ny * span.planes, 4 * (2 * span.radius + 1), 32);
            let end = (span.first + span.planes) * nx * ny;
            rec.linear(
                spec(axis),
                &params,
                &[from, dst].map(|buf| buf.first::<[f32; 4]>(end)),
                threads,
                cost,
            );
        }
        from = dst;
    }
    from
}

params! {
    struct WeighParams { count: u32, first: u32 }
}

/// The row of the table of kernels.
pub static WEIGH: Kernel = Kernel {
    name: "weigh",
    source: include_str!("../../../kernels/mre/weigh.wgsl"),
    bindings: &[
        read("products", "vec4f"),
        read("residual", "f32"),
        read("trust", "f32"),
        write("dst", "vec4f"),
    ],
    params: WeighParams::LAYOUT,
    specs: || vec![Spec::new(&WEIGH, &[])],
    native: None,
};

/// The number of planes that are written for each model.
pub const MODEL_PLANES: usize = 3;

/// Records the three planes of one model into `dst`, vec4f `[planes][n]`, from plane `first`. products vec4f `[n]`
/// comes from `fit::record`; residual and trust are f32 `[n]`.
pub fn record_weigh(
    rec: &mut Recorder,
    [products, residual, trust]: [Buf; 3],
    dst: Buf,
    first: usize,
    n: usize,
) {
    let params = WeighParams { count: n as u32, first: first as u32 };
    let resources = [
        products.first::<[f32; 4]>(n),
        residual.first::<f32>(n),
        trust.first::<f32>(n),
        dst.first::<[f32; 4]>((first + MODEL_PLANES) * n),
    ];
    rec.linear(Spec::new(&WEIGH, &[]), &params, &resources, n, Cost::each(n, 5, 72));
}

params! {
    struct ErodeParams { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table of kernels.
pub static ERODE: Kernel = Kernel {
    name: "erode",
    source: include_str!("../../../kernels/mre/erode.wgsl"),
    bindings: &[read("mask", "f32"), write("dst", "f32")],
    params: ErodeParams::LAYOUT,
    specs: || vec![Spec::new(&ERODE, &[])],
    native: None,
};

/// Records 1 where every pixel within `radius` steps lies in the image and in the mask, else 0. Mask and result are f32
/// `[ny][nx]`.
pub fn record_erode(rec: &mut Recorder, mask: Buf, Size { nx, ny }: Size, radius: usize) -> Buf {
    let dst = rec.scratch::<f32>("trust", nx * ny);
    let params = ErodeParams { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    rec.linear(
        Spec::new(&ERODE, &[]),
        &params,
        &[mask, dst].map(|buf| buf.first::<f32>(nx * ny)),
        nx * ny,
        Cost::each(nx * ny, 0, 8),
    );
    dst
}
