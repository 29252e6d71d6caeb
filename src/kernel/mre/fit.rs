//! Local polynomial fits of the directional waves: moments along the rows of a sliding window
//! (`kernels/mre/row_moments.wgsl`), fitted values and Laplacians from them (`kernels/mre/fit.wgsl`), and the residual
//! of a small fit (`kernels/mre/residual.wgsl`).

mod native;

use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;
use ndarray::Array2;
use ndarray::{Array3, s};
use num_complex::Complex32;

/// The side of a fit's window in px, and the number of even powers of the offset in its stencils.
pub type Window = (usize, usize);

/// The windows that have kernels: of degree 5 with three even powers, and of degree 3 with two.
pub const WINDOWS: [Window; 5] = [(7, 3), (9, 3), (15, 3), (9, 2), (11, 2)];

/// The number of pixels that one thread computes.
pub const BLOCK: usize = 4;

/// The specialisation of `kernel` ([`FIT`] or [`ROW_MOMENTS`]) for a window.
pub(crate) fn spec(kernel: &'static Kernel, (window, powers): Window) -> Spec {
    let constants = [("WINDOW", window), ("POWERS", powers), ("BLOCK", BLOCK)];
    let derived = [("SPAN", window + BLOCK - 1), ("SIDE", window / 2 + 1)];
    let all: Vec<_> = constants.iter().chain(&derived).map(|&(name, value)| (name, value as u32)).collect();
    Spec::new(kernel, &all)
}

params! {
    struct FitParams { nx: u32, ny: u32, directions: u32 }
}

/// The row of the table of kernels.
pub static FIT: Kernel = Kernel {
    name: "fit",
    source: include_str!("../../../kernels/mre/fit.wgsl"),
    bindings: &[read("moments", "vec2f"), read("taps", "vec2f"), write("dst", "vec4f")],
    params: FitParams::LAYOUT,
    specs: || WINDOWS.map(|w| spec(&FIT, w)).to_vec(),
    native: Some(native::fit),
};

/// Records the products of fitted value and Laplacian, summed over the directions: waves vec2f `[directions][ny][nx]`,
/// result vec4f `[ny][nx]`. `columns` `[window][powers][2]` holds the weights of the row moments in value and
/// Laplacian. `nx` and `ny` must exceed the widest window.
pub(crate) fn record(rec: &mut Recorder, waves: Buf, shape: (Size, usize), columns: &Array3<f64>) -> Buf {
    let (Size { nx, ny }, directions) = shape;
    let window: Window = (columns.dim().0, columns.dim().1);
    let moments = record_row_moments(rec, waves, shape, window);
    let mut taps = Array3::zeros((window.0 + 2 * (BLOCK - 1), window.1, 2));
    taps.slice_mut(s![BLOCK - 1..BLOCK - 1 + window.0, .., ..]).assign(&columns.mapv(|w| w as f32));
    let taps = rec.constant("taps", &taps.into_flat().to_vec());
    let n = nx * ny;
    let dst = rec.scratch::<[f32; 4]>("products", n);
    let params = FitParams { nx: nx as u32, ny: ny as u32, directions: directions as u32 };
    let cost = Cost {
        flops: (n * directions * (8 * window.0 * window.1 + 12)) as f64,
        bytes: (n * (8 * directions * window.1 + 16)) as f64,
    };
    let threads = nx * ny.div_ceil(BLOCK);
    let bound = [
        moments.first::<Complex32>(window.1 * directions * n),
        taps.first::<[f32; 2]>((window.0 + 2 * (BLOCK - 1)) * window.1),
        dst.first::<[f32; 4]>(n),
    ];
    rec.linear(spec(&FIT, window), &params, &bound, threads, cost);
    dst
}

params! {
    struct RowMomentsParams { nx: u32, ny: u32, planes: u32 }
}

/// The row of the table of kernels.
pub static ROW_MOMENTS: Kernel = Kernel {
    name: "row_moments",
    source: include_str!("../../../kernels/mre/row_moments.wgsl"),
    bindings: &[read("src", "vec2f"), write("dst", "vec2f")],
    params: RowMomentsParams::LAYOUT,
    specs: || WINDOWS.map(|w| spec(&ROW_MOMENTS, w)).to_vec(),
    native: Some(native::row_moments),
};

/// Records Σ_c (c/r)^2a src[x + c]: src vec2f `[planes][ny][nx]`, result vec2f `[powers][planes][ny][nx]`. `nx` must be
/// at least the side of the window.
pub(crate) fn record_row_moments(
    rec: &mut Recorder,
    src: Buf,
    (Size { nx, ny }, planes): (Size, usize),
    window: Window,
) -> Buf {
    let (side, powers) = window;
    let values = nx * ny * planes;
    let dst = rec.scratch::<Complex32>("row moments", powers * values);
    let params = RowMomentsParams { nx: nx as u32, ny: ny as u32, planes: planes as u32 };
    let cost = Cost::each(values, 2 * side * powers, 8 * (1 + powers));
    let threads = nx.div_ceil(BLOCK) * ny * planes;
    let bound = [src.first::<Complex32>(values), dst.first::<Complex32>(powers * values)];
    rec.linear(spec(&ROW_MOMENTS, window), &params, &bound, threads, cost);
    dst
}

params! {
    struct ResidualParams { nx: u32, ny: u32, directions: u32 }
}

/// The row of the table of kernels.
pub static RESIDUAL: Kernel = Kernel {
    name: "residual",
    source: include_str!("../../../kernels/mre/residual.wgsl"),
    bindings: &[read("waves", "vec2f"), read("taps", "f32"), write("dst", "f32")],
    params: ResidualParams::LAYOUT,
    specs: || vec![Spec::new(&RESIDUAL, &[("WINDOW", 5)])],
    native: Some(native::residual),
};

/// Records Σ over directions of |w − fitted w|²: waves vec2f `[directions][ny][nx]`, value stencil `[5][5]`, result f32
/// `[ny][nx]`.
pub(crate) fn record_residual(
    rec: &mut Recorder,
    waves: Buf,
    (Size { nx, ny }, directions): (Size, usize),
    value: &Array2<f64>,
) -> Buf {
    let taps: Vec<f32> = value.iter().map(|&v| v as f32).collect();
    let taps = rec.constant("residual stencil", &taps);
    let n = nx * ny;
    let dst = rec.scratch::<f32>("residual", n);
    let params = ResidualParams { nx: nx as u32, ny: ny as u32, directions: directions as u32 };
    let cost = Cost {
        flops: (n * directions * (4 * value.len() + 4)) as f64,
        bytes: (n * (8 * directions + 4)) as f64,
    };
    let spec = Spec::new(&RESIDUAL, &[("WINDOW", value.nrows() as u32)]);
    let bound =
        [waves.first::<Complex32>(directions * n), taps.first::<f32>(value.len()), dst.first::<f32>(n)];
    rec.linear(spec, &params, &bound, n, cost);
    dst
}
