//! 3 × 3 convolutions of many images on the processor by Winograd's F(4 × 4, 3 × 3). A thread takes its images in groups
//! of tiles: it transforms their source, multiplies, and transforms the products. A group stays in the second-level cache.

use super::finish::Norm;
use crate::kernel::nn::winograd::four::{self, PRODUCTS, Planes};
use crate::plan::Place;
use crate::processor::{NOWHERE, Panel, Present, Strip, Tap, Team, Tile, Transform};

/// Tiles of a group: four strips of 14.
const GROUP: usize = 56;
/// The input channels of a block of products. Its weights stay in the first-level cache.
const BLOCK: usize = 128;
/// The weights that a thread transforms at least.
const CHUNK: usize = 32;

static ZEROS: [f32; 32] = [0.0; 32];

/// Reports whether `n` images of `size` pixels are computed by tiles. There must be enough for all threads, and for the
/// transform of the weights.
pub(crate) fn pay(n: usize, size: [usize; 2], channels: [usize; 2]) -> bool {
    n >= 16 && n * four::tiles(size) >= 128 && four::pay(size, channels)
}

/// A convolution by tiles.
pub(super) struct Tiles<'a> {
    /// Rows and columns of an image.
    pub size: [usize; 2],
    pub channels: [usize; 2],
    /// The places of the source and the result.
    pub places: [Place; 2],
    pub src: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub norm: Option<&'a Norm<'a>>,
}

impl Tiles<'_> {
    /// Computes the convolution with `weights` `[9][ci][co]` into `dst`, which begins with the first pixel.
    pub fn compute(&self, team: &Team, weights: &[f32], dst: &mut [f32]) {
        let ([h, w], [ci, co]) = (self.size, self.channels);
        let own: usize = self.planes().iter().map(|planes| planes.size()).sum();
        team.scratch(PRODUCTS * ci * co + team.threads() * own, |scratch| {
            let (transformed, scratch) = scratch.split_at_mut(PRODUCTS * ci * co);
            self.transform(team, weights, transformed);
            team.split_lending(
                dst,
                h * w * self.places[1].step(),
                scratch,
                #[inline(always)]
                |first, part, own| self.images(team.present(), first, part, transformed, own),
            );
        });
    }

    fn planes(&self) -> [Planes; 2] {
        self.channels.map(|c| Planes::new(c, GROUP))
    }

    /// Transforms `weights` to `[36]`, panels of columns, `[ci][columns]`.
    fn transform(&self, team: &Team, weights: &[f32], transformed: &mut [f32]) {
        let [ci, co] = self.channels;
        team.columns(
            transformed,
            [ci * co, CHUNK],
            #[inline(always)]
            |mut own| {
                let range = own.range();
                for (column, panel) in Panel::for_strips(team.present(), co) {
                    let [begin, end] = [column, column + panel.columns].map(|c| c * ci);
                    let rows = range.start.clamp(begin, end)..range.end.clamp(begin, end);
                    for at in rows.step_by(panel.columns) {
                        let first = (at - begin) / panel.columns * co + column;
                        let from: [usize; 9] = std::array::from_fn(|t| t * ci * co + first);
                        let to: [usize; PRODUCTS] = std::array::from_fn(|z| z * CHUNK);
                        let tile = Tile { src: weights, from: &from, to: &to, channels: panel.columns };
                        let mut row = [0.0; PRODUCTS * CHUNK];
                        tile.compute(team.present(), Transform::Weights, &mut row);
                        for (z, row) in row.chunks(CHUNK).enumerate() {
                            own.row(z)[at - range.start..][..panel.columns]
                                .copy_from_slice(&row[..panel.columns]);
                        }
                    }
                }
            },
        );
    }

    /// Computes the images of `part`, of which the first has the number `first`. `own` is the thread's.
    #[inline(always)]
    fn images(&self, present: Present, first: usize, part: &mut [f32], weights: &[f32], own: &mut [f32]) {
        let pixels = self.size[0] * self.size[1];
        let step = self.places[1].step();
        let per = four::tiles(self.size);
        let count = part.len().div_ceil(pixels * step) * per;
        let [from, to] = self.planes();
        let (source, products) = own.split_at_mut(from.size());
        for start in (0..count).step_by(GROUP) {
            let group = start..(start + GROUP).min(count);
            for (k, tile) in group.clone().enumerate() {
                let image = (first + tile / per) * pixels;
                let places = four::source(self.size, tile % per, |pixel| self.places[0].at(image + pixel));
                let tile =
                    Tile { src: self.src, from: &places, to: &from.places(k), channels: self.channels[0] };
                tile.compute(present, Transform::Source, source);
            }
            self.multiply(present, group.len(), weights, source, products);
            for (k, tile) in group.enumerate() {
                let image = tile / per * pixels;
                let places = four::result(self.size, tile % per, |pixel| (image + pixel) * step);
                let tile =
                    Tile { src: products, from: &to.places(k), to: &places, channels: self.channels[1] };
                tile.compute(present, Transform::Result, part);
                places.into_iter().filter(|&at| at != NOWHERE).for_each(|at| self.finish(&mut part[at..]));
            }
        }
    }

    /// The products of `count` tiles.
    fn multiply(
        &self,
        present: Present,
        count: usize,
        weights: &[f32],
        source: &[f32],
        products: &mut [f32],
    ) {
        let ([ci, co], [from, to]) = (self.channels, self.planes());
        for z in 0..PRODUCTS {
            let (source, products) = (&source[z * from.plane..], &mut products[z * to.plane..]);
            for (column, panel) in Panel::for_strips(present, co) {
                let weights = &weights[(z * co + column) * ci..][..panel.columns * ci];
                let strips = count.div_ceil(panel.pixels);
                for block in (0..ci).step_by(BLOCK) {
                    for i in 0..strips {
                        let [begin, end] = [i, i + 1].map(|i| i * count / strips);
                        let strip = Strip {
                            src: source,
                            first: begin * from.row + block,
                            stride: from.row,
                            channels: BLOCK.min(ci - block),
                            taps: &[Tap::WHOLE],
                            weights: &weights[block * panel.columns..],
                            pitch: panel.columns,
                            start: (block == 0).then_some(&ZEROS),
                        };
                        strip.compute(panel, end - begin, &mut products[begin * to.row + column..], to.row);
                    }
                }
            }
        }
    }

    /// Adds the bias to a pixel, or applies the norm.
    #[inline(always)]
    fn finish(&self, pixel: &mut [f32]) {
        let pixel = &mut pixel[..self.channels[1]];
        if let Some(bias) = self.bias {
            pixel.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
        }
        if let Some(norm) = self.norm {
            norm.apply(pixel, self.channels[1]);
        }
    }
}
