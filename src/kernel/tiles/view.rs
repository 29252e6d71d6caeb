//! The views of `kernels/lib/view.wgsl`, in native forms.

/// Returns the wave (re, im) later by the quarters of a period of `view`.
#[inline(always)]
pub(super) fn later(view: u32, [re, im]: [f32; 2]) -> [f32; 2] {
    let [re, im] = if view & 1 != 0 { [-im, re] } else { [re, im] };
    if view & 2 != 0 { [-re, -im] } else { [re, im] }
}

/// A row of a patch of the image, where the network sees it: at pixel `first + step * column` of its own patch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    first: isize,
    step: isize,
}

impl Seen {
    /// Row `row` of a patch of `side` rows and columns, in `view`.
    pub fn row(view: u32, row: usize, side: usize) -> Self {
        let [row, side] = [row as isize, side as isize];
        let row = if view & 8 != 0 { side - 1 - row } else { row };
        let (column, step) = if view & 4 != 0 { (side - 1, -1) } else { (0, 1) };
        if view & 16 != 0 {
            Self { first: column * side + row, step: step * side }
        } else {
            Self { first: row * side + column, step }
        }
    }

    /// The pixel at which the network sees column `column`.
    #[inline(always)]
    pub fn pixel(self, column: usize) -> usize {
        (self.first + self.step * column as isize) as usize
    }
}

/// The part of `first..first + side` that lies in `0..n`.
#[inline(always)]
pub(super) fn within(first: i32, side: usize, n: usize) -> std::ops::Range<usize> {
    let end = (first + side as i32).clamp(0, n as i32) as usize;
    (first.max(0) as usize).min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_end_with_the_image() {
        assert_eq!([-7, -2, 3, 8, 12].map(|first| within(first, 5, 10)), [0..0, 0..3, 3..8, 8..10, 10..10]);
    }
}
