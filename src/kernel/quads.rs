//! How native forms see tensors: the quads of a pixel, four channels each.

use crate::plan::Place;
use crate::processor::Team;

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

/// Applies `f` to the channels of two quads.
#[inline]
pub(crate) fn zip(a: Quad, b: Quad, f: impl Fn(f32, f32) -> f32) -> Quad {
    std::array::from_fn(|c| f(a[c], b[c]))
}
