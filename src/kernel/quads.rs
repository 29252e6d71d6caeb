//! How native forms see tensors: the quads of a pixel, four channels each, or its channels as floats.

use crate::plan::Place;
use crate::processor::Team;
use std::ops::Range;

/// Four channels of one pixel.
pub(crate) type Quad = [f32; 4];

impl Place {
    /// The `quads` quads of pixel `i`.
    #[inline]
    pub(crate) fn of(self, src: &[Quad], i: usize, quads: usize) -> &[Quad] {
        let start = self.first as usize + i * self.pitch as usize;
        &src[start..start + quads]
    }

    /// Calls `work` with the number and the `quads` quads of each of the first `count` pixels in `dst`.
    pub(crate) fn each(
        self,
        team: &Team,
        dst: &mut [Quad],
        [count, quads]: [usize; 2],
        work: impl Fn(usize, &mut [Quad]) + Sync,
    ) {
        let [start, pitch] = [self.first, self.pitch].map(|n| n as usize);
        if count == 0 || quads == 0 {
            return;
        }
        let dst = &mut dst[start..start + (count - 1) * pitch + quads];
        team.split(
            dst,
            pitch,
            #[inline(always)]
            |first, part| {
                for (i, pixel) in part.chunks_mut(pitch).enumerate() {
                    work(first + i, &mut pixel[..quads]);
                }
            },
        );
    }
}

/// Pixels of one strip. A strip of several tensors fits the fastest cache.
pub(crate) const STRIP: usize = 64;

/// Tensors as floats.
impl Place {
    /// The first channel of pixel `i`.
    #[inline]
    pub(crate) fn at(self, i: usize) -> usize {
        4 * (self.first as usize + i * self.pitch as usize)
    }

    /// The distance from one pixel to the next.
    #[inline]
    pub(crate) fn step(self) -> usize {
        4 * self.pitch as usize
    }

    /// Calls `work` with the number and the pixels of each row of `dst`, `w` of the first `count` pixels. A row's last
    /// pixel need not have what lies behind its `quads` quads.
    pub(crate) fn rows(
        self,
        team: &Team,
        dst: &mut [f32],
        [count, quads]: [usize; 2],
        w: usize,
        work: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        if count == 0 {
            return;
        }
        let row = w * self.step();
        team.split(
            &mut dst[self.at(0)..self.at(count - 1) + 4 * quads],
            row,
            #[inline(always)]
            |first, part| {
                for (i, pixels) in part.chunks_mut(row).enumerate() {
                    work(first + i, pixels);
                }
            },
        );
    }

    /// Calls `work` for strips of at most [`STRIP`] of the first `count` pixels in `dst`: with the number of the group,
    /// the numbers of the pixels, and the pixels. A group is `run` pixels, and strips end with their group. The number
    /// of threads decides where strips begin, so a value must not depend on the others of its strip.
    pub(crate) fn strips(
        self,
        team: &Team,
        dst: &mut [f32],
        [count, quads]: [usize; 2],
        run: usize,
        work: impl Fn(usize, Range<usize>, &mut [f32]) + Sync,
    ) {
        if count == 0 {
            return;
        }
        let step = self.step();
        team.split(
            &mut dst[self.at(0)..self.at(count - 1) + 4 * quads],
            step,
            #[inline(always)]
            |first, mut part| {
                let (mut pixel, end) = (first, first + part.len().div_ceil(step));
                while pixel < end {
                    let group = pixel / run;
                    let next = end.min((group + 1) * run).min(pixel + STRIP);
                    let (strip, rest) = part.split_at_mut(((next - pixel) * step).min(part.len()));
                    work(group, pixel..next, strip);
                    (pixel, part) = (next, rest);
                }
            },
        );
    }
}

/// `L` channels from index `at` on.
#[inline(always)]
pub(crate) fn load<const L: usize>(src: &[f32], at: usize) -> [f32; L] {
    src[at..at + L].try_into().expect("as many channels")
}

/// Stores `L` channels at index `at`.
#[inline(always)]
pub(crate) fn store<const L: usize>(dst: &mut [f32], at: usize, values: [f32; L]) {
    dst[at..at + L].copy_from_slice(&values);
}

/// The values of `f` for `L` channels. A loop over whole arrays, without memory in between, becomes vector instructions.
#[inline(always)]
pub(crate) fn channels<const L: usize>(f: impl Fn(usize) -> f32) -> [f32; L] {
    let mut values = [0.0; L];
    for (c, value) in values.iter_mut().enumerate() {
        *value = f(c);
    }
    values
}

/// Leaky ReLU, as a product, because a choice between constants needs no branch.
#[inline(always)]
pub(crate) fn leaky(z: f32, slope: f32) -> f32 {
    z * leaky_derivative(z, slope)
}

/// The derivative of Leaky ReLU. At 0 it is the slope.
#[inline(always)]
pub(crate) fn leaky_derivative(z: f32, slope: f32) -> f32 {
    if z > 0.0 { 1.0 } else { slope }
}

/// Repeats a block for all channels of `quads` quads: `L` channels from channel `from` on, 16 as long as there are that
/// many, and then the rest. `L` is a constant, so that arrays of `L` channels stay in registers.
macro_rules! lanes {
    ($quads:expr, |$from:ident, $L:ident| $body:block) => {{
        let (mut from, end) = (0, 4 * $quads);
        while end - from >= 16 {
            const $L: usize = 16;
            let $from = from;
            $body
            from += 16;
        }
        let $from = from;
        match end - from {
            12 => {
                const $L: usize = 12;
                $body
            }
            8 => {
                const $L: usize = 8;
                $body
            }
            4 => {
                const $L: usize = 4;
                $body
            }
            _ => {}
        }
    }};
}
pub(crate) use lanes;

/// Applies `f` to the channels of two quads.
#[inline]
pub(crate) fn zip(a: Quad, b: Quad, f: impl Fn(f32, f32) -> f32) -> Quad {
    std::array::from_fn(|c| f(a[c], b[c]))
}
