//! The native forms of `winograd_input`, `winograd_weights` and `winograd_output`.

use super::{WinogradInputParams, WinogradOutputParams, WinogradWeightsParams};
use crate::kernel::quads::{Quad, channels, lanes, leaky, load, store};
use crate::plan::Call;

#[inline(always)]
fn plus<const L: usize>(a: [f32; L], b: [f32; L]) -> [f32; L] {
    channels(|c| a[c] + b[c])
}

#[inline(always)]
fn minus<const L: usize>(a: [f32; L], b: [f32; L]) -> [f32; L] {
    channels(|c| a[c] - b[c])
}

/// Bᵀ d for four values d.
#[inline(always)]
fn spread<const L: usize>([a, b, c, d]: [[f32; L]; 4]) -> [[f32; L]; 4] {
    [minus(a, c), plus(b, c), minus(c, b), minus(b, d)]
}

pub(super) fn input(call: &mut Call) {
    let p: WinogradInputParams = call.params();
    let src: &[f32] = call.read(0);
    let [quads, h, w, tiles_h, tiles_w] = [p.quads, p.h, p.w, p.tiles_h, p.tiles_w].map(|n| n as usize);
    let count = 16 * (p.count as usize / quads);
    p.dst.rows(
        call.team(),
        call.write(1),
        [count, quads],
        16 * tiles_w,
        #[inline(always)]
        |row, dst| {
            let (image, top) = (row / tiles_h, 2 * (row % tiles_h));
            for column in 0..tiles_w {
                // The pixels of a tile, as indices of the image's first channel; those outside are zeros.
                let pixel = |y: usize, x: usize| {
                    let (y, x) = ((top + y).wrapping_sub(1), (2 * column + x).wrapping_sub(1));
                    (y < h && x < w).then(|| p.src.at((image * h + y) * w + x))
                };
                let pixels: [[_; 4]; 4] = std::array::from_fn(|y| std::array::from_fn(|x| pixel(y, x)));
                lanes!(quads, |from, L| {
                    let d = pixels.map(|row| row.map(|at| at.map_or([0.0; L], |at| load(src, at + from))));
                    let mut e = [[[0.0; L]; 4]; 4];
                    for x in 0..4 {
                        let column = spread([d[0][x], d[1][x], d[2][x], d[3][x]]);
                        (0..4).for_each(|y| e[y][x] = column[y]);
                    }
                    for (y, e) in e.into_iter().enumerate() {
                        for (x, v) in spread(e).into_iter().enumerate() {
                            store(dst, (16 * column + 4 * y + x) * p.dst.step() + from, v);
                        }
                    }
                });
            }
        },
    );
}

/// The matrix G.
const G: [[f32; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

pub(super) fn weights(call: &mut Call) {
    let p: WinogradWeightsParams = call.params();
    let count = p.count as usize;
    let src = &call.read::<Quad>(0)[p.first as usize..];
    let taps: [&[Quad]; 9] = std::array::from_fn(|tap| &src[tap * count..][..count]);
    let dst = &mut call.write::<Quad>(1)[..16 * count];
    call.team().split(
        dst,
        count,
        #[inline(always)]
        |first, part| {
            for (z, dst) in (first..).zip(part.chunks_mut(count)) {
                let shares: [f32; 9] = std::array::from_fn(|tap| G[z / 4][tap / 3] * G[z % 4][tap % 3]);
                dst.fill([0.0; 4]);
                for (share, tap) in shares.into_iter().zip(taps).filter(|(share, _)| *share != 0.0) {
                    for (dst, g) in dst.iter_mut().zip(tap) {
                        *dst = channels(|c| dst[c] + share * g[c]);
                    }
                }
            }
        },
    );
}

pub(super) fn output(call: &mut Call) {
    let p: WinogradOutputParams = call.params();
    let (src, weights, statistics): (&[f32], &[f32], &[f32]) = (call.read(0), call.read(1), call.read(2));
    let finish = call.constant("FINISH");
    let [quads, h, w, tiles_h, tiles_w] = [p.quads, p.h, p.w, p.tiles_h, p.tiles_w].map(|n| n as usize);
    let images = p.count as usize / quads / (tiles_h * tiles_w);
    p.dst.rows(
        call.team(),
        call.write(3),
        [images * h * w, quads],
        w,
        #[inline(always)]
        |row, dst| {
            let (image, y) = (row / h, row % h);
            let src = &src[p.src.at(16 * (image * tiles_h + y / 2) * tiles_w)..];
            lanes!(quads, |from, L| {
                let zeros = [0.0; L];
                let [scale, shift] = [(p.scale_first, finish == 2), (p.shift_first, finish > 0)]
                    .map(|(first, has)| if has { load(weights, 4 * first as usize + from) } else { zeros });
                let [mean, rstd] = [0, 1]
                    .map(|i| if finish == 2 { load(statistics, p.statistics.at(i) + from) } else { zeros });
                for tile in 0..tiles_w {
                    // Aᵀ m for the row of the two that is computed, from three of the four rows of products.
                    let e: [[f32; L]; 4] = std::array::from_fn(|x| {
                        let m = |row: usize| load::<L>(src, (16 * tile + 4 * row + x) * p.src.step() + from);
                        if y % 2 == 0 { plus(plus(m(0), m(1)), m(2)) } else { minus(minus(m(1), m(2)), m(3)) }
                    });
                    let sums = [plus(plus(e[0], e[1]), e[2]), minus(minus(e[1], e[2]), e[3])];
                    for (x, sum) in (2 * tile..w).zip(sums) {
                        let value = match finish {
                            0 => sum,
                            1 => plus(sum, shift),
                            _ => channels(|c| {
                                leaky(scale[c] * ((sum[c] - mean[c]) * rstd[c]) + shift[c], p.slope)
                            }),
                        };
                        store::<L>(dst, x * p.dst.step() + from, value);
                    }
                }
            });
        },
    );
}
