//! Moments along the rows of a sliding window; `kernels/row_moments.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};
use num_complex::Complex32;

params! {
    /// `Params` of `kernels/row_moments.wgsl`.
    struct Uniform { nx: u32, ny: u32, planes: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "row_moments",
    source: include_str!("../../kernels/row_moments.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || WINDOWS.map(|w| spec(&KERNEL, w)).to_vec(),
    sizes: &[Size::new(1, 3, 16), Size::new(3, 41, 47), Size::new(4, 256, 256)],
    trial,
};

/// Side of a fit's window in px, and how many even powers of the offset its stencils hold.
pub type Window = (usize, usize);

/// The windows there are kernels for: of degree 5 with three even powers, of degree 3 with two.
pub const WINDOWS: [Window; 5] = [(7, 3), (9, 3), (15, 3), (9, 2), (11, 2)];

/// Pixels of one thread.
pub const BLOCK: usize = 4;

/// The specialisation of `kernel` for a window; [`super::fit`] has the same.
pub(super) fn spec(kernel: &'static Kernel, (window, powers): Window) -> Spec {
    let constants = [("WINDOW", window), ("POWERS", powers), ("BLOCK", BLOCK)];
    let derived = [("SPAN", window + BLOCK - 1), ("SIDE", window / 2 + 1)];
    let all: Vec<_> = constants.iter().chain(&derived).map(|&(name, value)| (name, value as u32)).collect();
    Spec::new(kernel, &all)
}

/// Records Σ_c (c/r)^2a src[x + c]: src vec2f `[planes][ny][nx]`, result vec2f `[powers][planes][ny][nx]`.
/// `nx` is at least the window.
pub fn record(rec: &mut Recorder, src: Buf, [nx, ny, planes]: [usize; 3], window: Window) -> Buf {
    let (side, powers) = window;
    let values = nx * ny * planes;
    let dst = rec.scratch::<Complex32>("row moments", powers * values);
    let params = Uniform { nx: nx as u32, ny: ny as u32, planes: planes as u32 };
    let cost = Cost::each(values, 2 * side * powers, 8 * (1 + powers));
    let threads = nx.div_ceil(BLOCK) * ny * planes;
    rec.linear(spec(&KERNEL, window), &params, &[src.into(), dst.into()], threads, cost);
    dst
}

fn trial(rec: &mut Recorder, spec: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let window = (spec.constant("WINDOW") as usize, spec.constant("POWERS") as usize);
    let waves = oracle::waves(rng, size.planes * size.pixels());
    let src = rec.constant("waves", &waves);
    let dst = record(rec, src, [size.nx, size.ny, size.planes], window);
    let cube = oracle::wide_complex(&waves).into_shape_with_order((size.planes, size.ny, size.nx));
    let expected = oracle::row_moments(&cube.expect("shape"), window);
    vec![Expect::in_buffer(dst, oracle::flat(&expected), 1e-6)]
}
