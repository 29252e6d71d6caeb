//! Local polynomial fits of directional waves; `kernels/stencil.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use ndarray::Array2;

params! {
    /// `Params` of `kernels/stencil.wgsl`.
    struct Uniform { nx: u32, ny: u32, directions: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "stencil",
    source: include_str!("../../kernels/stencil.wgsl"),
    bindings: &[uniform("p"), read("waves"), read("taps"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || [7, 9, 11, 15].map(spec).to_vec(),
    sizes: &[Size::new(1, 17, 16), Size::new(3, 41, 47), Size::new(4, 256, 256)],
    trial,
};

fn spec(window: usize) -> Spec {
    Spec::new(&KERNEL, &[("WINDOW", window as u32), ("SIDE", (window / 2 + 1) as u32)])
}

/// Records the products of fitted value and Laplacian, summed over directions: waves vec2f
/// `[directions][ny][nx]`, stencils `[w][w]` even in both axes with w one of 7, 9, 11, 15 and not
/// above `nx` or `ny`; result vec4f `[ny][nx]`.
pub fn record(
    rec: &mut Recorder,
    waves: Buf,
    [nx, ny, directions]: [usize; 3],
    value: &Array2<f64>,
    laplacian: &Array2<f64>,
) -> Buf {
    let window = value.nrows();
    let taps: Vec<[f32; 2]> = value.iter().zip(laplacian).map(|(&v, &l)| [v as f32, l as f32]).collect();
    let taps = rec.constant("stencil", &taps);
    let n = nx * ny;
    let dst = rec.scratch::<[f32; 4]>("products", n);
    let params = Uniform { nx: nx as u32, ny: ny as u32, directions: directions as u32 };
    let cost = Cost {
        flops: (n * directions * (8 * window * window + 12)) as f64,
        bytes: (n * (8 * directions + 16)) as f64,
    };
    rec.linear(spec(window), &params, &[waves.into(), taps.into(), dst.into()], n, cost);
    dst
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let w = spec.constant("WINDOW") as usize;
    let mut even = || {
        let quarter = Array2::from_shape_simple_fn((w / 2 + 1, w / 2 + 1), || f64::from(rng.f32() - 0.5));
        Array2::from_shape_fn((w, w), |(r, c)| quarter[[r.abs_diff(w / 2), c.abs_diff(w / 2)]])
    };
    let (value, laplacian) = (even(), even());
    let waves = oracle::waves(rng, size.planes * size.pixels());
    let src = rec.constant("waves", &waves);
    let dst = record(rec, src, [size.nx, size.ny, size.planes], &value, &laplacian);
    let cube = oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.ny, size.nx));
    let expected = oracle::stencil(&cube.expect("shape"), &value, &laplacian);
    vec![Expect::in_buffer(dst, oracle::flat4(&expected), 1e-6)]
}
