//! The native forms of `fit`, `row_moments` and `residual`. Values and factors are complex and real, so all sums run over
//! plain numbers, two for a value.

use super::{FitParams, ResidualParams, RowMomentsParams, WINDOWS};
use crate::kernel::lines::periodic;
use crate::kernel::quads::Quad;
use crate::plan::Call;
use std::array::from_fn;

/// The number of pixels of a row that are computed side by side.
const PIXELS: usize = 32;
/// The numbers of these pixels.
const NUMBERS: usize = 2 * PIXELS;
/// The largest side of a window.
const WIDEST: usize = 15;
const _: () = {
    let mut i = 0;
    while i < WINDOWS.len() {
        assert!(WINDOWS[i].0 <= WIDEST);
        i += 1;
    }
};

type Numbers = [f32; NUMBERS];

pub(super) fn fit(call: &mut Call) {
    match call.constant("POWERS") {
        2 => fit_of::<2>(call),
        3 => fit_of::<3>(call),
        other => unreachable!("{other} powers"),
    }
}

fn fit_of<const POWERS: usize>(call: &mut Call) {
    let p: FitParams = call.params();
    let [nx, ny, directions] = [p.nx, p.ny, p.directions].map(|n| n as usize);
    let [window, block] = ["WINDOW", "BLOCK"].map(|name| call.constant(name) as usize);
    let moments: &[f32] = call.read(0);
    let taps: &[[[f32; 2]; POWERS]] = call.read(1);
    // The shader needs rows of zeros at either end.
    let taps = &taps[block - 1..][..window];
    let dst: &mut [Quad] = call.write(2);
    call.team().split(
        dst,
        nx,
        #[inline(always)]
        |first, part| {
            // The last block of a row may be shorter, and is copied.
            let mut padded = [[0.0; NUMBERS]; POWERS];
            for x in (0..nx).step_by(PIXELS) {
                let count = PIXELS.min(nx - x);
                for (y, dst) in (first..).zip(part.chunks_exact_mut(nx)) {
                    let mut sums = [[0.0; PIXELS]; 4];
                    for d in 0..directions {
                        let (mut value, mut laplacian) = ([0.0; NUMBERS], [0.0; NUMBERS]);
                        for (k, taps) in taps.iter().enumerate() {
                            let row = (y + ny + k - window / 2) % ny;
                            let mut lines = from_fn::<_, POWERS, _>(|a| {
                                let start = ((a * directions + d) * ny + row) * nx + x;
                                &moments[2 * start..][..2 * count]
                            })
                            .into_iter();
                            let rows = padded.each_mut().map(|padded| {
                                let line = lines.next().unwrap_or_default();
                                line.first_chunk().unwrap_or_else(|| {
                                    padded[..line.len()].copy_from_slice(line);
                                    padded
                                })
                            });
                            add(&mut value, &mut laplacian, taps, rows);
                        }
                        multiply(&mut sums, &value, &laplacian);
                    }
                    for (i, dst) in dst[x..][..count].iter_mut().enumerate() {
                        *dst = from_fn(|k| sums[k][i]);
                    }
                }
            }
        },
    );
}

/// Adds the moments of one row to the value and the Laplacian.
#[inline(always)]
fn add<const POWERS: usize>(
    value: &mut Numbers,
    laplacian: &mut Numbers,
    taps: &[[f32; 2]; POWERS],
    rows: [&Numbers; POWERS],
) {
    for l in 0..NUMBERS {
        let [mut u, mut v] = [value[l], laplacian[l]];
        for (row, taps) in rows.iter().zip(taps) {
            u += taps[0] * row[l];
            v += taps[1] * row[l];
        }
        (value[l], laplacian[l]) = (u, v);
    }
}

/// Adds the products of values and Laplacians.
#[inline(always)]
fn multiply([uu, re, im, ll]: &mut [[f32; PIXELS]; 4], value: &Numbers, laplacian: &Numbers) {
    for i in 0..PIXELS {
        let u = [value[2 * i], value[2 * i + 1]];
        let l = [laplacian[2 * i], laplacian[2 * i + 1]];
        uu[i] += u[0] * u[0] + u[1] * u[1];
        re[i] += u[0] * l[0] + u[1] * l[1];
        im[i] += u[0] * l[1] - u[1] * l[0];
        ll[i] += l[0] * l[0] + l[1] * l[1];
    }
}

pub(super) fn row_moments(call: &mut Call) {
    match call.constant("POWERS") {
        2 => row_moments_of::<2>(call),
        3 => row_moments_of::<3>(call),
        other => unreachable!("{other} powers"),
    }
}

fn row_moments_of<const POWERS: usize>(call: &mut Call) {
    let p: RowMomentsParams = call.params();
    let nx = p.nx as usize;
    let radius = call.constant("WINDOW") as usize / 2;
    let src: &[[f32; 2]] = call.read(0);
    let dst: &mut [[f32; 2]] = call.write(1);
    let mut planes = dst.chunks_exact_mut(src.len());
    let planes: [_; POWERS] = from_fn(|_| (planes.next().unwrap_or_default(), nx));
    call.team().split_all(
        planes,
        #[inline(always)]
        |first, mut parts| {
            let rows = parts[0].len() / nx;
            for row in 0..rows {
                let line = &src[(first + row) * nx..][..nx];
                for x in (0..nx).step_by(PIXELS) {
                    let count = PIXELS.min(nx - x);
                    let mut near = [[0.0; 2]; PIXELS + WIDEST - 1];
                    periodic(line, x as isize - radius as isize, &mut near[..count + 2 * radius]);
                    let sums = moments::<POWERS>(near.as_flattened(), radius);
                    for (part, sums) in parts.iter_mut().zip(&sums) {
                        part[row * nx + x..][..count].copy_from_slice(&sums.as_chunks().0[..count]);
                    }
                }
            }
        },
    );
}

/// The moments about each pixel, from the pixels near it.
#[inline(always)]
fn moments<const POWERS: usize>(near: &[f32], radius: usize) -> [Numbers; POWERS] {
    let at = |offset: usize| &near[2 * offset..][..NUMBERS];
    let mut sums = [[0.0; NUMBERS]; POWERS];
    sums[0].copy_from_slice(at(radius));
    for c in 1..=radius {
        let square = (c * c) as f32 / (radius * radius) as f32;
        // The powers are even, so the pixels on both sides have equal factors.
        let (left, right) = (at(radius - c), at(radius + c));
        for l in 0..NUMBERS {
            let mut term = right[l] + left[l];
            for sum in &mut sums {
                sum[l] += term;
                term *= square;
            }
        }
    }
    sums
}

pub(super) fn residual(call: &mut Call) {
    match call.constant("WINDOW") {
        5 => residual_of::<5>(call),
        other => unreachable!("a window of {other}"),
    }
}

fn residual_of<const WINDOW: usize>(call: &mut Call) {
    let p: ResidualParams = call.params();
    let [nx, ny, directions] = [p.nx, p.ny, p.directions].map(|n| n as usize);
    let waves: &[[f32; 2]] = call.read(0);
    let taps: &[[f32; WINDOW]] = call.read(1);
    let dst: &mut [f32] = call.write(2);
    let radius = WINDOW / 2;
    call.team().split(
        dst,
        nx,
        #[inline(always)]
        |first, part| {
            for (y, dst) in (first..).zip(part.chunks_exact_mut(nx)) {
                for x in (0..nx).step_by(PIXELS) {
                    let count = PIXELS.min(nx - x);
                    let mut sums = [0.0; PIXELS];
                    for wave in waves.chunks_exact(nx * ny).take(directions) {
                        let mut left = [0.0; NUMBERS];
                        let own = wave[y * nx + x..][..count].as_flattened();
                        left[..own.len()].copy_from_slice(own);
                        for (r, taps) in taps.iter().enumerate() {
                            let line = &wave[(y + ny + r - radius) % ny * nx..][..nx];
                            let mut near = [[0.0; 2]; PIXELS + WIDEST - 1];
                            periodic(line, x as isize - radius as isize, &mut near[..count + 2 * radius]);
                            subtract(&mut left, taps, near.as_flattened());
                        }
                        for (sum, left) in sums.iter_mut().zip(left.as_chunks::<2>().0) {
                            *sum += left[0] * left[0] + left[1] * left[1];
                        }
                    }
                    dst[x..][..count].copy_from_slice(&sums[..count]);
                }
            }
        },
    );
}

/// Subtracts one row of the fitted value.
#[inline(always)]
fn subtract<const WINDOW: usize>(left: &mut Numbers, taps: &[f32; WINDOW], near: &[f32]) {
    let columns: [_; WINDOW] = from_fn(|c| &near[2 * c..][..NUMBERS]);
    for l in 0..NUMBERS {
        for c in 0..WINDOW {
            left[l] -= taps[c] * columns[c][l];
        }
    }
}
