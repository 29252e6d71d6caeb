//! Convolutions on the processor. A unit is a piece of the result that lies in one piece of memory: a row of an image,
//! some pixels of a 1 × 1 convolution, or an image. Its pixels are computed in strips of up to 16: neighbours in a row,
//! or in small images the same pixel of several images, for which the same taps fall outside.

use super::finish::Norm;
use super::tiles::{self, Tiles};
use super::{ConvolveParams, FinishKind, Geometry};
use crate::plan::Call;
use crate::processor::{Edge, Panel, Present, Strip, Tap};
use std::ops::Range;

/// Rows shorter than this many pixels are computed across images.
const SHORT: usize = 6;
/// The pixels of a unit of a 1 × 1 convolution.
const RUN: usize = 240;
/// The bytes of source that a thread goes through with one panel of weights before it takes the next: a part of the
/// second-level cache.
const CACHED: usize = 512 << 10;

/// The longest strip whose pixels compete for the cache.
const ALIASED: usize = 8;

static ZEROS: [f32; 32] = [0.0; 32];

/// From this number of pixels on, the weights are copied first, so that those of a block lie in one piece.
const WORTH_COPYING: usize = 256;
/// The weights of a block in f32. They take 18 KiB, and stay in the first-level cache while a thread goes through the
/// pixels of a group.
const BLOCK: usize = 4608;

/// The form for the processor.
pub(super) fn native(call: &mut Call) {
    let p: ConvolveParams = call.params();
    let geometry = Geometry::ALL[call.constant("GEOMETRY") as usize];
    let finish = FinishKind::ALL[call.constant("FINISH") as usize];
    let [n, h, w] = [p.n, p.h, p.w].map(|n| n as usize);
    let [from, to] = [p.src, p.dst].map(|place| 4 * place.pitch as usize);
    let layout = Layout::new(geometry, [n, h, w]);
    let (team, weights, statistics) = (call.team(), call.read::<f32>(1), call.read::<f32>(2));
    let dst = &mut call.write::<f32>(3)[4 * p.dst.first as usize..];
    let channels = [p.ci4, p.co4].map(|quads| 4 * quads as usize);
    let rows = geometry.taps() * channels[0];
    let own_weights = &weights[4 * p.weights_first as usize..][..rows * channels[1]];
    let norm = (finish == FinishKind::Norm).then(|| Norm::new(&p, statistics, weights));
    let bias = (finish == FinishKind::Bias).then(|| &weights[4 * p.shift_first as usize..]);
    if geometry == Geometry::Three && tiles::pay(n, [h, w], channels) {
        let (places, src) = ([p.src, p.dst], call.read(0));
        let tiles = Tiles { size: [h, w], channels, places, src, bias, norm: norm.as_ref() };
        return tiles.compute(team, own_weights, dst);
    }
    let mut compute = |weights: Weights| {
        let own = Convolution {
            geometry,
            size: [h, w],
            pitch: [from, to],
            layout,
            taps: Taps::new(geometry, w, from),
            src: &call.read(0)[4 * p.src.first as usize..],
            weights,
            channels,
            bias,
        };
        team.split(
            dst,
            layout.per * to,
            #[inline(always)]
            |first, part| own.units(team.present(), first, part, norm.as_ref()),
        );
    };
    if layout.count < WORTH_COPYING {
        return compute(Weights::Plain(own_weights));
    }
    team.scratch(rows * channels[1], |copy| {
        for (column, panel) in Panel::for_strips(team.present(), channels[1]) {
            let columns = panel.columns;
            let block = block(geometry, columns);
            let copy = &mut copy[column * rows..][..columns * rows];
            team.split(copy, columns, |first, part| {
                for (row, copy) in (first..).zip(part.chunks_mut(columns)) {
                    // Rows of the copy are numbered by block, tap, and channel of the block.
                    let from = row / (block * geometry.taps()) * block;
                    let own = block.min(channels[0] - from);
                    let in_block = row - from * geometry.taps();
                    let row = in_block / own * channels[0] + from + in_block % own;
                    copy.copy_from_slice(&own_weights[row * channels[1] + column..][..columns]);
                }
            });
        }
        compute(Weights::Blocks(copy));
    });
}

/// The input channels of a block for a panel of so many columns.
fn block(geometry: Geometry, columns: usize) -> usize {
    (BLOCK / (geometry.taps() * columns)).next_multiple_of(4)
}

/// The weights of all taps and input channels.
#[derive(Clone, Copy)]
enum Weights<'a> {
    /// `[taps][ci][co]`.
    Plain(&'a [f32]),
    /// For each panel of columns, and each block of input channels, `[taps][block][columns]`.
    Blocks(&'a [f32]),
}

/// How the result is divided into units.
#[derive(Clone, Copy)]
struct Layout {
    /// Pixels of the result in a unit.
    per: usize,
    /// Pixels of the result in all.
    count: usize,
    /// True if strips go across images. A unit is then an image.
    across: bool,
}

impl Layout {
    fn new(geometry: Geometry, [n, h, w]: [usize; 3]) -> Self {
        let small = n * h * w;
        let count = match geometry {
            Geometry::Up => 4 * small,
            Geometry::Tiles => 16 * n,
            _ => small,
        };
        let across = geometry == Geometry::Tiles || (w < SHORT && geometry != Geometry::One);
        let per = match geometry {
            _ if across => count / n.max(1),
            Geometry::One => RUN.min(count),
            Geometry::Up => 4 * w,
            _ => w,
        };
        Self { per, count, across }
    }
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
    weights: Weights<'a>,
    channels: [usize; 2],
    bias: Option<&'a [f32]>,
}

/// A panel of columns from `column` on, and the input channels whose products are added.
struct Block {
    column: usize,
    panel: Panel,
    channels: Range<usize>,
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
    /// Computes all units of `part`, of which the first has the number `first`.
    #[inline(always)]
    fn units(&self, present: Present, first: usize, part: &mut [f32], norm: Option<&Norm>) {
        let (unit, pitch) = (self.layout.per * self.pitch[1], self.pitch[1]);
        // The pixels of the source are at most four times those of the result.
        let group = (CACHED / (4 * self.channels[0] * self.layout.per)).max(1);
        for (g, part) in part.chunks_mut(group * unit).enumerate() {
            let first = first + g * group;
            let units = first..first + part.len().div_ceil(unit);
            for (column, panel) in Panel::for_strips(present, self.channels[1]) {
                let block = match self.weights {
                    Weights::Plain(_) => self.channels[0],
                    Weights::Blocks(_) => block(self.geometry, panel.columns),
                };
                for from in (0..self.channels[0]).step_by(block) {
                    let block = from..(from + block).min(self.channels[0]);
                    self.panel(units.clone(), &Block { column, panel, channels: block }, part);
                }
            }
            if let Some(norm) = norm {
                norm.apply(part, pitch);
            }
        }
    }

    /// Computes a block's part of `units`, which begin at the start of `part`.
    fn panel(&self, units: Range<usize>, block: &Block, part: &mut [f32]) {
        let ([h, w], [from, to], per) = (self.size, self.pitch, self.layout.per);
        let strips = |line, taps: &dyn Fn(bool, bool, bool) -> usize, part: &mut [f32]| {
            self.strips(line, taps, block, part);
        };
        if self.layout.across {
            return self.across(units, block, part);
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

    /// The same if a unit is an image: pixel by pixel, each in all images.
    fn across(&self, units: Range<usize>, block: &Block, part: &mut [f32]) {
        let ([h, w], [from, to], per) = (self.size, self.pitch, self.layout.per);
        // The pixels of an image of the source.
        let all = match self.geometry {
            Geometry::Up => h * w,
            Geometry::Down => 4 * h * w,
            _ => per,
        };
        for i in 0..per {
            // The pixel that the taps start from, and their list.
            let (pixel, taps) = match self.geometry {
                Geometry::Three => {
                    (i, Taps::number([i < w, i / w == h - 1], [i % w == 0, i % w == w - 1], true))
                }
                Geometry::Down => (i / w * 4 * w + i % w * 2, 0),
                Geometry::Up => {
                    let [y, x] = [i / (2 * w), i % (2 * w)];
                    (y / 2 * w + x / 2, y % 2 * 2 + x % 2)
                }
                Geometry::One | Geometry::Tiles => (i, i),
            };
            let first = [(units.start * all + pixel) * from, i * to];
            let line = Line { pixels: units.len(), first, stride: [all * from, per * to] };
            self.strips(line, &|_, _, _| taps, block, part);
        }
    }

    /// Computes a block's part of a line. `taps` gives the number of the list of taps for a strip that begins the
    /// line, ends it, or is a single pixel.
    #[inline]
    fn strips(
        &self,
        line: Line,
        taps: &dyn Fn(bool, bool, bool) -> usize,
        &Block { column, panel, ref channels }: &Block,
        part: &mut [f32],
    ) {
        // Pixels that are a multiple of 4096 bytes apart share the few places of one set of the first-level cache.
        let most = if (4 * line.stride[0]).is_multiple_of(4096) { ALIASED } else { panel.pixels };
        let count = line.pixels.div_ceil(most.min(panel.pixels));
        let (weights, pitch) = match self.weights {
            Weights::Plain(weights) => (&weights[column..], self.channels[1]),
            Weights::Blocks(weights) => {
                let before = column * self.channels[0] + channels.start * panel.columns;
                (&weights[self.geometry.taps() * before..], panel.columns)
            }
        };
        let start = self.bias.map_or(&ZEROS[..], |bias| &bias[column..]);
        for i in 0..count {
            let [begin, end] = [i, i + 1].map(|i| i * line.pixels / count);
            let strip = Strip {
                src: self.src,
                first: line.first[0] + begin * line.stride[0] + channels.start,
                stride: line.stride[0],
                channels: channels.len(),
                taps: self.taps.list(taps(i == 0, i == count - 1, end - begin == 1)),
                weights,
                pitch,
                start: (channels.start == 0).then_some(start),
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
