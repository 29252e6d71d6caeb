//! The native forms of `fft` and `chirp`.

use super::{ChirpParams, FftParams, RADICES};
use crate::plan::Call;
use std::array::from_fn;
use std::ops::Range;

/// The number of butterflies that are computed side by side.
const LANES: usize = 32;
/// The number of lines that share the calculation of their factors. They fit in a small cache.
const GROUP: usize = 16;

type Complex = [f32; 2];
/// The real and imaginary parts of `LANES` values.
type Values = [[f32; LANES]; 2];

pub(super) fn fft(call: &mut Call) {
    match call.constant("RADIX") {
        2 => pass::<2>(call),
        3 => pass::<3>(call),
        4 => pass::<4>(call),
        5 => pass::<5>(call),
        7 => pass::<7>(call),
        8 => pass::<8>(call),
        11 => pass::<11>(call),
        13 => pass::<13>(call),
        other => unreachable!("{other} is not one of {RADICES:?}"),
    }
}

fn pass<const RADIX: usize>(call: &mut Call) {
    let p: FftParams = call.params();
    let (src, roots): (&[Complex], &[Complex]) = (call.read(0), call.read(1));
    let dst: &mut [Complex] = call.write(2);
    let [inner, n, outer, ns] = [p.inner, p.n, p.outer, p.ns].map(|n| n as usize);
    let line = n / RADIX;
    let root = |k: usize| [roots[k][0], p.sign * roots[k][1]];
    let prime = from_fn(|r| root(r * line));
    if inner == 1 {
        let pass = Rows::<RADIX> { line, ns, scale: p.scale, sign: p.sign, prime };
        call.team().split(
            dst,
            n,
            #[inline(always)]
            |first, part| {
                for (group, part) in part.chunks_mut(GROUP * n).enumerate() {
                    let from = &src[(first + group * GROUP) * n..][..part.len()];
                    for j in (0..line).step_by(LANES) {
                        pass.group(j..line.min(j + LANES), root, from, part);
                    }
                }
            },
        );
        return;
    }
    call.team().columns(
        dst,
        [inner, LANES],
        #[inline(always)]
        |mut columns| {
            let (first, end) = (columns.range().start, columns.range().end);
            let mut v = [[[0.0; LANES]; 2]; RADIX];
            for (o, j) in (0..outer).flat_map(|o| (0..line).map(move |j| (o, j))) {
                let at = j % ns;
                let factors: [_; RADIX] = from_fn(|r| root(r * (line / ns) * at));
                let to = o * n + (j - at) * RADIX + at;
                for x in (first..end).step_by(LANES) {
                    let count = LANES.min(end - x);
                    for (r, (v, factor)) in v.iter_mut().zip(factors).enumerate() {
                        let src = &src[(o * n + j + r * line) * inner + x..][..count];
                        load(v, src, |_| factor);
                    }
                    butterfly(&mut v, p.sign, &prime);
                    for (q, v) in v.iter().enumerate() {
                        let dst = &mut columns.row(to + q * ns)[x - first..][..count];
                        store(v, 0, p.scale, dst);
                    }
                }
            }
        },
    );
}

/// A pass along contiguous lines.
struct Rows<const RADIX: usize> {
    line: usize,
    ns: usize,
    scale: f32,
    sign: f32,
    prime: [Complex; RADIX],
}

impl<const RADIX: usize> Rows<RADIX> {
    /// Computes the butterflies `js` of several lines.
    #[inline(always)]
    fn group(&self, js: Range<usize>, root: impl Fn(usize) -> Complex, src: &[Complex], dst: &mut [Complex]) {
        let &Self { line, ns, scale, .. } = self;
        let (j, count, n) = (js.start, js.len(), line * RADIX);
        let mut factors = [[[0.0; 2]; LANES]; RADIX];
        for (l, at) in js.map(|j| j % ns).enumerate() {
            factors.iter_mut().enumerate().for_each(|(r, w)| w[l] = root(r * (line / ns) * at));
        }
        let mut v = [[[0.0; LANES]; 2]; RADIX];
        for (src, dst) in src.chunks_exact(n).zip(dst.chunks_exact_mut(n)) {
            for (r, (v, w)) in v.iter_mut().zip(&factors).enumerate() {
                load(v, &src[j + r * line..][..count], |l| w[l]);
            }
            butterfly(&mut v, self.sign, &self.prime);
            if ns == 1 {
                for (l, dst) in dst[j * RADIX..][..count * RADIX].chunks_exact_mut(RADIX).enumerate() {
                    for (dst, v) in dst.iter_mut().zip(&v) {
                        *dst = [scale * v[0][l], scale * v[1][l]];
                    }
                }
                continue;
            }
            // The results of neighbouring butterflies are neighbours, up to a multiple of `ns`.
            let mut l = 0;
            while l < count {
                let at = (j + l) % ns;
                let run = (ns - at).min(count - l);
                let to = (j + l - at) * RADIX + at;
                for (q, v) in v.iter().enumerate() {
                    store(v, l, scale, &mut dst[to + q * ns..][..run]);
                }
                l += run;
            }
        }
    }
}

/// Reads values, each multiplied by the factor of its lane.
#[inline(always)]
fn load(v: &mut Values, src: &[Complex], factor: impl Fn(usize) -> Complex) {
    let [re, im] = v;
    for (l, ((u, re), im)) in src.iter().zip(re).zip(im).enumerate() {
        let w = factor(l);
        *re = u[0] * w[0] - u[1] * w[1];
        *im = u[0] * w[1] + u[1] * w[0];
    }
}

/// Writes values from lane `first` on.
#[inline(always)]
fn store(v: &Values, first: usize, scale: f32, dst: &mut [Complex]) {
    let parts = v[0][first..].iter().zip(&v[1][first..]);
    dst.iter_mut().zip(parts).for_each(|(dst, (re, im))| *dst = [scale * re, scale * im]);
}

/// Replaces the values by their discrete Fourier transforms. `roots` are those of the radix.
#[inline(always)]
fn butterfly<const RADIX: usize>(v: &mut [Values; RADIX], sign: f32, roots: &[Complex; RADIX]) {
    if RADIX.is_power_of_two() {
        for l in 0..LANES {
            let mut f = v.each_ref().map(|v| [v[0][l], v[1][l]]);
            transform(&mut f, sign);
            for (v, f) in v.iter_mut().zip(f) {
                [v[0][l], v[1][l]] = f;
            }
        }
        return;
    }
    let mut f = [v[0]; RADIX];
    for (r, v) in v.iter().enumerate().skip(1) {
        for (q, f) in f.iter_mut().enumerate() {
            let [x, y] = roots[(r * q) % RADIX];
            for l in 0..LANES {
                let [re, im] = [v[0][l], v[1][l]];
                f[0][l] += re * x - im * y;
                f[1][l] += re * y + im * x;
            }
        }
    }
    *v = f;
}

/// The discrete Fourier transform of 2, 4 or 8 values.
#[inline(always)]
fn transform<const RADIX: usize>(v: &mut [Complex; RADIX], sign: f32) {
    match v.as_mut_slice() {
        [a, b] => [*a, *b] = dft2(*a, *b),
        [a, b, c, d] => [*a, *b, *c, *d] = dft4([*a, *b, *c, *d], sign),
        [a, b, c, d, e, f, g, h] => {
            let even = dft4([*a, *c, *e, *g], sign);
            let odd = dft4([*b, *d, *f, *h], sign);
            let [one, three] = [quarter(odd[1], sign), quarter(odd[3], sign)];
            const HALF_ROOT: f32 = std::f32::consts::FRAC_1_SQRT_2;
            let odd = [
                odd[0],
                [0, 1].map(|k| HALF_ROOT * (odd[1][k] + one[k])),
                quarter(odd[2], sign),
                [0, 1].map(|k| HALF_ROOT * (three[k] - odd[3][k])),
            ];
            [*a, *e] = dft2(even[0], odd[0]);
            [*b, *f] = dft2(even[1], odd[1]);
            [*c, *g] = dft2(even[2], odd[2]);
            [*d, *h] = dft2(even[3], odd[3]);
        }
        _ => unreachable!("powers of two up to 8"),
    }
}

#[inline(always)]
fn dft4([a, b, c, d]: [Complex; 4], sign: f32) -> [Complex; 4] {
    let [even, odd] = [dft2(a, c), dft2(b, d)];
    let [first, third] = dft2(even[0], odd[0]);
    let [second, fourth] = dft2(even[1], quarter(odd[1], sign));
    [first, second, third, fourth]
}

#[inline(always)]
fn dft2(a: Complex, b: Complex) -> [Complex; 2] {
    [[a[0] + b[0], a[1] + b[1]], [a[0] - b[0], a[1] - b[1]]]
}

/// Returns a exp(−πi/2 sign).
#[inline(always)]
fn quarter(a: Complex, sign: f32) -> Complex {
    [sign * a[1], -sign * a[0]]
}

pub(super) fn chirp(call: &mut Call) {
    let p: ChirpParams = call.params();
    let (src, table): (&[Complex], &[Complex]) = (call.read(0), call.read(1));
    let dst: &mut [Complex] = call.write(2);
    let [inner, n_src, n_dst] = [p.inner, p.n_src, p.n_dst].map(|n| n as usize);
    let kept = (p.kept as usize).min(n_dst);
    let factor = |w: Complex| [w[0], p.sign * w[1]];
    if inner == 1 {
        call.team().split(
            dst,
            n_dst,
            #[inline(always)]
            |first, part| {
                for (o, dst) in (first..).zip(part.chunks_exact_mut(n_dst)) {
                    let (dst, rest) = dst.split_at_mut(kept);
                    let values = src[o * n_src..][..kept].iter().zip(table);
                    dst.iter_mut().zip(values).for_each(|(dst, (u, w))| *dst = product(*u, factor(*w)));
                    rest.fill([0.0; 2]);
                }
            },
        );
        return;
    }
    call.team().split(
        dst,
        inner,
        #[inline(always)]
        |first, part| {
            for (row, dst) in (first..).zip(part.chunks_exact_mut(inner)) {
                let (o, k) = (row / n_dst, row % n_dst);
                if k < kept {
                    let (src, w) = (&src[(o * n_src + k) * inner..][..inner], factor(table[k]));
                    dst.iter_mut().zip(src).for_each(|(dst, u)| *dst = product(*u, w));
                } else {
                    dst.fill([0.0; 2]);
                }
            }
        },
    );
}

#[inline(always)]
fn product(a: Complex, b: Complex) -> Complex {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}
