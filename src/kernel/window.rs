//! Box means along rows and columns; `kernels/window.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/window.wgsl`.
    struct Uniform { nx: u32, ny: u32, planes: u32, first: u32, radius: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "window",
    source: include_str!("../../kernels/window.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![spec(0), spec(1)],
    sizes: &[Size::new(1, 3, 5), Size::new(3, 41, 47), Size::new(12, 256, 256)],
    trial,
};

/// Pixels of one thread; `BLOCK` of the shader.
const BLOCK: usize = 4;

fn spec(axis: u32) -> Spec {
    Spec::new(&KERNEL, &[("AXIS", axis)])
}

/// Which planes of a buffer, and the half width of their box.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first plane.
    pub first: usize,
    /// How many.
    pub planes: usize,
    /// The box has `2 radius + 1` pixels a side; at least 2.
    pub radius: usize,
}

/// Records the box means of several spans of planes, vec4f `[planes][ny][nx]`, zero beyond the image.
/// The spans together cover all planes.
pub fn record(rec: &mut Recorder, src: Buf, [nx, ny]: [usize; 2], spans: &[Span]) -> Buf {
    debug_assert!(spans.iter().all(|s| s.radius >= 2), "the shader sums four pixels' boxes at once");
    let values = nx * ny * spans.iter().map(|s| s.planes).sum::<usize>();
    let mut from = src;
    for axis in 0..2 {
        let dst = rec.scratch::<[f32; 4]>("box means", values);
        for span in spans {
            let lines = if axis == 0 { nx.div_ceil(BLOCK) * ny } else { nx * ny.div_ceil(BLOCK) };
            let threads = lines * span.planes;
            let params = Uniform {
                nx: nx as u32,
                ny: ny as u32,
                planes: span.planes as u32,
                first: span.first as u32,
                radius: span.radius as u32,
            };
            let cost = Cost::each(nx * ny * span.planes, 4 * (2 * span.radius + 1), 32);
            rec.linear(spec(axis), &params, &[from.into(), dst.into()], threads, cost);
        }
        from = dst;
    }
    from
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let radius = 2 + spec.constant("AXIS") as usize * 4;
    let values: Vec<[f32; 4]> =
        (0..size.planes * size.pixels()).map(|_| std::array::from_fn(|_| rng.f32())).collect();
    let src = rec.constant("planes", &values);
    let span = |first, planes, radius| Span { first, planes, radius };
    let spans = [span(0, 1, radius), span(1, size.planes - 1, radius + 1)];
    let spans = if size.planes == 1 { &spans[..1] } else { &spans[..] };
    let dst = record(rec, src, [size.nx, size.ny], spans);
    let all = oracle::wide4(&values);
    let expected = spans.iter().flat_map(|s| {
        let rows = s.first * size.pixels()..(s.first + s.planes) * size.pixels();
        let part = all.slice(ndarray::s![rows, ..]).to_owned();
        let part = part.into_shape_with_order((s.planes, size.pixels(), 4)).expect("shape");
        oracle::flat_real(&oracle::window(&part, [size.nx, size.ny], s.radius))
    });
    vec![Expect::in_buffer(dst, expected.collect(), 1e-6)]
}
