//! What a small polynomial fit leaves of directional waves; `kernels/residual.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use ndarray::Array2;

params! {
    /// `Params` of `kernels/residual.wgsl`.
    struct Uniform { nx: u32, ny: u32, directions: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "residual",
    source: include_str!("../../kernels/residual.wgsl"),
    bindings: &[uniform("p"), read("waves"), read("taps"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[("WINDOW", 5)])],
    sizes: &[Size::new(1, 17, 16), Size::new(3, 41, 47), Size::new(4, 256, 256)],
    trial,
};

/// Records Σ over directions of |w − fitted w|²: waves vec2f `[directions][ny][nx]`, value stencil
/// `[5][5]`, result f32 `[ny][nx]`.
pub fn record(rec: &mut Recorder, waves: Buf, [nx, ny, directions]: [usize; 3], value: &Array2<f64>) -> Buf {
    let taps: Vec<f32> = value.iter().map(|&v| v as f32).collect();
    let taps = rec.constant("residual stencil", &taps);
    let n = nx * ny;
    let dst = rec.scratch::<f32>("residual", n);
    let params = Uniform { nx: nx as u32, ny: ny as u32, directions: directions as u32 };
    let cost = Cost {
        flops: (n * directions * (4 * value.len() + 4)) as f64,
        bytes: (n * (8 * directions + 4)) as f64,
    };
    let spec = Spec::new(&KERNEL, &[("WINDOW", value.nrows() as u32)]);
    rec.linear(spec, &params, &[waves.into(), taps.into(), dst.into()], n, cost);
    dst
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let w = spec.constant("WINDOW") as usize;
    let value = Array2::from_shape_simple_fn((w, w), || f64::from(rng.f32() - 0.5));
    let waves = oracle::waves(rng, size.planes * size.pixels());
    let src = rec.constant("waves", &waves);
    let dst = record(rec, src, [size.nx, size.ny, size.planes], &value);
    let cube = oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.ny, size.nx));
    let expected = oracle::residual(&cube.expect("shape"), &value);
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
}
