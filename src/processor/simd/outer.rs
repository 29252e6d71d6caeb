//! Products of two channels, summed over pixels: `dst[i][o] += Σ over pixels of left[pixel][i] right[pixel][o]`.

use super::Panel;
use super::lanes::{Lanes, Portable, load};
use crate::processor::Instructions;

/// One factor: where the pixels of each line are.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    /// The values.
    pub values: &'a [f32],
    /// The index of the first pixel of line 0 of image 0. It may lie before the slice if no line uses it.
    pub first: isize,
    /// The distances between images, lines and pixels.
    pub strides: [usize; 3],
}

impl Side<'_> {
    /// The index of the first pixel of a line. `count` pixels of `width` values from there on lie within the slice.
    #[inline(always)]
    fn line(&self, image: usize, y: usize, count: usize, width: usize) -> usize {
        let first = self.first + (image * self.strides[0] + y * self.strides[1]) as isize;
        let end = first + ((count - 1) * self.strides[2] + width) as isize;
        assert!(first >= 0 && end as usize <= self.values.len(), "the line's pixels");
        first as usize
    }
}

/// A run of lines of images.
#[derive(Clone)]
pub(crate) struct Outer<'a> {
    /// The factor with input channels.
    pub left: Side<'a>,
    /// The factor with output channels.
    pub right: Side<'a>,
    /// Lines of one image.
    pub height: usize,
    /// The lines of the run, numbered image by image.
    pub lines: std::ops::Range<usize>,
    /// The lines of each image that count.
    pub rows: std::ops::Range<usize>,
    /// Pixels of a line, at least one.
    pub count: usize,
}

impl Outer<'_> {
    /// Adds the products of `rows` input channels, the panel's or 4 or 1, and the panel's columns to `dst`
    /// `[rows][stride]`. The right factor must have all columns of the panel.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn add(&self, panel: Panel, rows: usize, dst: &mut [f32], stride: usize) {
        assert!(self.count >= 1 && dst.len() >= (rows - 1) * stride + panel.columns, "room for the block");
        // SAFETY: the machine has the instructions, because `panel` holds the proof. `dst` has room for the block, and
        // `block` checks the pixels line by line.
        unsafe {
            let columns = panel.columns;
            match panel.present.get() {
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => avx512(self, columns, rows, dst, stride),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => avx2(self, columns, rows, dst, stride),
                #[cfg(target_arch = "aarch64")]
                Instructions::Neon => neon(self, columns, rows, dst, stride),
                _ => portable(self, columns, rows, dst, stride),
            }
        }
    }
}

/// Calls `block` with the numbers of input channels and registers as constants: for so many columns, these lanes in so
/// many registers, and each of these numbers of input channels.
macro_rules! blocks {
    ($run:ident, $columns:ident, $rows:ident, $dst:ident, $stride:ident,
     $($of:literal: $lanes:ty, $v:literal, $($c:literal)*;)*) => {
        match ($columns, $rows) {
            $($(($of, $c) => unsafe { block::<$lanes, $c, $v>($run, $dst, $stride) },)*)*
            _ => unreachable!("no block has {} columns and {} input channels", $columns, $rows),
        }
    };
}

/// # Safety
/// As for `block`, and the machine has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
unsafe fn avx512(run: &Outer, columns: usize, rows: usize, dst: &mut [f32], stride: usize) {
    use super::lanes::{Avx2, Avx512, Quad};
    blocks!(run, columns, rows, dst, stride,
        64: Avx512, 4, 4 6;
        32: Avx512, 2, 4 8 12;
        16: Avx512, 1, 4 8 16;
        8: Avx2, 1, 4 8;
        4: Quad, 1, 4 8;)
}

/// # Safety
/// As for `block`, and the machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(run: &Outer, columns: usize, rows: usize, dst: &mut [f32], stride: usize) {
    use super::lanes::{Avx2, Quad};
    blocks!(run, columns, rows, dst, stride, 16: Avx2, 2, 4; 8: Avx2, 1, 4 8; 4: Quad, 1, 4 8;)
}

/// # Safety
/// As for `block`.
#[cfg(target_arch = "aarch64")]
unsafe fn neon(run: &Outer, columns: usize, rows: usize, dst: &mut [f32], stride: usize) {
    use super::lanes::Quad;
    blocks!(run, columns, rows, dst, stride, 16: Quad, 4, 4; 8: Quad, 2, 4 8; 4: Quad, 1, 4 8;)
}

/// # Safety
/// As for `block`.
unsafe fn portable(run: &Outer, columns: usize, rows: usize, dst: &mut [f32], stride: usize) {
    blocks!(run, columns, rows, dst, stride, 8: Portable, 2, 4; 4: Portable, 1, 4 8;)
}

/// Adds a block of C input channels by V registers of output channels.
///
/// # Safety
/// `dst` has room for the block, and the machine has the instructions of `L`.
#[inline(always)]
unsafe fn block<L: Lanes, const C: usize, const V: usize>(run: &Outer, dst: &mut [f32], stride: usize) {
    let own = dst.as_mut_ptr();
    // SAFETY: `dst` has room for the block.
    let mut sums = [unsafe { load::<L, V>(own) }; C];
    for (c, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the same.
        *sums = unsafe { load::<L, V>(own.add(c * stride)) };
    }
    let [mut image, mut y] = [run.lines.start / run.height, run.lines.start % run.height];
    for _ in run.lines.clone() {
        if run.rows.contains(&y) {
            let left = run.left.line(image, y, run.count, C);
            let right = run.right.line(image, y, run.count, V * L::WIDTH);
            // SAFETY: `line` has checked that all pixels of the line lie within the slices.
            unsafe {
                let mut left = run.left.values.as_ptr().add(left);
                let mut right = run.right.values.as_ptr().add(right);
                for _ in 0..run.count {
                    let factors = load::<L, V>(right);
                    for (c, sums) in sums.iter_mut().enumerate() {
                        let value = L::splat(*left.add(c));
                        for v in 0..V {
                            sums[v] = sums[v].fma(value, factors[v]);
                        }
                    }
                    left = left.wrapping_add(run.left.strides[2]);
                    right = right.wrapping_add(run.right.strides[2]);
                }
            }
        }
        y += 1;
        if y == run.height {
            (image, y) = (image + 1, 0);
        }
    }
    for (c, sums) in sums.iter().enumerate() {
        for (v, sum) in sums.iter().enumerate() {
            // SAFETY: `dst` has room for the block.
            unsafe { sum.store(own.add(c * stride + v * L::WIDTH)) };
        }
    }
}
