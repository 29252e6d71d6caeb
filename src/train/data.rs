//! What a training learns from, and what that makes of its network.

use crate::dime::Model;
use crate::error::{Error, Result};
use crate::patches::{Augmentation, Cuttings, Images, Normalisation, Patches, Source, Split, is_set};
use std::path::PathBuf;

/// Patches to train on and to validate with.
pub struct TrainingData {
    pub(super) train: Box<dyn Source>,
    pub(super) validation: Box<dyn Source>,
    /// What the network will have to be told by, where the data say it.
    model: Option<Model>,
    /// Why they do not, if they do not.
    doubt: Option<String>,
    /// Whether patches are cut from images, each scaled by itself.
    pub(super) cut: bool,
}

/// How patches are cut from images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutting {
    /// Rows and columns of a patch.
    pub side: usize,
    /// Patches of an epoch.
    pub train: u32,
    /// Patches to validate with: the same in all epochs.
    pub validation: u32,
}

impl Default for Cutting {
    fn default() -> Self {
        Self { side: 30, train: 25_000, validation: 5_000 }
    }
}

impl TrainingData {
    /// Opens one folder of patches, or sets of `palpate simulate` from which patches are cut as `cutting` says.
    ///
    /// # Errors
    /// [`Error::Usage`] for folders that do not go together or augmentations that patches cannot have, and what
    /// [`Patches::open`] and [`Images::open`] report.
    pub fn open(folders: &[PathBuf], cutting: Cutting, augmentations: &[Augmentation]) -> Result<Self> {
        let sets = folders.iter().filter(|f| is_set(f)).count();
        match folders {
            [folder] if sets == 0 => {
                let images = |a: &&Augmentation| {
                    matches!(a, Augmentation::Zoom { .. } | Augmentation::Texture { .. })
                };
                if let Some(one) = augmentations.iter().find(images) {
                    return Err(Error::Usage(format!(
                        "augmentation {one:?} wants whole images to cut patches from, and {} holds patches; leave \
                         it out, or give a set of `palpate simulate`",
                        folder.display()
                    )));
                }
                Self::patches(folder)
            }
            _ if sets == folders.len() && sets > 0 => Self::sets(folders, cutting, augmentations),
            _ => Err(Error::Usage(
                "--data names one folder of patches, or one or more sets that `palpate simulate --set` made; not \
                 both, nor several folders of patches"
                    .into(),
            )),
        }
    }

    fn patches(folder: &std::path::Path) -> Result<Self> {
        let [train, validation] = [Split::Train, Split::Validation].map(|split| split.path(folder));
        let patches = [Patches::open(&train)?, Patches::open(&validation)?];
        let [shape, other] = [patches[0].shape(), patches[1].shape()];
        if shape != other {
            let what = format!(
                "has patches of {} × {}, and {} of {} × {}",
                other[0],
                other[1],
                train.display(),
                shape[0],
                shape[1]
            );
            return Err(Error::file(validation, what));
        }
        let said = Model::from_metadata(patches[0].metadata());
        let said = match said {
            Ok(model) if shape != [model.patch; 2] => Err(format!(
                "says patch = {} in its metadata and holds patches of {} × {}",
                model.patch, shape[0], shape[1]
            )),
            said => said,
        };
        let doubt = said.as_ref().err().map(|what| {
            format!(
                "{} {what}. Weights trained on it serve `palpate forward`; `palpate invert` will refuse them",
                train.display()
            )
        });
        let [train, validation] = patches.map(|p| Box::new(p) as Box<dyn Source>);
        Ok(Self { train, validation, model: said.ok(), doubt, cut: false })
    }

    fn sets(folders: &[PathBuf], cutting: Cutting, augmentations: &[Augmentation]) -> Result<Self> {
        let Cutting { side, train, validation } = cutting;
        if side == 0 || train == 0 || validation == 0 {
            return Err(Error::Usage("patches have a pixel or more, and there is one or more".into()));
        }
        let [seen, held] = [Images::open(folders, Split::Train)?, Images::open(folders, Split::Validation)?];
        let [pixel_mm, frequency_hz, density] = seen.physics();
        let model = Model {
            forward_model: seen.forward_model().into(),
            normalisation: Default::default(),
            views: Default::default(),
            patch: side,
            pixel_mm,
            frequency_hz,
            density,
            trained_on: seen.describe(),
            calibration: None,
        };
        Ok(Self {
            train: Box::new(Cuttings::new(seen, side, train, augmentations)),
            validation: Box::new(Cuttings::new(held, side, validation, &[])),
            model: Some(model),
            doubt: None,
            cut: true,
        })
    }

    /// Why weights trained on these data will not say what they are, if so.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// How patches are to be normalised, if nothing else is said: as the data say, and each by itself where patches are
    /// cut from images.
    pub fn normalisation(&self) -> Normalisation {
        match &self.model {
            _ if self.cut => Normalisation::Patch,
            Some(model) => model.normalisation,
            None => Normalisation::None,
        }
    }

    /// What the network will say of itself, if the data tell: all but how its patches are normalised and
    /// shown.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }
}
