//! Removal of the mean where the zero level is lost, and scaling to unit power (`kernels/mre/normalise.wgsl`), from
//! moments of the field under the mask (`kernels/mre/moments.wgsl`) and their deterministic sums
//! (`kernels/mre/total.wgsl`).

use super::planes::MmdiMap;
use crate::kernel::lines::lines;
use crate::kernel::quads::{Quad, zip};
use crate::plan::{Buf, Call, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use num_complex::Complex32;

params! {
    struct NormaliseParams { count: u32, pixels: u32, lost: f32 }
}

/// The row of the table of kernels.
pub static NORMALISE: Kernel = Kernel {
    name: "normalise",
    source: include_str!("../../../kernels/mre/normalise.wgsl"),
    bindings: &[
        read("harmonic", "vec2f"),
        read("mask", "f32"),
        read("total", "vec4f"),
        write("field", "vec2f"),
        write("maps", "f32"),
    ],
    params: NormaliseParams::LAYOUT,
    specs: || vec![Spec::new(&NORMALISE, &[])],
    native: Some(native),
};

/// Records the fields of unit power under the mask, vec2f `[fields][pixels]`, and writes waves and amplitudes into `maps`,
/// f32 `[plane][fields][pixels]`. `from` is the harmonic vec2f `[fields][pixels]`, the mask f32 `[pixels]`, and the total
/// of [`record_total`] over [`record_moments`]. `lost` subtracts the mean, which is that of all fields.
pub fn record(
    rec: &mut Recorder,
    from: [Buf; 3],
    maps: Buf,
    lost: bool,
    [fields, pixels]: [usize; 2],
) -> Buf {
    let [harmonic, mask, total] = from;
    let n = fields * pixels;
    let field = rec.scratch::<Complex32>("field", n);
    let params = NormaliseParams { count: n as u32, pixels: pixels as u32, lost: f32::from(lost) };
    let resources = [
        harmonic.first::<Complex32>(n),
        mask.first::<f32>(pixels),
        total.first::<[f32; 4]>(1),
        field.first::<Complex32>(n),
        maps.first::<f32>((MmdiMap::Imaginary as usize + 1) * n),
    ];
    rec.linear(Spec::new(&NORMALISE, &[]), &params, &resources, n, Cost::each(n, 15, 36));
    field
}

params! {
    struct MomentsParams { count: u32, pixels: u32 }
}

/// The row of the table of kernels.
pub static MOMENTS: Kernel = Kernel {
    name: "moments",
    source: include_str!("../../../kernels/mre/moments.wgsl"),
    bindings: &[read("field", "vec2f"), read("mask", "f32"), write("moments_", "vec4f")],
    params: MomentsParams::LAYOUT,
    specs: || vec![Spec::new(&MOMENTS, &[])],
    native: Some(native_moments),
};

/// Records `mask (Re u, Im u, |u|², 1)`: field vec2f `[fields][pixels]`, mask f32 `[pixels]`, result vec4f
/// `[fields][pixels]`.
pub fn record_moments(rec: &mut Recorder, field: Buf, mask: Buf, [fields, pixels]: [usize; 2]) -> Buf {
    let n = fields * pixels;
    let dst = rec.scratch::<[f32; 4]>("moments", n);
    let resources = [field.first::<Complex32>(n), mask.first::<f32>(pixels), dst.first::<[f32; 4]>(n)];
    rec.linear(
        Spec::new(&MOMENTS, &[]),
        &MomentsParams { count: n as u32, pixels: pixels as u32 },
        &resources,
        n,
        Cost::each(n, 3, 28),
    );
    dst
}

params! {
    struct TotalParams { n: u32, run: u32 }
}

/// The row of the table of kernels.
pub static TOTAL: Kernel = Kernel {
    name: "total",
    source: include_str!("../../../kernels/mre/total.wgsl"),
    bindings: &[read("src", "vec4f"), write("dst", "vec4f")],
    params: TotalParams::LAYOUT,
    specs: || vec![Spec::new(&TOTAL, &[])],
    native: Some(native_total),
};

/// The number of values in one run of the first pass. The second pass sums the runs.
const TOTAL_RUN: usize = 1024;

/// Threads of the workgroup that sums a run.
const TOTAL_LANES: usize = 64;

/// Records the sum of all of `src`, vec4f `[n]`. Returns vec4f `[1]`.
pub fn record_total(rec: &mut Recorder, src: Buf, n: usize) -> Buf {
    let mut pass = |src: Buf, n: usize, run: usize| {
        let runs = n.div_ceil(run);
        let dst = rec.scratch::<[f32; 4]>("total", runs);
        let params = TotalParams { n: n as u32, run: run as u32 };
        let cost = Cost::each(n, 4, 16);
        let bound = [src.first::<[f32; 4]>(n), dst.first::<[f32; 4]>(runs)];
        rec.linear(Spec::new(&TOTAL, &[]), &params, &bound, runs * TOTAL_LANES, cost);
        dst
    };
    let partial = pass(src, n, TOTAL_RUN);
    let runs = n.div_ceil(TOTAL_RUN);
    pass(partial, runs, runs)
}

fn native(call: &mut Call) {
    let p: NormaliseParams = call.params();
    let [n, pixels] = [p.count, p.pixels].map(|n| n as usize);
    let (harmonic, mask): (&[[f32; 2]], &[f32]) = (call.read(0), call.read(1));
    let total: Quad = call.read(2)[0];
    let sums = total.map(|sum| sum / total[3].max(1.0));
    let mean = [p.lost * sums[0], p.lost * sums[1]];
    // If the mean is a thousand times the wave, f32 cannot resolve the difference.
    let power = (sums[2] - (mean[0] * mean[0] + mean[1] * mean[1])).max(1e-6 * sums[2]);
    let scale = if power > 0.0 { 1.0 / power.sqrt() } else { 0.0 };
    let (field, maps): (&mut [f32], &mut [f32]) = (call.write(3), call.write(4));
    let (amplitude, maps) = maps[MmdiMap::Amplitude as usize * n..].split_at_mut(n);
    let (real, imaginary) = maps.split_at_mut(n);
    let parts = [(field, 2), (amplitude, 1), (real, 1), (imaginary, 1)];
    call.team().split_all(
        parts,
        #[inline(always)]
        |first, [field, amplitude, real, imaginary]| {
            let (field, _) = field.as_chunks_mut::<2>();
            let mut begin = 0;
            for (line, at, field) in lines(field, first, pixels) {
                let count = field.len();
                let [amplitude, real, imaginary] =
                    [&mut *amplitude, &mut *real, &mut *imaginary].map(|part| &mut part[begin..][..count]);
                let (harmonic, mask) = (&harmonic[line * pixels + at..][..count], &mask[at..][..count]);
                for i in 0..count {
                    let u = harmonic[i];
                    let inside = mask[i] > 0.0;
                    let wave = [0, 1].map(|k| if inside { u[k] - mean[k] } else { 0.0 });
                    field[i] = wave.map(|u| u * scale);
                    amplitude[i] = (wave[0] * wave[0] + wave[1] * wave[1]).sqrt();
                    [real[i], imaginary[i]] = wave;
                }
                begin += count;
            }
        },
    );
}

fn native_moments(call: &mut Call) {
    let p: MomentsParams = call.params();
    let pixels = p.pixels as usize;
    let (field, mask): (&[[f32; 2]], &[f32]) = (call.read(0), call.read(1));
    call.team().split(
        call.write(2),
        1,
        #[inline(always)]
        |first, part: &mut [Quad]| {
            for (line, at, dst) in lines(part, first, pixels) {
                let values = field[line * pixels + at..].iter().zip(&mask[at..]);
                for (dst, (u, mask)) in dst.iter_mut().zip(values) {
                    let moments = [u[0], u[1], u[0] * u[0] + u[1] * u[1], 1.0];
                    *dst = if *mask > 0.0 { moments } else { [0.0; 4] };
                }
            }
        },
    );
}

fn native_total(call: &mut Call) {
    let p: TotalParams = call.params();
    let run = p.run as usize;
    let src: &[Quad] = call.read(0);
    let src = &src[..p.n as usize];
    call.team().split(
        call.write(1),
        1,
        #[inline(always)]
        |first, part: &mut [Quad]| {
            for (dst, src) in part.iter_mut().zip(src.chunks(run).skip(first)) {
                let mut partial = [[0.0; 4]; TOTAL_LANES];
                for values in src.chunks(TOTAL_LANES) {
                    partial.iter_mut().zip(values).for_each(|(sum, v)| *sum = zip(*sum, *v, |a, b| a + b));
                }
                let mut half = TOTAL_LANES / 2;
                while half > 0 {
                    for lane in 0..half {
                        partial[lane] = zip(partial[lane], partial[lane + half], |a, b| a + b);
                    }
                    half /= 2;
                }
                *dst = partial[0];
            }
        },
    );
}
