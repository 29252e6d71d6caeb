//! The buffers and the texture that a host lends to an inversion.

use crate::device::{Buffer, Texture};
use crate::error::{Error, Result};
use crate::kernel::mre::colour::{self, Colouring};
use crate::plan::{Buf, Recorder, Tex};
use crate::size::Size;

/// A host's own buffers and texture, for [`Mmdi::embedded`](crate::Mmdi::embedded) and
/// [`Dime::embedded`](crate::Dime::embedded). `M` names the maps of the inversion. On the processor, they are
/// [`Memory`](crate::Memory), which needs no usage.
pub struct Host<M> {
    /// f32 `[frames][ny][nx]`, finite inside the mask, `STORAGE`.
    pub frames: Buffer,
    /// f32 `[ny][nx]`, inside where above 0, `STORAGE`.
    pub mask: Buffer,
    /// f32 `[map][ny][nx]` for the result, in the order of `M`, `STORAGE`.
    pub maps: Buffer,
    /// An rgba8unorm texture of `nx` × `ny` with `STORAGE_BINDING`, and how one map is coloured into it.
    pub picture: Option<(Texture, Colouring<M>)>,
}

/// The same in a plan.
pub(crate) struct Lent<M> {
    pub frames: Buf,
    pub mask: Buf,
    pub maps: Buf,
    picture: Option<(Tex, Colouring<M>)>,
}

impl<M> Host<M> {
    /// Lends everything to a plan for images of `size`, with this number of frames and of maps.
    ///
    /// # Errors
    /// [`Error::Usage`] if a buffer or texture is too small, not for storage, or used twice, or if the colour range is
    /// invalid.
    pub(crate) fn lend(self, rec: &mut Recorder, size: Size, frames: usize, maps: usize) -> Result<Lent<M>> {
        if self.maps == self.frames || self.maps == self.mask {
            let what =
                "the host's buffer for 'maps' is also its 'frames' or 'mask'; give 'maps' one of its own";
            return Err(Error::Usage(what.into()));
        }
        if let Some((Texture::Memory(texels, _), _)) = &self.picture
            && [&self.frames, &self.mask, &self.maps].iter().any(|own| own.memory() == Some(texels))
        {
            let what = "the host's memory for 'picture' is also its 'frames', 'mask' or 'maps'; give 'picture' one of \
                        its own";
            return Err(Error::Usage(what.into()));
        }
        let n = size.pixels();
        let picture = match self.picture {
            None => None,
            Some((_, Colouring { low, high, .. })) if !(low < high && (high - low).is_finite()) => {
                return Err(Error::Usage(format!(
                    "colours run from {low} to {high}; the first must be below the second, and both must be finite"
                )));
            }
            Some((view, how)) => Some((rec.external_texture("picture", size, view)?, how)),
        };
        Ok(Lent {
            frames: rec.external::<f32>("frames", frames * n, self.frames)?,
            mask: rec.external::<f32>("mask", n, self.mask)?,
            maps: rec.external::<f32>("maps", maps * n, self.maps)?,
            picture,
        })
    }
}

impl<M: Into<usize>> Lent<M> {
    /// Records the colouring of the picture, if there is one.
    pub fn colour(self, rec: &mut Recorder, size: Size) {
        if let Some((picture, how)) = self.picture {
            rec.stage("picture");
            colour::record(rec, [self.maps, self.mask], picture, size, how);
        }
    }
}
