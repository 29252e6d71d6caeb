//! Resampling of an image on another grid: `kernels/signal/resample.wgsl`.

use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
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
    native: Some(native),
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

/// Sums of weights up to this may be rounding errors.
const FAINT: f32 = 1e-3;

fn native(call: &mut Call) {
    let p: ResampleParams = call.params();
    let src: &[Quad] = call.read(0);
    let dst: &mut [Quad] = call.write(1);
    let place =
        |i: usize, n: u32, step: f32, m: u32| (i as f32 - 0.5 * (n - 1) as f32) * step + 0.5 * (m - 1) as f32;
    let radius = [p.step_x.max(1.0), p.step_y.max(1.0)];
    let inside = |at: [f32; 2]| {
        let [x, y] = at.map(|v| (v + 0.5).floor());
        let there = (0.0..p.mx as f32).contains(&x) && (0.0..p.my as f32).contains(&y);
        there && src[y as usize * p.mx as usize + x as usize][2] > 0.0
    };
    call.team().split(
        dst,
        p.nx as usize,
        #[inline(always)]
        |first, part| {
            for (row, dst) in (first..).zip(part.chunks_exact_mut(p.nx as usize)) {
                let y = place(row, p.ny, p.step_y, p.my);
                for (column, dst) in dst.iter_mut().enumerate() {
                    let at = [place(column, p.nx, p.step_x, p.mx), y];
                    let mut sum = [0.0; 4];
                    if p.reach == 0 && inside(at) {
                        sum = tent(&p, src, at, radius);
                    }
                    let mut wider = 1;
                    while wider <= p.reach && sum[2] <= FAINT {
                        sum = tent(&p, src, at, radius.map(|r| wider as f32 * r));
                        wider += 1;
                    }
                    let [a, b, weight, c] = sum;
                    *dst = if weight > FAINT { [a / weight, b / weight, 1.0, c / weight] } else { [0.0; 4] };
                }
            }
        },
    );
}

/// The sum of the weighted pixels inside; the third value is the sum of the weights.
#[inline(always)]
fn tent(p: &ResampleParams, src: &[Quad], at: [f32; 2], radius: [f32; 2]) -> Quad {
    let size = [p.mx as usize, p.my as usize];
    let near: [_; 2] = std::array::from_fn(|k| {
        let low = (at[k] - radius[k]).ceil().max(0.0) as usize;
        // A negative end becomes 0, and then no pixel is near.
        let end = ((at[k] + radius[k]).floor() + 1.0) as usize;
        low..end.min(size[k])
    });
    let hat = |k: usize, i: usize| (1.0 - (i as f32 - at[k]).abs() / radius[k]).max(0.0);
    let [columns, rows] = near;
    let mut sum = [0.0; 4];
    for y in rows {
        let row = hat(1, y);
        for x in columns.clone() {
            let value = src[y * size[0] + x];
            if value[2] > 0.0 {
                let weight = row * hat(0, x);
                let value = [value[0], value[1], 1.0, value[3]];
                sum = std::array::from_fn(|c| sum[c] + weight * value[c]);
            }
        }
    }
    sum
}
