//! The transforms of Winograd's F(4 × 4, 3 × 3), by which a tile of 4 × 4 pixels takes 36 products of each pair of
//! channels instead of 144 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). They are made by
//! Toom and Cook's rule from the points 0, ±3/4, ±3/2 and ∞. With these the error is 1.6 times that of plain sums of f32;
//! with the usual points 0, ±1, ±2 and ∞ it is 3.3 times (`docs/measurements.md`).

use super::lanes::{Lanes, Portable, load};
use crate::processor::Instructions;
use crate::processor::instructions::Present;
use std::mem::MaybeUninit;

/// The points, and their squares.
const A: f32 = 0.75;
const B: f32 = 1.5;
const AA: f32 = A * A;
const BB: f32 = B * B;
/// 1 / Π (p - q) over the other points q, for p = 0, ±A and ±B.
const OF_0: f32 = 1.0 / (AA * BB);
const OF_A: f32 = 1.0 / (2.0 * AA * (AA - BB));
const OF_B: f32 = 1.0 / (2.0 * BB * (BB - AA));

/// The place of a number that is 0, or of a result that is not wanted.
pub(crate) const NOWHERE: usize = usize::MAX;

/// A linear map along both axes of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transform {
    /// From 6 × 6 pixels of the source to the first factors of 36 products.
    Source,
    /// From the products to 4 × 4 pixels of the result.
    Result,
    /// From 4 × 4 pixels of an upstream gradient to factors. The transpose of `Result`.
    Upstream,
    /// From 3 × 3 weights to the second factors.
    Weights,
    /// From sums of products to the gradient of the weights. The transpose of `Weights`.
    WeightsGradient,
}

impl Transform {
    #[cfg(test)]
    pub const ALL: [Self; 5] =
        [Self::Source, Self::Result, Self::Upstream, Self::Weights, Self::WeightsGradient];

    /// The numbers along an axis before and after.
    pub const fn sizes(self) -> [usize; 2] {
        match self {
            Self::Source => [6, 6],
            Self::Result => [6, 4],
            Self::Upstream => [4, 6],
            Self::Weights => [3, 6],
            Self::WeightsGradient => [6, 3],
        }
    }
}

/// A tile: where its numbers and those of the result are.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    pub src: &'a [f32],
    /// For each number, row by row, the index of its first channel in `src`, or [`NOWHERE`].
    pub from: &'a [usize],
    /// The same for the results.
    pub to: &'a [usize],
    /// A multiple of 4.
    pub channels: usize,
}

impl Tile<'_> {
    /// Transforms all channels of the tile into `dst`.
    ///
    /// # Panics
    /// If the transform has other sizes, the channels are no multiple of 4, or a slice is too short.
    pub fn compute(&self, present: Present, transform: Transform, dst: &mut [f32]) {
        let lengths = [self.from.len(), self.to.len()];
        assert!(transform.sizes().map(|n| n * n) == lengths, "a place for each number");
        assert!(self.channels.is_multiple_of(4), "channels in fours");
        let within = |places: &[usize], len: usize| {
            places.iter().all(|&at| at == NOWHERE || (at <= len && self.channels <= len - at))
        };
        assert!(within(self.from, self.src.len()), "the tile's numbers");
        assert!(within(self.to, dst.len()), "room for the results");
        // SAFETY: the machine has the instructions, because `present` is the proof. The checks above are those that
        // `all` asks for.
        unsafe {
            match present.get() {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => avx512(self, transform, dst),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => avx2(self, transform, dst),
                #[cfg(target_arch = "aarch64")]
                Instructions::Neon => all::<super::lanes::Quad, super::lanes::Quad>(self, transform, dst),
                _ => all::<Portable, Portable>(self, transform, dst),
            }
        }
    }
}

/// # Safety
/// As for `all`, and the machine has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512(tile: &Tile, transform: Transform, dst: &mut [f32]) {
    use super::lanes::{Avx512, Quad};
    unsafe { all::<Avx512, Quad>(tile, transform, dst) }
}

/// # Safety
/// As for `all`, and the machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(tile: &Tile, transform: Transform, dst: &mut [f32]) {
    use super::lanes::{Avx2, Quad};
    unsafe { all::<Avx2, Quad>(tile, transform, dst) }
}

/// Transforms all channels, with `L` as long as there are enough, and then with `S`, which holds four.
///
/// # Safety
/// The tile has as many places as the transform has numbers. The channels are a multiple of 4, and lie within the slices
/// from each place on. The machine has the instructions of `L` and `S`.
#[inline(always)]
unsafe fn all<L: Lanes, S: Lanes>(tile: &Tile, transform: Transform, dst: &mut [f32]) {
    // SAFETY: the caller's promise; the sizes are the transform's.
    unsafe {
        match transform {
            Transform::Source => channels::<Source, L, S, 6, 6>(tile, dst),
            Transform::Result => channels::<Result, L, S, 6, 4>(tile, dst),
            Transform::Upstream => channels::<Upstream, L, S, 4, 6>(tile, dst),
            Transform::Weights => channels::<Weights, L, S, 3, 6>(tile, dst),
            Transform::WeightsGradient => channels::<WeightsGradient, L, S, 6, 3>(tile, dst),
        }
    }
}

/// # Safety
/// As for `all`.
#[inline(always)]
unsafe fn channels<T: Axis<N, M>, L: Lanes, S: Lanes, const N: usize, const M: usize>(
    tile: &Tile,
    dst: &mut [f32],
) {
    let mut first = 0;
    // SAFETY: the caller's promise; the channels from `first` on are as many as the register holds.
    unsafe {
        while first + L::WIDTH <= tile.channels {
            block::<T, L, N, M>(tile, first, dst);
            first += L::WIDTH;
        }
        while first < tile.channels {
            block::<T, S, N, M>(tile, first, dst);
            first += S::WIDTH;
        }
    }
}

/// Transforms the channels of one register, column by column and then row by row.
///
/// # Safety
/// As for `all`, and the tile has `L::WIDTH` channels from `first` on.
#[inline(always)]
unsafe fn block<T: Axis<N, M>, L: Lanes, const N: usize, const M: usize>(
    tile: &Tile,
    first: usize,
    dst: &mut [f32],
) {
    let mut half = Half(MaybeUninit::uninit());
    let half = half.0.as_mut_ptr().cast::<f32>();
    // SAFETY: the caller's promise; `half` has room for 6 × 6 registers of 16 numbers, and its first M × N are written
    // before they are read.
    unsafe {
        let zero = L::splat(0.0);
        for x in 0..N {
            let mut column = [zero; N];
            for (y, value) in column.iter_mut().enumerate() {
                let at = *tile.from.get_unchecked(N * y + x);
                if at != NOWHERE {
                    *value = L::load(tile.src.as_ptr().add(at + first));
                }
            }
            for (y, value) in T::apply(column).iter().enumerate() {
                value.store(half.add((N * y + x) * L::WIDTH));
            }
        }
        for y in 0..M {
            let row = load::<L, N>(half.add(N * y * L::WIDTH));
            for (x, value) in T::apply(row).iter().enumerate() {
                let at = *tile.to.get_unchecked(M * y + x);
                if at != NOWHERE {
                    value.store(dst.as_mut_ptr().add(at + first));
                }
            }
        }
    }
}

/// A tile that has been transformed along one axis. It is aligned, and so is then what the compiler keeps beside it:
/// registers that lie across two cache lines take twice as long.
#[repr(align(64))]
struct Half(MaybeUninit<[f32; 36 * 16]>);

/// A transform along one axis.
trait Axis<const N: usize, const M: usize> {
    /// # Safety
    /// The machine has the instructions of `L`.
    unsafe fn apply<L: Lanes>(values: [L; N]) -> [L; M];
}

/// `sum + factor * value`.
///
/// # Safety
/// The machine has the instructions of `L`.
#[inline(always)]
unsafe fn plus<L: Lanes>(sum: L, factor: f32, value: L) -> L {
    // SAFETY: the caller's promise.
    unsafe { sum.fma(L::splat(factor), value) }
}

/// `factor * value`.
///
/// # Safety
/// The machine has the instructions of `L`.
#[inline(always)]
unsafe fn times<L: Lanes>(factor: f32, value: L) -> L {
    // SAFETY: the caller's promise.
    unsafe { plus(L::splat(0.0), factor, value) }
}

/// `even + factor * odd` and `even - factor * odd`: a polynomial at a point and at its negative.
///
/// # Safety
/// The machine has the instructions of `L`.
#[inline(always)]
unsafe fn pair<L: Lanes>(even: L, factor: f32, odd: L) -> [L; 2] {
    // SAFETY: the caller's promise.
    unsafe { [plus(even, factor, odd), plus(even, -factor, odd)] }
}

struct Source;

impl Axis<6, 6> for Source {
    #[inline(always)]
    unsafe fn apply<L: Lanes>(d: [L; 6]) -> [L; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let [even_a, odd_a] = [plus(d[4], -BB, d[2]), plus(d[3], -BB, d[1])];
            let [even_b, odd_b] = [plus(d[4], -AA, d[2]), plus(d[3], -AA, d[1])];
            let ([a, minus_a], [b, minus_b]) = (pair(even_a, A, odd_a), pair(even_b, B, odd_b));
            [
                plus(plus(d[4], -(AA + BB), d[2]), AA * BB, d[0]),
                a,
                minus_a,
                b,
                minus_b,
                plus(plus(d[5], -(AA + BB), d[3]), AA * BB, d[1]),
            ]
        }
    }
}

struct Result;

impl Axis<6, 4> for Result {
    #[inline(always)]
    unsafe fn apply<L: Lanes>(m: [L; 6]) -> [L; 4] {
        // SAFETY: the caller's promise.
        unsafe {
            let [even_a, odd_a] = pair(m[1], 1.0, m[2]);
            let [even_b, odd_b] = pair(m[3], 1.0, m[4]);
            [
                plus(m[0], 1.0, plus(even_a, 1.0, even_b)),
                plus(times(A, odd_a), B, odd_b),
                plus(times(AA, even_a), BB, even_b),
                plus(plus(m[5], AA * A, odd_a), BB * B, odd_b),
            ]
        }
    }
}

struct Upstream;

impl Axis<4, 6> for Upstream {
    #[inline(always)]
    unsafe fn apply<L: Lanes>(y: [L; 4]) -> [L; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let [even_a, odd_a] = [plus(y[0], AA, y[2]), plus(y[1], AA, y[3])];
            let [even_b, odd_b] = [plus(y[0], BB, y[2]), plus(y[1], BB, y[3])];
            let ([a, minus_a], [b, minus_b]) = (pair(even_a, A, odd_a), pair(even_b, B, odd_b));
            [y[0], a, minus_a, b, minus_b, y[3]]
        }
    }
}

struct Weights;

impl Axis<3, 6> for Weights {
    #[inline(always)]
    unsafe fn apply<L: Lanes>(g: [L; 3]) -> [L; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let even_a = times(OF_A, plus(g[0], AA, g[2]));
            let even_b = times(OF_B, plus(g[0], BB, g[2]));
            let ([a, minus_a], [b, minus_b]) = (pair(even_a, OF_A * A, g[1]), pair(even_b, OF_B * B, g[1]));
            [times(OF_0, g[0]), a, minus_a, b, minus_b, g[2]]
        }
    }
}

struct WeightsGradient;

impl Axis<6, 3> for WeightsGradient {
    #[inline(always)]
    unsafe fn apply<L: Lanes>(m: [L; 6]) -> [L; 3] {
        // SAFETY: the caller's promise.
        unsafe {
            let [even_a, odd_a] = pair(m[1], 1.0, m[2]);
            let [even_b, odd_b] = pair(m[3], 1.0, m[4]);
            [
                plus(plus(times(OF_0, m[0]), OF_A, even_a), OF_B, even_b),
                plus(times(OF_A * A, odd_a), OF_B * B, odd_b),
                plus(plus(m[5], OF_A * AA, even_a), OF_B * BB, even_b),
            ]
        }
    }
}
