//! Weight gradients of 3 × 3 convolutions on the processor by Winograd's F(4 × 4, 3 × 3). A unit is a block of input and
//! output channels of a part of the plan: a run of tiles. Its thread transforms the source and the upstream gradient in
//! groups of tiles, adds up their products, and transforms the sums. All of it stays in the second-level cache.

use crate::kernel::nn::winograd::four::{self, PRODUCTS, Planes};
use crate::plan::Place;
use crate::processor::{Outer, Panel, Present, Side, Team, Tile, Transform};
use std::ops::Range;

/// Tiles of a group.
const GROUP: usize = 32;
/// Input and output channels of a block. A smaller one repeats the transforms more often.
const BLOCK: usize = 64;
/// The same if blocks of 64 channels would be few for many threads.
const SMALL_BLOCK: usize = 32;
/// So many units are not few.
const MANY: usize = 8;

/// The weights of a pair of channels.
const TAPS: usize = 9;

/// Reports whether the gradient of `n` images of `size` pixels is computed by tiles. There must be enough for the
/// transforms of the sums.
pub(crate) fn pay(n: usize, size: [usize; 2], channels: [usize; 2]) -> bool {
    n * four::tiles(size) >= 64 && four::pay(size, channels)
}

/// A weight gradient by tiles.
pub(super) struct Tiles<'a> {
    /// Images, rows and columns.
    pub size: [usize; 3],
    pub channels: [usize; 2],
    /// The places of the source and the upstream gradient.
    pub places: [Place; 2],
    pub src: &'a [f32],
    pub grad: &'a [f32],
}

/// Some channels of a part.
struct Unit {
    tiles: Range<usize>,
    channels: [Range<usize>; 2],
}

/// How the work is divided.
struct Units {
    block: usize,
    blocks: [usize; 2],
    parts: usize,
}

impl Units {
    fn new(channels: [usize; 2], parts: usize) -> Self {
        let blocks = |block: usize| channels.map(|c| c.div_ceil(block));
        let count = |block: usize| parts * blocks(block).iter().product::<usize>();
        let block = if count(BLOCK) >= MANY { BLOCK } else { SMALL_BLOCK };
        Self { block, blocks: blocks(block), parts }
    }

    fn count(&self) -> usize {
        self.parts * self.blocks[0] * self.blocks[1]
    }

    /// The number of the unit of a part and a pair of channels.
    fn at(&self, part: usize, [i, o]: [usize; 2]) -> usize {
        (part * self.blocks[0] + i / self.block) * self.blocks[1] + o / self.block
    }
}

impl Tiles<'_> {
    /// Computes the parts `[parts][9][ci][co]`.
    pub fn compute(&self, team: &Team, parts: &mut [f32]) {
        let [ci, co] = self.channels;
        let units = Units::new(self.channels, parts.len() / (TAPS * ci * co));
        let pairs = units.block * units.block;
        let planes = Planes::new(units.block, GROUP);
        let (results, own) = (units.count() * TAPS * pairs, PRODUCTS * pairs + 2 * planes.size());
        team.scratch(results + team.threads() * own, |scratch| {
            let (results, scratch) = scratch.split_at_mut(results);
            team.split_lending(
                results,
                TAPS * pairs,
                scratch,
                #[inline(always)]
                |first, results, own| {
                    for (u, result) in (first..).zip(results.chunks_mut(TAPS * pairs)) {
                        let own = own.split_at_mut(PRODUCTS * pairs);
                        self.unit(team.present(), &self.bounds(&units, u), planes, own, result);
                    }
                },
            );
            // Rows of output channels.
            team.split(
                parts,
                co,
                #[inline(always)]
                |first, rows| {
                    for (row, dst) in (first..).zip(rows.chunks_mut(co)) {
                        let (part, tap, i) = (row / (TAPS * ci), row / ci % TAPS, row % ci);
                        for o in (0..co).step_by(units.block) {
                            let own = units.block.min(co - o);
                            let start =
                                (units.at(part, [i, o]) * TAPS + tap) * pairs + i % units.block * units.block;
                            dst[o..o + own].copy_from_slice(&results[start..start + own]);
                        }
                    }
                },
            );
        });
    }

    /// The tiles and channels of a unit.
    fn bounds(&self, units: &Units, u: usize) -> Unit {
        let [part, i, o] = [
            u / units.blocks[1] / units.blocks[0],
            u / units.blocks[1] % units.blocks[0],
            u % units.blocks[1],
        ];
        let count = self.size[0] * four::tiles([self.size[1], self.size[2]]);
        let channels = |block: usize, c: usize| block * units.block..((block + 1) * units.block).min(c);
        Unit {
            tiles: count * part / units.parts..count * (part + 1) / units.parts,
            channels: [channels(i, self.channels[0]), channels(o, self.channels[1])],
        }
    }

    /// Computes a unit's `[9][block][block]`. The thread's own memory holds the sums of products, and the transformed
    /// pixels.
    #[inline(always)]
    fn unit(
        &self,
        present: Present,
        unit: &Unit,
        planes: Planes,
        (sums, pixels): (&mut [f32], &mut [f32]),
        result: &mut [f32],
    ) {
        let (block, pairs) = (planes.row, sums.len() / PRODUCTS);
        let [ci, co] = unit.channels.each_ref().map(|channels| channels.len());
        let [i, o] = unit.channels.each_ref().map(|channels| channels.start);
        let (size, per) = ([self.size[1], self.size[2]], four::tiles([self.size[1], self.size[2]]));
        let (src, grad) = pixels.split_at_mut(planes.size());
        sums.fill(0.0);
        for start in unit.tiles.clone().step_by(GROUP) {
            let tiles = start..(start + GROUP).min(unit.tiles.end);
            for (k, tile) in tiles.clone().enumerate() {
                let first = tile / per * size[0] * size[1];
                let to = planes.places(k);
                let from = four::source(size, tile % per, |pixel| self.places[0].at(first + pixel) + i);
                Tile { src: self.src, from: &from, to: &to, channels: ci }.compute(
                    present,
                    Transform::Source,
                    src,
                );
                let from = four::result(size, tile % per, |pixel| self.places[1].at(first + pixel) + o);
                Tile { src: self.grad, from: &from, to: &to, channels: co }.compute(
                    present,
                    Transform::Upstream,
                    grad,
                );
            }
            for (z, sums) in sums.chunks_mut(pairs).enumerate() {
                let side = |values, channel: usize| Side {
                    values,
                    first: (z * planes.plane + channel) as isize,
                    strides: [0, 0, block],
                };
                for (column, panel) in Panel::for_outer(present, co) {
                    let mut row = 0;
                    while row < ci {
                        let step = panel.step(ci - row);
                        let (left, right) = (side(&*src, row), side(&*grad, column));
                        Outer { left, right, height: 1, lines: 0..1, rows: 0..1, count: tiles.len() }.add(
                            panel,
                            step,
                            &mut sums[row * block + column..],
                            block,
                        );
                        row += step;
                    }
                }
            }
        }
        for row in 0..ci {
            let from: [usize; PRODUCTS] = std::array::from_fn(|z| z * pairs + row * block);
            let to: [usize; TAPS] = std::array::from_fn(|t| t * pairs + row * block);
            Tile { src: sums, from: &from, to: &to, channels: co }.compute(
                present,
                Transform::WeightsGradient,
                result,
            );
        }
    }
}
