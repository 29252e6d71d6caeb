//! Convolutions on the processor. A unit is a piece of the result that lies in one piece of memory: a row of an image,
//! some pixels of a 1 × 1 convolution, or an image. Its pixels are computed in strips of up to 16: neighbours in a row,
//! or in small images the same pixel of several images, for which the same taps fall outside.

use super::{ConvolveParams, FinishKind, Geometry};
use crate::plan::{Call, Place};
use crate::processor::{Edge, Panel, Strip, Tap};
use std::ops::Range;

/// Rows shorter than this many pixels are computed across images.
const SHORT: usize = 6;
/// The pixels of a unit of a 1 × 1 convolution.
const RUN: usize = 240;
/// The bytes of source that a thread goes through with one panel of weights before it takes the next: a part of the
/// second-level cache.
const CACHED: usize = 512 << 10;

static ZEROS: [f32; 32] = [0.0; 32];

/// The form for the processor.
pub(super) fn native(call: &mut Call) {
    let p: ConvolveParams = call.params();
    let geometry = Geometry::ALL[call.constant("GEOMETRY") as usize];
    let finish = FinishKind::ALL[call.constant("FINISH") as usize];
    let [n, h, w] = [p.n, p.h, p.w].map(|n| n as usize);
    let [from, to] = [p.src, p.dst].map(|place| 4 * place.pitch as usize);
    let layout = match geometry {
        Geometry::One => Layout { per: RUN.min(n * h * w), count: n * h * w, across: false },
        Geometry::Three if w < SHORT => Layout { per: h * w, count: n * h * w, across: true },
        Geometry::Three | Geometry::Down => Layout { per: w, count: n * h * w, across: false },
        Geometry::Up => Layout { per: 4 * w, count: 4 * n * h * w, across: false },
        Geometry::Tiles => Layout { per: 16, count: 16 * n, across: true },
    };
    let own = Convolution {
        geometry,
        size: [h, w],
        pitch: [from, to],
        layout,
        taps: Taps::new(geometry, w, from),
        src: &call.read(0)[4 * p.src.first as usize..],
        weights: call.read(1),
        weights_first: 4 * p.weights_first as usize,
        channels: [p.ci4, p.co4].map(|quads| 4 * quads as usize),
        shift: (finish == FinishKind::Bias).then_some(4 * p.shift_first as usize),
    };
    let (team, statistics) = (call.team(), call.read::<f32>(2));
    let dst = &mut call.write::<f32>(3)[4 * p.dst.first as usize..];
    let present = team.present();
    let finish = (finish == FinishKind::Norm).then(|| Norm::new(&p, statistics, own.weights));
    team.split(dst, layout.per * to, |first, part| {
        let units = part.len().div_ceil(layout.per * to);
        let bytes = 4 * own.channels[0] * layout.per;
        let group = (CACHED / bytes.max(1)).max(1);
        for start in (0..units).step_by(group) {
            let units = start..(start + group).min(units);
            let end = (units.end * layout.per * to).min(part.len());
            let own_part = &mut part[units.start * layout.per * to..end];
            let units = first + units.start..first + units.end;
            for (column, panel) in Panel::all(present, own.channels[1]) {
                own.panel(units.clone(), column, panel, own_part);
            }
            if let Some(norm) = &finish {
                norm.apply(own_part, to, own.channels[1]);
            }
        }
    });
}

/// How the result is divided into units.
#[derive(Clone, Copy)]
struct Layout {
    /// Pixels of the result in a unit, and in all.
    per: usize,
    count: usize,
    /// True if strips go across images. A unit is then an image.
    across: bool,
}

struct Convolution<'a> {
    geometry: Geometry,
    /// Rows and columns of the smaller images.
    size: [usize; 2],
    /// The distances in f32 from one pixel to the next, in the source and in the result.
    pitch: [usize; 2],
    layout: Layout,
    taps: Taps,
    src: &'a [f32],
    weights: &'a [f32],
    weights_first: usize,
    channels: [usize; 2],
    /// The index of the bias in `weights`.
    shift: Option<usize>,
}

/// Pixels at equal distances: their number, where they begin in the source and in the part of the result, and their
/// distances there.
#[derive(Clone, Copy)]
struct Line {
    pixels: usize,
    first: [usize; 2],
    stride: [usize; 2],
}

impl Convolution<'_> {
    /// Computes the panel's columns, from `column` on, of `units`, which begin at the start of `part`.
    fn panel(&self, units: Range<usize>, column: usize, panel: Panel, part: &mut [f32]) {
        let ([h, w], [from, to], per) = (self.size, self.pitch, self.layout.per);
        let strips = |line, taps: &dyn Fn(bool, bool, bool) -> usize, part: &mut [f32]| {
            self.strips(line, taps, column, panel, part);
        };
        if self.layout.across {
            // The images of the part are units.len(); pixel i of each is one line.
            for i in 0..per {
                let first = [(units.start * per + i) * from, i * to];
                let line = Line { pixels: units.len(), first, stride: [per * from, per * to] };
                let taps = match self.geometry {
                    Geometry::Three => {
                        Taps::number([i < w, i / w == h - 1], [i % w == 0, i % w == w - 1], true)
                    }
                    _ => i,
                };
                strips(line, &|_, _, _| taps, part);
            }
            return;
        }
        for (k, unit) in units.enumerate() {
            let dst = k * per * to;
            match self.geometry {
                Geometry::One | Geometry::Tiles => {
                    let pixels = per.min(self.layout.count - unit * per);
                    let line = Line { pixels, first: [unit * per * from, dst], stride: [from, to] };
                    strips(line, &|_, _, _| 0, part);
                }
                Geometry::Three => {
                    let y = unit % h;
                    let line = Line { pixels: w, first: [unit * w * from, dst], stride: [from, to] };
                    let rows = [y == 0, y == h - 1];
                    strips(line, &|left, right, single| Taps::number(rows, [left, right], single), part);
                }
                Geometry::Down => {
                    let line = Line { pixels: w, first: [unit * 4 * w * from, dst], stride: [2 * from, to] };
                    strips(line, &|_, _, _| 0, part);
                }
                Geometry::Up => {
                    for z in 0..4 {
                        let first = [unit * w * from, dst + (z / 2 * 2 * w + z % 2) * to];
                        let line = Line { pixels: w, first, stride: [from, 2 * to] };
                        strips(line, &|_, _, _| z, part);
                    }
                }
            }
        }
    }

    /// Computes the panel's columns of a line. `taps` gives the number of the list of taps for a strip that begins the
    /// line, ends it, or is a single pixel.
    #[inline]
    fn strips(
        &self,
        line: Line,
        taps: &dyn Fn(bool, bool, bool) -> usize,
        column: usize,
        panel: Panel,
        part: &mut [f32],
    ) {
        let count = line.pixels.div_ceil(panel.pixels);
        let start = match self.shift {
            Some(first) => &self.weights[first + column..],
            None => &ZEROS[..],
        };
        for i in 0..count {
            let [begin, end] = [i, i + 1].map(|i| i * line.pixels / count);
            let strip = Strip {
                src: self.src,
                first: line.first[0] + begin * line.stride[0],
                stride: line.stride[0],
                channels: self.channels[0],
                taps: self.taps.list(taps(i == 0, i == count - 1, end - begin == 1)),
                weights: &self.weights[self.weights_first + column..],
                pitch: self.channels[1],
                start,
            };
            let dst = &mut part[line.first[1] + begin * line.stride[1] + column..];
            strip.compute(panel, end - begin, dst, line.stride[1]);
        }
    }
}

/// The lists of taps for all positions of a strip. A strip of one pixel leaves out the taps that fall outside; a longer
/// one leaves out their pixel.
struct Taps {
    lists: [([Tap; 9], usize); 32],
}

impl Taps {
    /// The lists for images of `w` columns (of the smaller side), whose pixels are `pitch` apart.
    fn new(geometry: Geometry, w: usize, pitch: usize) -> Self {
        let mut lists = [([Tap::NONE; 9], 0); 32];
        let mut add = |list: usize, tap: Tap| {
            let (taps, count) = &mut lists[list];
            taps[*count] = tap;
            *count += 1;
        };
        let plain = |src: usize, weights| Tap { src: src as isize, weights, edge: Edge::None };
        match geometry {
            Geometry::One => add(0, plain(0, 0)),
            Geometry::Up | Geometry::Tiles => (0..geometry.taps()).for_each(|z| add(z, plain(0, z))),
            Geometry::Down => (0..4).for_each(|t| add(0, plain((t / 2 * 2 * w + t % 2) * pitch, t))),
            Geometry::Three => {
                for list in 0..32 {
                    let [top, bottom, left, right, single] = [1, 2, 4, 8, 16].map(|bit| list & bit != 0);
                    for t in 0..9 {
                        let [y, x] = [t / 3, t % 3];
                        let [before, after] = [left && x == 0, right && x == 2];
                        if (top && y == 0) || (bottom && y == 2) || (single && (before || after)) {
                            continue;
                        }
                        let edge = match [before, after] {
                            [true, _] => Edge::First,
                            [_, true] => Edge::Last,
                            _ => Edge::None,
                        };
                        let src = ((y as isize - 1) * w as isize + x as isize - 1) * pitch as isize;
                        add(list, Tap { src, weights: t, edge });
                    }
                }
            }
        }
        Self { lists }
    }

    /// The number of the list for a strip in the first or last row, that begins or ends its row, or is a single pixel.
    fn number(rows: [bool; 2], columns: [bool; 2], single: bool) -> usize {
        let bits = [rows[0], rows[1], columns[0], columns[1], single];
        bits.iter().enumerate().map(|(i, bit)| usize::from(*bit) << i).sum()
    }

    fn list(&self, number: usize) -> &[Tap] {
        let (taps, count) = &self.lists[number];
        &taps[..*count]
    }
}

/// The norm and Leaky ReLU that follow a convolution.
struct Norm<'a> {
    mean: &'a [f32],
    rstd: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    slope: f32,
}

impl<'a> Norm<'a> {
    fn new(p: &ConvolveParams, statistics: &'a [f32], weights: &'a [f32]) -> Self {
        let c = 4 * p.co4 as usize;
        let Place { first, pitch } = p.statistics;
        let of = |values: &'a [f32], quad: u32| &values[4 * quad as usize..][..c];
        Self {
            mean: of(statistics, first),
            rstd: of(statistics, first + pitch),
            gamma: of(weights, p.scale_first),
            beta: of(weights, p.shift_first),
            slope: p.slope,
        }
    }

    /// Applies it to `c` channels of each pixel of `part`.
    #[inline(always)]
    fn apply(&self, part: &mut [f32], pitch: usize, c: usize) {
        let Self { mean, rstd, gamma, beta, slope } = *self;
        for pixel in part.chunks_mut(pitch) {
            for (o, value) in pixel[..c].iter_mut().enumerate() {
                let z = gamma[o] * ((*value - mean[o]) * rstd[o]) + beta[o];
                *value = if z > 0.0 { z } else { slope * z };
            }
        }
    }
}
