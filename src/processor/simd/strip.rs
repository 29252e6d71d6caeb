//! Some pixels of a convolution: `dst[p][o] = start[o] + Σ over taps and channels of src[p][c] weights[tap][c][o]`.

use super::Panel;
use super::lanes::{Lanes, Portable, load};
use crate::processor::Instructions;

/// The pixel of a strip that a tap does not reach, because its source lies outside of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// The tap reaches every pixel.
    None,
    /// Not the first.
    First,
    /// Not the last.
    Last,
}

/// One tap of a strip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    /// The distance in f32 from the strip's own start to the source of its first pixel.
    pub src: isize,
    /// The number of the tap's weights.
    pub weights: usize,
    /// The pixel that it does not reach.
    pub edge: Edge,
}

impl Tap {
    /// The only tap, at the strip's own start.
    pub const WHOLE: Self = Self { src: 0, weights: 0, edge: Edge::None };
    pub const NONE: Self = Self { src: 0, weights: 0, edge: Edge::None };
}

/// Some pixels at equal distances.
#[derive(Clone, Copy)]
pub(crate) struct Strip<'a> {
    /// The source.
    pub src: &'a [f32],
    /// The index of the first pixel's first channel in `src`.
    pub first: usize,
    /// The distance between pixels in `src`.
    pub stride: usize,
    /// Input channels.
    pub channels: usize,
    /// The taps.
    pub taps: &'a [Tap],
    /// Weights `[taps][channels][pitch]`, from the panel's first column on.
    pub weights: &'a [f32],
    /// The distance between input channels in `weights`.
    pub pitch: usize,
    /// The value from which the sum of each column starts; `None` to add to what `dst` holds.
    pub start: Option<&'a [f32]>,
}

impl Strip<'_> {
    /// Computes `pixels` pixels, at most as many as the panel takes, into `dst`: the panel's columns of pixel p go to
    /// `dst[p * stride..]`.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn compute(&self, panel: Panel, pixels: usize, dst: &mut [f32], stride: usize) {
        let Panel { columns, .. } = panel;
        assert!(pixels >= 1 && pixels <= panel.pixels && self.channels >= 1);
        assert!(self.start.is_none_or(|start| start.len() >= columns), "a value for each column");
        assert!(dst.len() >= (pixels - 1) * stride + columns, "room for the strip");
        for tap in self.taps {
            let skipped = [tap.edge == Edge::First, tap.edge == Edge::Last].map(usize::from);
            assert!(pixels > 1 || skipped == [0; 2], "a tap reaches a pixel");
            let first = self.first as isize + tap.src + (skipped[0] * self.stride) as isize;
            let end = first + ((pixels - 1 - skipped[0] - skipped[1]) * self.stride + self.channels) as isize;
            assert!(first >= 0 && end as usize <= self.src.len(), "the tap's pixels");
            let rows = (tap.weights + 1) * self.channels;
            assert!(self.weights.len() >= (rows - 1) * self.pitch + columns, "the tap's weights");
        }
        // SAFETY: the machine has the instructions, because `panel` holds the proof. The checks above show that `block`
        // reads and writes within the slices.
        unsafe {
            match panel.present.get() {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => avx512(self, columns, pixels, dst, stride),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => avx2(self, columns, pixels, dst, stride),
                #[cfg(target_arch = "aarch64")]
                Instructions::Neon => neon(self, columns, pixels, dst, stride),
                _ => portable(self, columns, pixels, dst, stride),
            }
        }
    }
}

/// Calls `block` with the numbers of pixels and registers as constants: for so many columns, these lanes in so many
/// registers, and each of these numbers of pixels.
macro_rules! blocks {
    ($strip:ident, $columns:ident, $pixels:ident, $dst:ident, $stride:ident,
     $($of:literal: $lanes:ty, $v:literal, $($p:literal)*;)*) => {
        match ($columns, $pixels) {
            $($(($of, $p) => unsafe { block::<$lanes, $p, $v>($strip, $dst, $stride) },)*)*
            _ => unreachable!("no strip has {} columns and {} pixels", $columns, $pixels),
        }
    };
}

/// # Safety
/// As for `block`, and the machine has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512(strip: &Strip, columns: usize, pixels: usize, dst: &mut [f32], stride: usize) {
    use super::lanes::{Avx2, Avx512, Quad};
    blocks!(strip, columns, pixels, dst, stride,
        64: Avx512, 4, 1 2 3 4 5 6;
        32: Avx512, 2, 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        16: Avx512, 1, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16;
        8: Avx2, 1, 1 2 3 4 5 6 7 8 9 10 11 12;
        4: Quad, 1, 1 2 3 4 5 6 7 8 9 10 11 12;)
}

/// # Safety
/// As for `block`, and the machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(strip: &Strip, columns: usize, pixels: usize, dst: &mut [f32], stride: usize) {
    use super::lanes::{Avx2, Quad};
    blocks!(strip, columns, pixels, dst, stride,
        16: Avx2, 2, 1 2 3 4 5 6;
        8: Avx2, 1, 1 2 3 4 5 6 7 8 9 10 11 12;
        4: Quad, 1, 1 2 3 4 5 6 7 8 9 10 11 12;)
}

/// # Safety
/// As for `block`.
#[cfg(target_arch = "aarch64")]
unsafe fn neon(strip: &Strip, columns: usize, pixels: usize, dst: &mut [f32], stride: usize) {
    use super::lanes::Quad;
    blocks!(strip, columns, pixels, dst, stride,
        16: Quad, 4, 1 2 3 4 5 6;
        8: Quad, 2, 1 2 3 4 5 6 7 8 9 10 11 12;
        4: Quad, 1, 1 2 3 4 5 6 7 8 9 10 11 12;)
}

/// # Safety
/// As for `block`.
unsafe fn portable(strip: &Strip, columns: usize, pixels: usize, dst: &mut [f32], stride: usize) {
    blocks!(strip, columns, pixels, dst, stride, 8: Portable, 2, 1 2 3 4; 4: Portable, 1, 1 2 3 4 5 6 7 8;)
}

/// Computes P pixels of V registers each.
///
/// # Safety
/// [`Strip::compute`] has checked the ranges, and the machine has the instructions of `L`.
#[inline(always)]
unsafe fn block<L: Lanes, const P: usize, const V: usize>(strip: &Strip, dst: &mut [f32], stride: usize) {
    // SAFETY: `start` has V registers, and `dst` has room for the columns of each pixel.
    let mut sums = [unsafe { load::<L, V>(strip.start.unwrap_or(dst).as_ptr()) }; P];
    if strip.start.is_none() {
        for (p, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the same.
            *sums = unsafe { load::<L, V>(dst.as_ptr().add(p * stride)) };
        }
    }
    for tap in strip.taps {
        // SAFETY: checked for every tap.
        unsafe {
            match tap.edge {
                Edge::None => add::<L, P, V, 0>(strip, tap, &mut sums),
                Edge::First => add::<L, P, V, 1>(strip, tap, &mut sums),
                Edge::Last => add::<L, P, V, 2>(strip, tap, &mut sums),
            }
        }
    }
    for (p, sums) in sums.iter().enumerate() {
        // SAFETY: `dst` has room for the columns of each pixel.
        let own = unsafe { dst.as_mut_ptr().add(p * stride) };
        for (v, sum) in sums.iter().enumerate() {
            // SAFETY: the same.
            unsafe { sum.store(own.add(v * L::WIDTH)) };
        }
    }
}

/// Adds the products of one tap; SKIP is 1 without the first pixel, and 2 without the last.
///
/// # Safety
/// As for `block`.
#[inline(always)]
unsafe fn add<L: Lanes, const P: usize, const V: usize, const SKIP: usize>(
    strip: &Strip,
    tap: &Tap,
    sums: &mut [[L; V]; P],
) {
    let first = (strip.first as isize + tap.src) as usize;
    // Of the pixel that is skipped nothing is read, and its address may lie outside.
    let src = strip.src.as_ptr().wrapping_add(first);
    // SAFETY: checked.
    let mut weights = unsafe { strip.weights.as_ptr().add(tap.weights * strip.channels * strip.pitch) };
    for c in 0..strip.channels {
        // SAFETY: checked: the weights of every channel, and every pixel that is not skipped.
        unsafe {
            let factors = load::<L, V>(weights);
            weights = weights.wrapping_add(strip.pitch);
            for (p, sums) in sums.iter_mut().enumerate() {
                if (SKIP == 1 && p == 0) || (SKIP == 2 && p == P - 1) {
                    continue;
                }
                let value = L::splat(*src.wrapping_add(p * strip.stride + c));
                for v in 0..V {
                    sums[v] = sums[v].fma(value, factors[v]);
                }
            }
        }
    }
}
