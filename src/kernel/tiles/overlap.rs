//! Merging of overlapping predictions (`kernels/tiles/overlap.wgsl`), and their statistics
//! (`kernels/tiles/overlap_statistics.wgsl`).

use super::cut::LatticeBuffers;
use super::lattice::native::Head;
use super::mask::CHUNK;
use super::view::{Seen, within};
use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Place, Recorder, Spec, params, read, write};
use crate::size::Size;
use crate::tensor::{Shape, Tensor};

params! {
    struct OverlapParams { src: Place, nx: u32, ny: u32, side: u32, stride: u32, batch: u32 }
}

/// The row of the table of kernels.
pub static OVERLAP: Kernel = Kernel {
    name: "overlap",
    source: include_str!("../../../kernels/tiles/overlap.wgsl"),
    bindings: &[
        read("image", "vec4f"),
        read("patches", "vec4f"),
        read("lattice", "i32"),
        read("window", "f32"),
        read("counter", "u32"),
        read("src", "vec4f"),
        write("state", "vec4f"),
    ],
    params: OverlapParams::LAYOUT,
    specs: || vec![Spec::new(&OVERLAP, &[])],
    native: Some(native),
};

/// The image, the lattice and the weights over which predictions are merged.
#[derive(Clone, Copy, Debug)]
pub struct Overlap {
    /// Columns and rows of the image.
    pub size: Size,
    /// The stride of the patches, in pixels.
    pub stride: usize,
    /// vec4f `[ny][nx]`; pixels with z above 0 are inside.
    pub image: Buf,
    /// f32 `[side]`: the weight of each row, and of each column, of a patch.
    pub window: Buf,
    /// The patches and their lattice.
    pub lattice: LatticeBuffers,
}

/// Records the merging of `src`, the predictions of the batch's patches `[n, side, side, 1]`, into `state`, vec4f
/// `[ny][nx]` of (mean, squares, weights, count).
pub(crate) fn record(rec: &mut Recorder, over: Overlap, src: Tensor, state: Buf) {
    let Overlap { size: Size { nx, ny }, stride, image, window, lattice } = over;
    let Shape { n: batch, h: side, .. } = src.shape;
    let [wide, high, side, stride, batch] = [nx, ny, side, stride, batch].map(|n| n as u32);
    let params = OverlapParams { nx: wide, ny: high, side, stride, batch, src: src.place() };
    let LatticeBuffers { patches, lattice, counter, most } = lattice;
    let bound = [
        image.first::<[f32; 4]>(nx * ny),
        patches.first::<[f32; 4]>(most[0]),
        lattice.first::<i32>(most[1]),
        window.first::<f32>(src.shape.h),
        counter.first::<u32>(1),
        src.bound(),
        state.first::<[f32; 4]>(nx * ny),
    ];
    // The cost counts each prediction once, and the loads of every pixel.
    let predictions = src.shape.pixels();
    let cost = Cost { flops: (10 * predictions) as f64, bytes: (24 * predictions + 48 * nx * ny) as f64 };
    rec.linear(Spec::new(&OVERLAP, &[]), &params, &bound, nx * ny, cost);
}

fn native(call: &mut Call) {
    let p: OverlapParams = call.params();
    let [nx, ny, side, stride, batch] = [p.nx, p.ny, p.side, p.stride, p.batch].map(|n| n as usize);
    let (image, patches) = (call.read::<Quad>(0), call.read::<Quad>(1));
    let (lattice, window) = (call.read::<i32>(2), &call.read::<f32>(3)[..side]);
    let (first, src) = (call.read::<u32>(4)[0] as usize, call.read::<Quad>(5));
    let (head, pitch) = (Head::of(lattice), p.src.pitch as usize);
    let firsts = &lattice[5..][..head.size[0] + 1];
    let beyond = (first + batch).min(lattice[0].max(0) as usize);
    if first >= beyond {
        return;
    }
    // Only these rows of the image are in a patch of the batch.
    let [top, last] = [first, beyond - 1].map(|number| within(patches[number][1] as i32, side, ny));
    let state = &mut call.write::<Quad>(6)[top.start * nx..last.end * nx];
    call.team().split(
        state,
        nx,
        #[inline(always)]
        |skipped, part| {
            for (y, state) in (top.start + skipped..).zip(part.chunks_mut(nx)) {
                let image = &image[y * nx..][..nx];
                for row in head.rows(y, [side, stride]) {
                    // The patches of a row of the lattice are numbered one after another.
                    let [begin, end] = [firsts[row], firsts[row + 1]].map(|number| number as usize);
                    let own = patches.iter().enumerate().take(end.min(beyond)).skip(begin.max(first));
                    for (number, &[left, upper, weight, view]) in own {
                        let (left, down) = (left as i32, (y as i32 - upper as i32) as usize);
                        let weight = weight * window[down];
                        let seen = Seen::row(view as u32, down, side);
                        let src =
                            p.src.of(src, (number - first) * side * side, (side * side - 1) * pitch + 1);
                        for x in within(left, side, nx) {
                            if image[x][2] > 0.0 {
                                let column = (x as i32 - left) as usize;
                                let value = src[seen.pixel(column) * pitch][0];
                                state[x] = merged(state[x], value, weight * window[column]);
                            }
                        }
                    }
                }
            }
        },
    );
}

/// The mean, the squares, the weights and the count with one more value.
#[inline(always)]
fn merged([mean, squares, weights, count]: Quad, value: f32, weight: f32) -> Quad {
    let weights = weights + weight;
    let off = value - mean;
    let mean = mean + off * weight / weights;
    [mean, squares + weight * off * (value - mean), weights, count + 1.0]
}

params! {
    struct OverlapStatisticsParams { count: u32, scale: f32, floor: f32, slope: f32, doubt: f32, mixing: f32 }
}

/// The row of the table of kernels.
pub static OVERLAP_STATISTICS: Kernel = Kernel {
    name: "overlap_statistics",
    source: include_str!("../../../kernels/tiles/overlap_statistics.wgsl"),
    bindings: &[read("state", "vec4f"), read("alone", "vec4f"), write("dst", "vec4f")],
    params: OverlapStatisticsParams::LAYOUT,
    specs: || [0, 1].map(|both| Spec::new(&OVERLAP_STATISTICS, &[("BOTH", both)])).into(),
    native: Some(native_statistics),
};

/// The conversion of merged predictions to a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapSettings {
    /// The factor of the predictions.
    pub scale: f64,
    /// The uncertainty where all predictions agree, before scaling.
    pub floor: f64,
    /// The increase of the uncertainty with the spread of the predictions.
    pub slope: f64,
    /// The increase of the uncertainty with the difference of predictions with and without surroundings.
    pub doubt: f64,
    /// The difference, as a share of the mean, at which predictions with and without surroundings count alike; above 0. At
    /// smaller differences those with surroundings count more, at larger ones those without.
    pub mixing: f64,
}

/// Records (mean, uncertainty, inside, disagreement), vec4f `[n]`, from the states of [`record`]: of predictions with
/// surroundings, or of all there are, and of predictions without surroundings.
pub(crate) fn record_statistics(
    rec: &mut Recorder,
    state: Buf,
    alone: Option<Buf>,
    how: OverlapSettings,
    n: usize,
) -> Buf {
    let dst = rec.scratch::<[f32; 4]>("settled", n);
    let OverlapSettings { scale, floor, slope, doubt, mixing } = how;
    let [scale, floor, slope, doubt, mixing] = [scale, floor, slope, doubt, mixing].map(|v| v as f32);
    let params = OverlapStatisticsParams { count: n as u32, scale, floor, slope, doubt, mixing };
    let spec = Spec::new(&OVERLAP_STATISTICS, &[("BOTH", u32::from(alone.is_some()))]);
    let bound = [state, alone.unwrap_or(state), dst].map(|buf| buf.first::<[f32; 4]>(n));
    rec.linear(spec, &params, &bound, n, Cost::each(n, 22, 48));
    dst
}

fn native_statistics(call: &mut Call) {
    let p: OverlapStatisticsParams = call.params();
    let both = call.constant("BOTH") == 1;
    let (state, alone) = (call.read::<Quad>(0), call.read::<Quad>(1));
    call.team().split(
        call.write::<Quad>(2),
        CHUNK,
        #[inline(always)]
        |chunk, dst| {
            let first = chunk * CHUNK;
            let states = state[first..].iter().zip(&alone[first..]);
            for (dst, ([mean, squares, weights, count], other)) in dst.iter_mut().zip(states) {
                let (mut mean, mut square, mut apart) = (*mean, squares.max(0.0) / weights, 0.0);
                if both {
                    apart = other[0] - mean;
                    let ratio = 2.0 * apart / (other[0] + mean).abs().max(1e-6);
                    let share = ratio * ratio / (ratio * ratio + p.mixing * p.mixing);
                    mean += share * apart;
                    square += share * (other[1].max(0.0) / other[2] - square);
                }
                let [spread, doubted] = [p.slope * square.sqrt(), p.doubt * apart];
                let uncertainty = (p.floor * p.floor + spread * spread + doubted * doubted).sqrt();
                let value = [p.scale * mean, p.scale * uncertainty, 1.0, p.scale * apart];
                *dst = if *count > 0.0 { value } else { [0.0; 4] };
            }
        },
    );
}
