//! The calibrated confidence (`kernels/mre/confidence.wgsl`), and the local mean of ln μ under the mask
//! (`kernels/mre/local_mean.wgsl`).

use super::planes::MmdiMap;
use crate::kernel::quads::Quad;
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;

params! {
    struct ConfidenceParams { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table of kernels.
pub static CONFIDENCE: Kernel = Kernel {
    name: "confidence",
    source: include_str!("../../../kernels/mre/confidence.wgsl"),
    bindings: &[read("trace", "vec4f"), read("mean", "f32"), read("mask", "f32"), write("maps", "f32")],
    params: ConfidenceParams::LAYOUT,
    specs: || vec![Spec::new(&CONFIDENCE, &[])],
    native: Some(native),
};

/// Records the confidence into its plane of `maps`, f32 `[plane][ny][nx]`, from the trace of
/// [`super::combine::record`], vec4f `[ny][nx]`, over the box of `2 radius + 1` pixels.
pub fn record(rec: &mut Recorder, trace: Buf, mask: Buf, maps: Buf, size: Size, radius: usize) {
    let Size { nx, ny } = size;
    let mean = record_local_mean(rec, trace, mask, size, radius);
    let params = ConfidenceParams { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    let cost = Cost::each(nx * ny, 4 * (2 * radius + 1).pow(2) + 15, 28);
    let resources = [
        trace.first::<[f32; 4]>(nx * ny),
        mean.first::<f32>(nx * ny),
        mask.first::<f32>(nx * ny),
        maps.first::<f32>((MmdiMap::Confidence as usize + 1) * nx * ny),
    ];
    rec.linear(Spec::new(&CONFIDENCE, &[]), &params, &resources, nx * ny, cost);
}

params! {
    struct LocalMeanParams { nx: u32, ny: u32, radius: u32 }
}

/// The row of the table of kernels.
pub static LOCAL_MEAN: Kernel = Kernel {
    name: "local_mean",
    source: include_str!("../../../kernels/mre/local_mean.wgsl"),
    bindings: &[read("trace", "vec4f"), read("mask", "f32"), write("dst", "f32")],
    params: LocalMeanParams::LAYOUT,
    specs: || vec![Spec::new(&LOCAL_MEAN, &[])],
    native: Some(native_local_mean),
};

/// Records the mean of the trace's first value over the box of `2 radius + 1` pixels under the mask. Trace vec4f, mask
/// and result f32, all `[ny][nx]`.
pub fn record_local_mean(
    rec: &mut Recorder,
    trace: Buf,
    mask: Buf,
    Size { nx, ny }: Size,
    radius: usize,
) -> Buf {
    let n = nx * ny;
    let dst = rec.scratch::<f32>("local mean", n);
    let params = LocalMeanParams { nx: nx as u32, ny: ny as u32, radius: radius as u32 };
    let cost = Cost::each(n, 2 * (2 * radius + 1).pow(2), 24);
    let bound = [trace.first::<[f32; 4]>(n), mask.first::<f32>(n), dst.first::<f32>(n)];
    rec.linear(Spec::new(&LOCAL_MEAN, &[]), &params, &bound, n, cost);
    dst
}

/// The number of pixels of a row that are computed side by side.
const PIXELS: usize = 64;

/// Sums and numbers of the pixels of each box that are inside, for pixels from `x` on in row `y`. `add` adds those of
/// a line of pixels, from pixel number `k` on.
#[inline(always)]
fn boxes(
    [x, y]: [usize; 2],
    [nx, ny, radius]: [usize; 3],
    add: impl Fn(usize, &mut [f32], &mut [f32]),
) -> [[f32; PIXELS]; 2] {
    let mut sums = [[0.0; PIXELS]; 2];
    let width = PIXELS.min(nx - x);
    let (left, right) = (x.saturating_sub(radius), (x + width + radius).min(nx));
    for start in (left..right).step_by(PIXELS) {
        let count = PIXELS.min(right - start);
        let mut columns = [[0.0; PIXELS]; 2];
        let [values, numbers] = &mut columns;
        for row in y.saturating_sub(radius)..(y + radius + 1).min(ny) {
            add(row * nx + start, &mut values[..count], &mut numbers[..count]);
        }
        // Pixel l takes column l + shift - start - radius.
        for shift in x..x + 2 * radius + 1 {
            let begin = (start + radius).saturating_sub(shift);
            let end = (start + radius + count).saturating_sub(shift).min(width);
            if begin < end {
                let from = begin + shift - start - radius;
                for (sums, columns) in sums.iter_mut().zip(&columns) {
                    let columns = &columns[from..][..end - begin];
                    sums[begin..end].iter_mut().zip(columns).for_each(|(sum, column)| *sum += column);
                }
            }
        }
    }
    sums
}

fn native_local_mean(call: &mut Call) {
    let p: LocalMeanParams = call.params();
    let [nx, ny, radius] = [p.nx, p.ny, p.radius].map(|n| n as usize);
    let (trace, mask): (&[Quad], &[f32]) = (call.read(0), call.read(1));
    call.team().split(
        call.write(2),
        nx,
        #[inline(always)]
        |first, part| {
            for (y, dst) in (first..).zip(part.chunks_exact_mut(nx)) {
                for x in (0..nx).step_by(PIXELS) {
                    let [sums, numbers] = boxes(
                        [x, y],
                        [nx, ny, radius],
                        #[inline(always)]
                        |k, sums, numbers| {
                            let values = trace[k..].iter().zip(&mask[k..]);
                            for ((sum, number), (trace, mask)) in sums.iter_mut().zip(numbers).zip(values) {
                                *sum += if *mask > 0.0 { trace[0] } else { 0.0 };
                                *number += if *mask > 0.0 { 1.0 } else { 0.0 };
                            }
                        },
                    );
                    for ((dst, sum), number) in dst[x..].iter_mut().zip(sums).zip(numbers) {
                        *dst = sum / f32::max(number, 1.0);
                    }
                }
            }
        },
    );
}

fn native(call: &mut Call) {
    let p: ConfidenceParams = call.params();
    let [nx, ny, radius] = [p.nx, p.ny, p.radius].map(|n| n as usize);
    let (trace, mean, mask): (&[Quad], &[f32], &[f32]) = (call.read(0), call.read(1), call.read(2));
    let maps: &mut [f32] = call.write(3);
    let plane = &mut maps[MmdiMap::Confidence as usize * nx * ny..][..nx * ny];
    call.team().split(
        plane,
        nx,
        #[inline(always)]
        |first, part| {
            for (y, dst) in (first..).zip(part.chunks_exact_mut(nx)) {
                for x in (0..nx).step_by(PIXELS) {
                    let [sums, numbers] = boxes(
                        [x, y],
                        [nx, ny, radius],
                        #[inline(always)]
                        |k, sums, numbers| {
                            let values = trace[k..].iter().zip(&mean[k..]).zip(&mask[k..]);
                            let boxes = sums.iter_mut().zip(numbers);
                            for ((sum, number), ((trace, mean), mask)) in boxes.zip(values) {
                                let off = trace[0] - mean;
                                *sum += if *mask > 0.0 { off * off } else { 0.0 };
                                *number += if *mask > 0.0 { 1.0 } else { 0.0 };
                            }
                        },
                    );
                    for (l, dst) in dst[x..].iter_mut().take(PIXELS).enumerate() {
                        let deviation = (sums[l] / numbers[l].max(1.0)).sqrt();
                        let i = y * nx + x + l;
                        let [_, spread, trusted, coherence] = trace[i];
                        let error = 0.0155
                            + 0.0081 * (1.0 - coherence).clamp(0.0, 1.0).sqrt()
                            + 0.0194 * spread.min(1.0)
                            + 0.0489 * (1.0 - trusted)
                            + 2.0 * deviation.min(1.0);
                        let known = mask[i] > 0.0 && trusted > 0.0 && coherence > 0.0;
                        *dst = if known { (1.0 - error).clamp(0.0, 1.0) } else { 0.0 };
                    }
                }
            }
        },
    );
}
