//! Fitted values and Laplacians of directional waves, from moments along rows; `kernels/fit.wgsl`.

use super::params::params;
use super::row_moments::{BLOCK, WINDOWS, Window, spec};
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, row_moments, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use ndarray::{Array3, s};

params! {
    /// `Params` of `kernels/fit.wgsl`.
    struct Uniform { nx: u32, ny: u32, directions: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "fit",
    source: include_str!("../../kernels/fit.wgsl"),
    bindings: &[uniform("p"), read("moments"), read("taps"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || WINDOWS.map(|w| spec(&KERNEL, w)).to_vec(),
    sizes: &[Size::new(1, 17, 16), Size::new(3, 41, 47), Size::new(4, 256, 256)],
    trial,
};

/// Records the products of fitted value and Laplacian, summed over directions: waves vec2f
/// `[directions][ny][nx]`, result vec4f `[ny][nx]`. `columns` `[window][powers][2]` are the weights of the row
/// moments in value and Laplacian; `nx` and `ny` are above the widest window.
pub fn record(rec: &mut Recorder, waves: Buf, shape: [usize; 3], columns: &Array3<f64>) -> Buf {
    let [nx, ny, directions] = shape;
    let window: Window = (columns.dim().0, columns.dim().1);
    let moments = row_moments::record(rec, waves, shape, window);
    let mut taps = Array3::zeros((window.0 + 2 * (BLOCK - 1), window.1, 2));
    taps.slice_mut(s![BLOCK - 1..BLOCK - 1 + window.0, .., ..]).assign(&columns.mapv(|w| w as f32));
    let taps = rec.constant("taps", &taps.into_flat().to_vec());
    let n = nx * ny;
    let dst = rec.scratch::<[f32; 4]>("products", n);
    let params = Uniform { nx: nx as u32, ny: ny as u32, directions: directions as u32 };
    let cost = Cost {
        flops: (n * directions * (8 * window.0 * window.1 + 12)) as f64,
        bytes: (n * (8 * directions * window.1 + 16)) as f64,
    };
    let threads = nx * ny.div_ceil(BLOCK);
    rec.linear(spec(&KERNEL, window), &params, &[moments.into(), taps.into(), dst.into()], threads, cost);
    dst
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let window = (spec.constant("WINDOW") as usize, spec.constant("POWERS") as usize);
    let columns = Array3::from_shape_simple_fn((window.0, window.1, 2), || f64::from(rng.f32() - 0.5));
    let columns = columns.mapv(|w| f64::from(w as f32));
    let waves = oracle::waves(rng, size.planes * size.pixels());
    let src = rec.constant("waves", &waves);
    let dst = record(rec, src, [size.nx, size.ny, size.planes], &columns);
    let cube = oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.ny, size.nx));
    let expected = oracle::fit(&oracle::row_moments(&cube.expect("shape"), window), &columns);
    vec![Expect::in_buffer(dst, oracle::flat_real(&expected), 1e-6)]
}
