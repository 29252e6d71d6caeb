//! Training data: patches of waves with the stiffness that belongs to them.
//!
//! A data set is a folder of safetensors files, one for each [`Split`]: `train.safetensors`,
//! `validation.safetensors` and, where there is one, `test.safetensors`. Each holds
//!
//! | tensor | type | shape | content |
//! |---|---|---|---|
//! | `input` | F32 | `[N, 2, H, W]` | real and imaginary part of the wave; 0 outside the object |
//! | `truth` | F32 | `[N, 1, H, W]` | stiffness in kPa |
//! | `mask` | U8 or F32 | `[N, 1, H, W]` | weights of the pixels in the loss, 0 or more; without it, all are 1 |
//!
//! and free-form metadata (texts by name) that say where it comes from. N is 1 or more, every value finite.
//! Other tensors are ignored. NumPy and PyTorch write such a file with safetensors' `save_file`;
//! [`PatchWriter`] does it patch by patch. Files are memory-mapped, so they may be larger than the memory; do
//! not write into one while it is used: put a new one in its place.
//!
//! Or it is a set that `palpate simulate` made, of which [`Images`] maps one split's images into memory and
//! [`Cuttings`] cuts patches, never the same twice.
//!
//! [`epoch_order`] shuffles, [`training_batches`] cuts, [`Patches::gather`] reads and [`augment`] varies
//! patches, all as a function of a seed and the place in the training alone: nothing is remembered, so
//! a resumed training sees what an uninterrupted one would have seen.

mod augment;
mod cut;
mod images;
mod map;
mod normalise;
mod order;
mod read;
mod write;

pub use augment::{Augmentation, Draw, PatchMut, augment, check};
pub use cut::INSIDE;
pub use images::{Cuttings, Image, Images, is_set};
pub use normalise::{FAINTEST, Normalisation};
pub use order::{epoch_order, training_batches};
pub use read::Patches;
pub use write::PatchWriter;

use crate::error::Result;
use std::path::{Path, PathBuf};

/// Where a training's patches come from.
#[expect(clippy::len_without_is_empty, reason = "there is always a patch")]
pub trait Source: Sync {
    /// Patches in an epoch, 1 or more.
    fn len(&self) -> u32;

    /// Rows and columns of a patch.
    fn shape(&self) -> [usize; 2];

    /// Where the patches come from, in a line.
    fn about(&self) -> String;

    /// Puts the patches of `draws`, in this order, into `input` (`[n, 2, h, w]`), `truth` and `mask` (`[n, 1, h, w]`).
    ///
    /// # Errors
    /// As of [`Patches::gather`].
    fn gather(&self, draws: &[Draw], input: &mut [f32], truth: &mut [f32], mask: &mut [f32]) -> Result<()>;
}

impl Source for Patches {
    fn len(&self) -> u32 {
        self.len()
    }

    fn shape(&self) -> [usize; 2] {
        self.shape()
    }

    fn about(&self) -> String {
        let said = self.metadata().iter().map(|(key, value)| format!("{key}: {value}"));
        said.collect::<Vec<_>>().join(", ")
    }

    fn gather(&self, draws: &[Draw], input: &mut [f32], truth: &mut [f32], mask: &mut [f32]) -> Result<()> {
        let indices: Vec<u32> = draws.iter().map(|draw| draw.patch).collect();
        self.gather(&indices, input, truth, mask)
    }
}

/// What a file's patches are for. No object should have patches in two splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Weights are fitted to these.
    Train,
    /// These say when to stop, and choose settings.
    Validation,
    /// These are looked at once, at the end.
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

    /// The split that phantom `number` of a family, from 0, belongs to.
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
    /// # use palpate::patches::Split;
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
