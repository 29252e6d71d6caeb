//! Box means along rows and columns (`kernels/mre/window.wgsl`), the values that they average, with and without trust
//! (`kernels/mre/weigh.wgsl`), and the erosion of the mask (`kernels/mre/erode.wgsl`).

use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
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
    native: Some(native),
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
    native: Some(native_weigh),
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
    native: Some(native_erode),
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

/// The number of pixels of a row that are computed side by side.
const PIXELS: usize = 64;

fn native(call: &mut Call) {
    let p: WindowParams = call.params();
    let [nx, ny, radius] = [p.nx, p.ny, p.radius].map(|n| n as usize);
    let along_row = call.constant("AXIS") == 0;
    let planes = p.first as usize * nx * ny..(p.first + p.planes) as usize * nx * ny;
    let src = &call.read::<Quad>(0)[planes.clone()];
    let dst = &mut call.write::<Quad>(1)[planes];
    let factor = 1.0 / (2 * p.radius + 1) as f32;
    call.team().split(
        dst,
        nx,
        #[inline(always)]
        |first, part| {
            for (line, dst) in (first..).zip(part.chunks_exact_mut(nx)) {
                let (plane, y) = (line / ny * ny, line % ny);
                for (block, dst) in dst.chunks_mut(PIXELS).enumerate() {
                    let x = block * PIXELS;
                    let mut sums = [[0.0; 4]; PIXELS];
                    if along_row {
                        for offset in 0..2 * radius + 1 {
                            // Pixel k of the row is in the box of pixel k + radius - offset.
                            let begin = radius.saturating_sub(x + offset);
                            let end = (nx + radius).saturating_sub(x + offset).min(dst.len());
                            if begin < end {
                                let start = line * nx + x + offset + begin - radius;
                                add(&mut sums[begin..end], &src[start..start + end - begin]);
                            }
                        }
                    } else {
                        for row in y.saturating_sub(radius)..(y + radius + 1).min(ny) {
                            add(&mut sums[..dst.len()], &src[(plane + row) * nx + x..][..dst.len()]);
                        }
                    }
                    let values = dst.as_flattened_mut().iter_mut().zip(sums.as_flattened());
                    values.for_each(|(dst, sum)| *dst = sum * factor);
                }
            }
        },
    );
}

#[inline(always)]
fn add(sums: &mut [Quad], values: &[Quad]) {
    let values = sums.as_flattened_mut().iter_mut().zip(values.as_flattened());
    values.for_each(|(sum, value)| *sum += value);
}

fn native_weigh(call: &mut Call) {
    let p: WeighParams = call.params();
    let n = p.count as usize;
    let (products, residual, trust): (&[Quad], &[f32], &[f32]) = (call.read(0), call.read(1), call.read(2));
    let dst = &mut call.write::<Quad>(3)[p.first as usize * n..];
    let (weighed, dst) = dst.split_at_mut(n);
    let (aux, plain) = dst.split_at_mut(n);
    call.team().split_all(
        [(weighed, 1), (aux, 1), (plain, 1)],
        #[inline(always)]
        |first, [weighed, aux, plain]| {
            let count = plain.len();
            let products = &products[first..][..count];
            plain.copy_from_slice(products);
            let (residual, trust) = (&residual[first..][..count], &trust[first..][..count]);
            for i in 0..count {
                weighed[i] = products[i].map(|product| trust[i] * product);
                aux[i] = [trust[i] * residual[i], trust[i], residual[i], 0.0];
            }
        },
    );
}

fn native_erode(call: &mut Call) {
    let p: ErodeParams = call.params();
    let [nx, ny, radius] = [p.nx, p.ny, p.radius].map(|n| n as usize);
    let mask: &[f32] = call.read(0);
    call.team().split(
        call.write(1),
        nx,
        #[inline(always)]
        |first, part: &mut [f32]| {
            for (y, dst) in (first..).zip(part.chunks_exact_mut(nx)) {
                dst.fill(0.0);
                if y < radius || y + radius >= ny || nx < 2 * radius + 1 {
                    continue;
                }
                let within = &mut dst[radius..nx - radius];
                within.fill(1.0);
                for dy in 0..2 * radius + 1 {
                    let reach = radius - dy.abs_diff(radius);
                    let row = &mask[(y + dy - radius) * nx..][..nx];
                    for start in radius - reach..=radius + reach {
                        let values = within.iter_mut().zip(&row[start..]);
                        values.for_each(|(all, mask)| *all = if *mask > 0.0 { *all } else { 0.0 });
                    }
                }
            }
        },
    );
}
