//! An image on another grid; `kernels/resample.wgsl`.

use super::params::params;
use super::{Cost, Expect, Kernel, Params, Size, Spec, read, uniform, write};
use crate::oracle;
use crate::plan::{Buf, Recorder};

params! {
    /// `Params` of `kernels/resample.wgsl`.
    struct Uniform { nx: u32, ny: u32, mx: u32, my: u32, step_x: f32, step_y: f32, reach: u32 }
}

/// The row of the table.
pub static KERNEL: Kernel = Kernel {
    name: "resample",
    source: include_str!("../../kernels/resample.wgsl"),
    bindings: &[uniform("p"), read("src"), write("dst")],
    params: Uniform::LAYOUT,
    specs: || vec![Spec::new(&KERNEL, &[])],
    sizes: &[
        Size::new(1, 1, 1),
        Size::new(0, 3, 5),
        Size::new(3, 41, 47),
        Size::new(0, 64, 64),
        Size::new(2, 256, 256),
    ],
    trial,
};

/// From one grid to another about the same centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grids {
    /// Columns and rows of the grid that is read.
    pub from: [usize; 2],
    /// Columns and rows of the grid that is written.
    pub to: [usize; 2],
    /// Pixels of the first from one of the second to the next, along x and y.
    pub step: [f64; 2],
    /// 0: what is inside is told by the nearest pixel. Else: wherever a tent so many times as wide holds a pixel inside.
    pub reach: usize,
}

impl Grids {
    /// Back again.
    pub fn back(self, reach: usize) -> Self {
        Self { from: self.to, to: self.from, step: self.step.map(|s| 1.0 / s), reach }
    }
}

/// Records `src`, vec4f `[my][mx]` with what is inside in z, on the other grid, vec4f `[ny][nx]`.
pub fn record(rec: &mut Recorder, src: Buf, grids: Grids) -> Buf {
    let Grids { from: [mx, my], to: [nx, ny], step, reach } = grids;
    let dst = rec.scratch::<[f32; 4]>("resampled", nx * ny);
    let [step_x, step_y] = step.map(|s| s as f32);
    let [mx, my, wide, high, reach] = [mx, my, nx, ny, reach].map(|n| n as u32);
    let params = Uniform { nx: wide, ny: high, mx, my, step_x, step_y, reach };
    let taps = step.iter().map(|s| (2.0 * s.max(1.0)).ceil() as usize).product::<usize>();
    let cost = Cost::each(nx * ny, 10 * taps, 32);
    rec.linear(Spec::new(&KERNEL, &[]), &params, &[src.into(), dst.into()], nx * ny, cost);
    dst
}

fn trial(rec: &mut Recorder, _: &Spec, size: Size, rng: &mut fastrand::Rng) -> Vec<Expect> {
    let from = [size.nx, size.ny];
    let mask = oracle::blot(rng, size.ny, size.nx);
    let mut draw = || rng.f32() * 2.0 - 1.0;
    let src: Vec<[f32; 4]> = mask.iter().map(|m| [draw(), draw(), *m, draw()]).collect();
    let buf = rec.constant("image", &src);
    let mut expect = vec![];
    for step in [[1.0, 1.0], [0.71, 1.43], [2.3, 0.37]] {
        let to = [0, 1].map(|i| (from[i] as f64 / step[i]).ceil() as usize);
        let grids = Grids { from, to, step, reach: size.planes };
        let dst = record(rec, buf, grids);
        rec.keep(dst);
        let expected = oracle::resample(&oracle::wide4(&src), grids);
        expect.push(Expect::in_buffer(dst, oracle::flat_real(&expected), 2e-5));
    }
    expect
}
