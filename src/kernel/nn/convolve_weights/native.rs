//! Weight gradients on the processor. The parts of the plan are runs of lines of images. A thread goes through a part in
//! pieces that its cache holds, tap by tap, and keeps a block of sums in registers.

use super::tiles::{self, Tiles};
use super::{ConvolveWeightsParams, GEOMETRIES};
use crate::kernel::nn::convolve::Geometry;
use crate::plan::Call;
use crate::processor::{Outer, Panel, Side};
use std::ops::Range;

/// From this number of parts on, threads share parts; below, they share the taps and input channels of each as well.
const MANY: usize = 16;
/// Input channels that a thread goes through with one piece of the gradient.
const BLOCK: usize = 64;
/// The bytes of both factors in a piece: the first-level cache (`docs/measurements.md`).
const CACHED: usize = 32 << 10;

/// The form for the processor.
pub(super) fn native(call: &mut Call) {
    let p: ConvolveWeightsParams = call.params();
    let geometry = GEOMETRIES[call.constant("GEOMETRY") as usize];
    let [n, h, w, ci4, co4, taps] = [p.n, p.h, p.w, p.ci4, p.co4, p.taps].map(|n| n as usize);
    let (ci, co) = (4 * ci4, 4 * co4);
    if geometry == Geometry::Three && tiles::pay(n, [h, w], [ci, co]) {
        let (places, src, grad) = ([p.src, p.grad], call.read(0), call.read(1));
        let tiles = Tiles { size: [n, h, w], channels: [ci, co], places, src, grad };
        return tiles.compute(call.team(), call.write(2));
    }
    let own = Gradient {
        geometry,
        size: [n, h, w],
        src: call.read(0),
        grad: call.read(1),
        first: [p.src, p.grad].map(|place| 4 * place.first as usize),
        pitch: [p.src, p.grad].map(|place| 4 * place.pitch as usize),
        co,
    };
    let dst = call.write::<f32>(2);
    let parts = dst.len() / (taps * ci * co);
    // Rows of a block: a divisor of the input channels, so that a unit lies within one tap.
    let rows = if ci.is_multiple_of(BLOCK) { BLOCK } else { ci };
    let [unit, per_part] = if parts >= MANY { [taps * ci, 1] } else { [rows, taps * ci / rows] };
    let present = call.team().present();
    call.team().split(dst, unit * co, |first, data| {
        data.fill(0.0);
        for (u, unit_data) in data.chunks_mut(unit * co).enumerate() {
            let (part, place) = ((first + u) / per_part, (first + u) % per_part);
            let lines = n * h;
            let lines = lines * part / parts..lines * (part + 1) / parts;
            let first_block = place * (unit / rows);
            let piece = (CACHED / (4 * w * (rows + co.min(BLOCK)))).max(1);
            for start in lines.clone().step_by(piece) {
                let lines = start..(start + piece).min(lines.end);
                // The blocks of the unit, each within one tap.
                for (b, block) in unit_data.chunks_mut(rows * co).enumerate() {
                    let (tap, i) = ((first_block + b) * rows / ci, (first_block + b) * rows % ci);
                    own.add(present, lines.clone(), tap, i, block);
                }
            }
        }
    });
}

struct Gradient<'a> {
    geometry: Geometry,
    /// Images, rows and columns of the smaller images.
    size: [usize; 3],
    src: &'a [f32],
    grad: &'a [f32],
    first: [usize; 2],
    pitch: [usize; 2],
    co: usize,
}

impl Gradient<'_> {
    /// Adds the products of `lines` for one tap and the input channels from `i` on, as many as `block` has rows.
    fn add(
        &self,
        present: crate::processor::Present,
        lines: Range<usize>,
        tap: usize,
        i: usize,
        block: &mut [f32],
    ) {
        let ([_, h, w], [src, grad]) = (self.size, self.pitch);
        // The rows and columns of the smaller image where the tap is inside, and the shift of the source or gradient.
        let (rows, columns, shift) = match self.geometry {
            Geometry::Three => {
                let inside = |t: usize, n: usize| usize::from(t == 0)..n - usize::from(t == 2);
                let shift = (tap / 3) as isize * w as isize + (tap % 3) as isize - (w as isize + 1);
                (inside(tap / 3, h), inside(tap % 3, w), [shift * src as isize, 0])
            }
            Geometry::Up => (0..h, 0..w, [0, ((tap / 2 * 2 * w + tap % 2) * grad) as isize]),
            _ => (0..h, 0..w, [0, 0]),
        };
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        let strides = |side: usize, pitch: usize| match (side, self.geometry) {
            (1, Geometry::Up) => [4 * h * w * pitch, 4 * w * pitch, 2 * pitch],
            _ => [h * w * pitch, w * pitch, pitch],
        };
        let side = |side: usize, values, channel: usize| {
            let strides = strides(side, self.pitch[side]);
            let first = (self.first[side] + columns.start * strides[2] + channel) as isize + shift[side];
            Side { values, first, strides }
        };
        for (column, panel) in Panel::for_outer(present, self.co) {
            let count = block.len() / self.co;
            let mut row = 0;
            while row < count {
                let step = panel.step(count - row);
                let outer = Outer {
                    left: side(0, self.src, i + row),
                    right: side(1, self.grad, column),
                    height: h,
                    lines: lines.clone(),
                    rows: rows.clone(),
                    count: columns.len(),
                };
                outer.add(panel, step, &mut block[row * self.co + column..], self.co);
                row += step;
            }
        }
    }
}
