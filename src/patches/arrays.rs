//! The arrays of a batch of patches, in memory.

use super::PatchMut;
use crate::size::Size;

/// The arrays of a batch of n patches.
#[derive(Debug)]
pub struct PatchArrays<'a> {
    /// Real and imaginary part of the wave, `[n, 2, h, w]`.
    pub input: &'a mut [f32],
    /// The views of the surroundings, `[n, 2 · views, h, w]`: real and imaginary part of each; empty if there are none.
    pub surroundings: &'a mut [f32],
    /// The modulus in kPa, `[n, 1, h, w]`.
    pub truth: &'a mut [f32],
    /// 1 inside the object, else 0, or other weights of the pixels in the loss, `[n, 1, h, w]`.
    pub mask: &'a mut [f32],
}

impl PatchArrays<'_> {
    /// Iterates over the patches, of `size`. `scales` are the sides of a pixel of each view of the surroundings, in
    /// pixels of the patch.
    pub fn each<'b>(&'b mut self, size: Size, scales: &'b [usize]) -> impl Iterator<Item = PatchMut<'b>> {
        // A patch without pixels gives no items: no slice has this length.
        let pixels = Some(size.pixels()).filter(|&n| n > 0).unwrap_or(usize::MAX / 2);
        let mut around = self.surroundings.chunks_exact_mut(2 * scales.len().max(1) * pixels);
        let inputs = self.input.chunks_exact_mut(2 * pixels);
        let maps = self.truth.chunks_exact_mut(pixels).zip(self.mask.chunks_exact_mut(pixels));
        inputs.zip(maps).map(move |(input, (truth, mask))| {
            let surroundings = around.next().unwrap_or_default();
            PatchMut { size, scales, input, surroundings, truth, mask }
        })
    }
}
