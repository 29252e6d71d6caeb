//! Resampling of an image on another grid: `kernels/signal/resample.wgsl`.

use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;

params! {
    struct ResampleParams { nx: u32, ny: u32, mx: u32, my: u32, step_x: f32, step_y: f32, reach: u32 }
}

/// The row of the table of kernels.
pub static RESAMPLE: Kernel = Kernel {
    name: "resample",
    source: include_str!("../../../kernels/signal/resample.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: ResampleParams::LAYOUT,
    specs: || vec![Spec::new(&RESAMPLE, &[])],
    native: None,
};

/// Two grids about the same centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grids {
    /// Columns and rows of the grid that is read.
    pub from: Size,
    /// Columns and rows of the grid that is written.
    pub to: Size,
    /// The pixel spacing of the written grid in pixels of the grid that is read, along x and y.
    pub step: [f64; 2],
    /// 0: a written pixel is inside if the nearest pixel read is inside. Above 0: it is inside if a tent of up to this
    /// many times the width holds a pixel that is inside.
    pub reach: usize,
}

impl Grids {
    /// The grids of the way back, with this `reach`.
    pub fn back(self, reach: usize) -> Self {
        Self { from: self.to, to: self.from, step: self.step.map(|s| 1.0 / s), reach }
    }
}

/// Records `src`, vec4f `[my][mx]`, on the other grid, vec4f `[ny][nx]`. z is above 0 inside.
pub fn record(rec: &mut Recorder, src: Buf, grids: Grids) -> Buf {
    let Grids { from: Size { nx: mx, ny: my }, to: Size { nx, ny }, step, reach } = grids;
    let dst = rec.scratch::<[f32; 4]>("resampled", nx * ny);
    let [step_x, step_y] = step.map(|s| s as f32);
    let [mx, my, wide, high, reach] = [mx, my, nx, ny, reach].map(|n| n as u32);
    let params = ResampleParams { nx: wide, ny: high, mx, my, step_x, step_y, reach };
    let taps = step.iter().map(|s| (2.0 * s.max(1.0)).ceil() as usize).product::<usize>();
    let cost = Cost::each(nx * ny, 10 * taps, 32);
    let bound = [src.first::<[f32; 4]>(grids.from.pixels()), dst.first::<[f32; 4]>(nx * ny)];
    rec.linear(Spec::new(&RESAMPLE, &[]), &params, &bound, nx * ny, cost);
    dst
}
