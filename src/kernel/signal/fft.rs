//! Fourier transforms of any size. Sizes with prime factors up to 13 are transformed by mixed radix
//! (`kernels/signal/fft.wgsl`), all others by Bluestein's convolution (`kernels/signal/chirp.wgsl`).

mod native;

use crate::plan::{Buf, Cost, Kernel, Params, Recorder, Spec, params, read, write};
use crate::size::Size;
use num_complex::{Complex32, Complex64};
use std::collections::HashMap;

params! {
    struct FftParams { inner: u32, n: u32, outer: u32, ns: u32, sign: f32, scale: f32 }
}

/// The row of the table of kernels.
pub static FFT: Kernel = Kernel {
    name: "fft",
    source: include_str!("../../../kernels/signal/fft.wgsl"),
    bindings: &[read("src", "vec2f"), read("roots", "vec2f"), write("dst", "vec2f")],
    params: FftParams::LAYOUT,
    specs: || RADICES.iter().map(|&r| spec(r)).collect(),
    native: Some(native::fft),
};

/// The radices that have butterflies, in the order in which they are taken out of a size.
const RADICES: [usize; 8] = [8, 4, 2, 3, 5, 7, 11, 13];

fn spec(radix: usize) -> Spec {
    let prime = u32::from(radix % 2 == 1);
    Spec::new(&FFT, &[("RADIX", radix as u32), ("PRIME", prime)])
}

/// The direction of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FftDirection {
    /// exp(−2πi kx/n), unscaled.
    Forward,
    /// exp(+2πi kx/n), scaled by 1/n.
    Inverse,
}

impl FftDirection {
    fn sign(self) -> f32 {
        if self == Self::Forward { 1.0 } else { -1.0 }
    }
}

/// One axis of an array, seen as `[outer][n][inner]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The number of blocks.
    pub outer: usize,
    /// The length of the axis.
    pub n: usize,
    /// The distance in memory between neighbours along the axis.
    pub inner: usize,
}

impl Axis {
    /// The number of values in the array.
    pub fn len(self) -> usize {
        self.outer * self.n * self.inner
    }

    /// Reports whether there are no values.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Factors `n` into radices; `None` if it has a prime factor above 13.
///
/// ```
/// use palpate::lowlevel::kernel::signal::fft::factors;
/// assert_eq!(factors(320), Some(vec![8, 8, 5]));
/// assert_eq!(factors(257), None);
/// ```
pub fn factors(mut n: usize) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for radix in RADICES {
        while n.is_multiple_of(radix) {
            found.push(radix);
            n /= radix;
        }
    }
    (n == 1).then_some(found)
}

/// Records transforms. It keeps their tables, so that each is uploaded once per plan.
#[derive(Default)]
pub struct Fft {
    roots: HashMap<usize, Buf>,
    chirps: HashMap<usize, Chirp>,
    scaled: HashMap<usize, Buf>,
}

/// Bluestein's tables for one length.
#[derive(Clone, Copy)]
struct Chirp {
    /// The length of the convolution.
    padded: usize,
    /// exp(−πi k²/n) for k in 0..n; conjugated for inverse transforms.
    table: Buf,
    /// The spectrum of the conjugate chirp over `padded`. It is even, so conjugation serves inverse transforms.
    spectrum: Buf,
}

impl Fft {
    /// A recorder without tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the 2-D transform of `planes` images of `ny` × `nx`, vec2f `[planes][ny][nx]`.
    pub fn image(
        &mut self,
        rec: &mut Recorder,
        src: Buf,
        planes: usize,
        Size { nx, ny }: Size,
        way: FftDirection,
    ) -> Buf {
        let rows = self.axis(rec, src, Axis { outer: planes * ny, n: nx, inner: 1 }, way);
        self.axis(rec, rows, Axis { outer: planes, n: ny, inner: nx }, way)
    }

    /// Records the transform along one axis of vec2f `[outer][n][inner]`.
    pub fn axis(&mut self, rec: &mut Recorder, src: Buf, axis: Axis, way: FftDirection) -> Buf {
        match factors(axis.n) {
            Some(radices) => {
                let scale = if way == FftDirection::Inverse { 1.0 / axis.n as f32 } else { 1.0 };
                self.passes(rec, src, axis, &radices, way, scale)
            }
            None => self.bluestein(rec, src, axis, way),
        }
    }

    pub(crate) fn passes(
        &mut self,
        rec: &mut Recorder,
        src: Buf,
        axis: Axis,
        radices: &[usize],
        way: FftDirection,
        scale: f32,
    ) -> Buf {
        let roots = *self
            .roots
            .entry(axis.n)
            .or_insert_with(|| rec.constant("roots of unity", &narrow(&roots(axis.n))));
        let (mut from, mut ns) = (src, 1);
        for (i, &radix) in radices.iter().enumerate() {
            let dst = rec.scratch::<Complex32>("transform", axis.len());
            let params = FftParams {
                inner: axis.inner as u32,
                n: axis.n as u32,
                outer: axis.outer as u32,
                ns: ns as u32,
                sign: way.sign(),
                scale: if i + 1 == radices.len() { scale } else { 1.0 },
            };
            // The customary count: 5 n log2 n in total.
            let cost = Cost {
                flops: 5.0 * axis.len() as f64 * (radix as f64).log2(),
                bytes: 16.0 * axis.len() as f64,
            };
            rec.linear(
                spec(radix),
                &params,
                &[
                    from.first::<Complex32>(axis.len()),
                    roots.first::<Complex32>(axis.n),
                    dst.first::<Complex32>(axis.len()),
                ],
                axis.len() / radix,
                cost,
            );
            (from, ns) = (dst, ns * radix);
        }
        from
    }

    fn bluestein(&mut self, rec: &mut Recorder, src: Buf, axis: Axis, way: FftDirection) -> Buf {
        let n = axis.n;
        let Chirp { padded, table, spectrum } = *self.chirps.entry(n).or_insert_with(|| Chirp::new(rec, n));
        let long = Axis { n: padded, ..axis };
        let sign = way.sign();
        let raised = record_chirp(rec, src, table, axis, padded, n, sign);
        let raised = self.axis(rec, raised, long, FftDirection::Forward);
        let convolved = record_chirp(rec, raised, spectrum, long, padded, padded, sign);
        let convolved = self.axis(rec, convolved, long, FftDirection::Inverse);
        // A separate table holds the factor 1/n of the inverse, so that it takes no extra pass.
        let last = if way == FftDirection::Forward { table } else { self.scaled(rec, n) };
        record_chirp(rec, convolved, last, long, n, n, sign)
    }

    /// The chirp of length `n`, divided by n.
    fn scaled(&mut self, rec: &mut Recorder, n: usize) -> Buf {
        let scaled = || narrow(&chirp_table(n).iter().map(|w| w / n as f64).collect::<Vec<_>>());
        *self.scaled.entry(n).or_insert_with(|| rec.constant("scaled chirp", &scaled()))
    }
}

impl Chirp {
    fn new(rec: &mut Recorder, n: usize) -> Self {
        // The shortest convolution without prime factors above 5.
        let smooth = |m: &usize| factors(*m).is_some_and(|f| f.iter().all(|&r| r <= 5 || r == 8));
        let padded = (2 * n - 1..).find(smooth).expect("powers of two are smooth");
        let chirp = chirp_table(n);
        let mut kernel = vec![Complex64::ZERO; padded];
        for (k, w) in chirp.iter().enumerate() {
            kernel[k] = w.conj();
            kernel[(padded - k) % padded] = w.conj();
        }
        rustfft::FftPlanner::new().plan_fft_forward(padded).process(&mut kernel);
        Self {
            padded,
            table: rec.constant("chirp", &narrow(&chirp)),
            spectrum: rec.constant("chirp spectrum", &narrow(&kernel)),
        }
    }
}

fn roots(n: usize) -> Vec<Complex64> {
    let turn = -std::f64::consts::TAU / n as f64;
    (0..n).map(|k| Complex64::cis(turn * k as f64)).collect()
}

fn chirp_table(n: usize) -> Vec<Complex64> {
    // k² is reduced mod 2n first, to keep the accuracy of the angle.
    (0..n).map(|k| Complex64::cis(-std::f64::consts::PI * ((k * k) % (2 * n)) as f64 / n as f64)).collect()
}

fn narrow(values: &[Complex64]) -> Vec<Complex32> {
    values.iter().map(|v| Complex32::new(v.re as f32, v.im as f32)).collect()
}

params! {
    struct ChirpParams { inner: u32, n_src: u32, n_dst: u32, outer: u32, kept: u32, sign: f32 }
}

/// The row of the table of kernels.
pub static CHIRP: Kernel = Kernel {
    name: "chirp",
    source: include_str!("../../../kernels/signal/chirp.wgsl"),
    bindings: &[read("src", "vec2f"), read("table", "vec2f"), write("dst", "vec2f")],
    params: ChirpParams::LAYOUT,
    specs: || vec![Spec::new(&CHIRP, &[])],
    native: Some(native::chirp),
};

/// Records `dst[k] = src[k] table[k]` for k < `kept`, else 0, on lines of `axis.n` values in and `n_dst` values out.
/// The table is conjugated if `sign` is −1.
pub fn record_chirp(
    rec: &mut Recorder,
    src: Buf,
    table: Buf,
    axis: Axis,
    n_dst: usize,
    kept: usize,
    sign: f32,
) -> Buf {
    let threads = axis.outer * n_dst * axis.inner;
    let dst = rec.scratch::<Complex32>("chirp", threads);
    let params = ChirpParams {
        inner: axis.inner as u32,
        n_src: axis.n as u32,
        n_dst: n_dst as u32,
        outer: axis.outer as u32,
        kept: kept as u32,
        sign,
    };
    let cost = Cost::each(threads, 6, 16);
    let read =
        if axis.outer * axis.inner * kept == 0 { 0 } else { ((axis.outer - 1) * axis.n + kept) * axis.inner };
    let bound = [
        src.first::<Complex32>(read),
        table.first::<Complex32>(kept.min(n_dst)),
        dst.first::<Complex32>(threads),
    ];
    rec.linear(Spec::new(&CHIRP, &[]), &params, &bound, threads, cost);
    dst
}
