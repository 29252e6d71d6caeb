//! Training data: patches of waves with their true stiffness.
//!
//! A data set is a folder of safetensors files, one per [`Split`]: `train.safetensors`,
//! `validation.safetensors` and, optionally, `test.safetensors`. Each file holds
//!
//! | tensor | type | shape | content |
//! |---|---|---|---|
//! | `input` | F32 | `[N, 2, H, W]` | real and imaginary part of the wave; 0 outside the object |
//! | `truth` | F32 | `[N, 1, H, W]` | stiffness in kPa |
//! | `mask` | U8 or F32 | `[N, 1, H, W]` | weights of the pixels in the loss, 0 or more; all 1 if absent |
//!
//! and free metadata (named strings) about its origin. N is 1 or more, and every value is finite. Other tensors
//! are ignored. NumPy and PyTorch write such a file with `save_file` of safetensors; [`PatchWriter`] writes it
//! patch by patch.
//!
//! Files are memory-mapped, so they may be larger than the memory. Do not write into a file in use; replace it
//! with a new one.
//!
//! A data set can also be a set made by `palpate simulate`. [`SetImages`] maps the images of one split into
//! memory, and [`Cuttings`] cuts new patches from them in each epoch.
//!
//! [`Patches::gather`] reads patches and [`augment`] varies them. Both depend only on a seed and the position in the
//! training. No state is kept, so a resumed training sees the same data as an uninterrupted one.

mod arrays;
mod augment;
#[cfg(feature = "simulation")]
mod cut;
#[cfg(feature = "simulation")]
mod images;
#[cfg(feature = "files")]
mod map;
mod normalise;
#[cfg(feature = "simulation")]
mod organs;
#[cfg(feature = "files")]
mod read;
#[cfg(feature = "files")]
mod write;

pub use arrays::PatchArrays;
pub use augment::{Augmentation, Draw, PatchMut, augment, check};
#[cfg(feature = "simulation")]
pub use images::{Cuttings, Image, SetImages, is_set};
pub use normalise::{FAINTEST, Normalisation};
#[cfg(feature = "simulation")]
pub use organs::{Organ, Organs};
#[cfg(feature = "files")]
pub use read::Patches;
#[cfg(feature = "files")]
pub use write::PatchWriter;

use crate::error::Result;
use crate::size::Size;
use std::path::{Path, PathBuf};

/// Minimum share of a patch inside the object (Iftikhar, Ahmad, Kolipaka 2025, §2.2).
pub const INSIDE: f64 = 0.5;

/// The least share of a pixel of the surroundings inside the object for which the pixel has a value.
pub const LEAST_COVER: f32 = 0.3;

/// A source of patches, before augmentation and normalisation.
#[expect(clippy::len_without_is_empty, reason = "there is always a patch")]
pub trait PatchSource: Sync {
    /// Number of patches in an epoch, 1 or more.
    fn len(&self) -> u32;

    /// The size of a patch.
    fn size(&self) -> Size;

    /// The origin of the patches, in one line.
    fn about(&self) -> String;

    /// The sides of a pixel of each view of the surroundings, in pixels of a patch: 3 for means over 3 × 3 pixels, in as
    /// many pixels as the patch has. Empty if the patches have no surroundings.
    fn scales(&self) -> &[usize] {
        &[]
    }

    /// Copies the patches of `draws`, in this order, into `to`.
    ///
    /// # Errors
    /// The errors of [`Patches::gather`]. Patches cut from images give [`Error::Data`](crate::Error::Data) if a
    /// value is not finite.
    fn gather(&self, draws: &[Draw], to: &mut PatchArrays) -> Result<()>;
}

#[cfg(feature = "files")]
impl PatchSource for Patches {
    fn len(&self) -> u32 {
        self.len()
    }

    fn size(&self) -> Size {
        self.size()
    }

    fn about(&self) -> String {
        let said = self.metadata().iter().map(|(key, value)| format!("{key}: {value}"));
        said.collect::<Vec<_>>().join(", ")
    }

    fn gather(&self, draws: &[Draw], to: &mut PatchArrays) -> Result<()> {
        let indices: Vec<u32> = draws.iter().map(|draw| draw.patch).collect();
        self.gather(&indices, to.input, to.truth, to.mask)
    }
}

/// The purpose of a file's patches. No object should have patches in two splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The weights are fitted to these patches.
    Train,
    /// These patches decide when to stop, and which settings are best.
    Validation,
    /// These patches are used once, at the end.
    Test,
}

impl Split {
    /// The split's name.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "training",
            Split::Validation => "validation",
            Split::Test => "testing",
        }
    }

    /// The split of phantom `number` of a family, counted from 0.
    pub fn of(number: usize) -> Self {
        match number % 10 {
            8 => Split::Validation,
            9 => Split::Test,
            _ => Split::Train,
        }
    }

    /// The split's file in a data set's folder.
    ///
    /// ```
    /// # use palpate::lowlevel::patches::Split;
    /// assert_eq!(Split::Train.path("data"), std::path::Path::new("data/train.safetensors"));
    /// ```
    pub fn path(self, folder: impl AsRef<Path>) -> PathBuf {
        folder.as_ref().join(match self {
            Split::Train => "train.safetensors",
            Split::Validation => "validation.safetensors",
            Split::Test => "test.safetensors",
        })
    }
}
