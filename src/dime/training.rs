//! The data of a DIME training, and the metadata that follow from them.

use super::{Model, MseTv, Surroundings, Views};
use crate::error::{Error, Result};
use crate::nn::{Channels, Unet};
use crate::patches::{
    Augmentation, Cuttings, Draw, Normalisation, PatchArrays, PatchSource, Patches, SetImages, Split,
    augment, check, is_set,
};
use crate::size::Size;
use crate::train::{Checkpoint, DataSummary, Request, Source, Subset, TrainSettings, Training};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The settings of a DIME training.
pub type DimeTrainSettings = TrainSettings<MseTv, PatchSettings>;
/// A DIME training.
pub type DimeTraining = Training<Unet, MseTv, TrainingData>;
/// A checkpoint of a DIME training.
pub type DimeCheckpoint = Checkpoint<Unet, MseTv, PatchSettings>;

/// The processing of patches in a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PatchSettings {
    /// Variations of the patches, applied in order each time that a patch is seen.
    pub augmentations: Vec<Augmentation>,
    /// The normalisation, in training and later in use.
    #[serde(default)]
    pub normalisation: Normalisation,
    /// The sides of a pixel of each view of the surroundings, in pixels of a patch; see [`Surroundings`]. Empty if the
    /// network sees the patch alone.
    #[serde(default, skip_serializing_if = "Surroundings::is_empty")]
    pub surroundings: Surroundings,
}

/// Patches to train on and to validate with.
pub struct TrainingData {
    train: Box<dyn PatchSource>,
    validation: Box<dyn PatchSource>,
    /// The metadata of the trained network, if the data state them.
    model: Option<Model>,
    /// The reason why there is no model.
    doubt: Option<String>,
    /// True if patches are cut from images. Each patch then has its own scale.
    cut: bool,
}

/// The cutting of patches from images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutting {
    /// Rows and columns of a patch.
    pub patch: usize,
    /// Number of patches in an epoch.
    pub patches: u32,
    /// Number of patches for validation. They are the same in all epochs.
    pub validation_patches: u32,
}

impl Default for Cutting {
    fn default() -> Self {
        Self { patch: 30, patches: 25_000, validation_patches: 5_000 }
    }
}

impl TrainingData {
    /// Opens one folder of patches, or simulated sets from which patches are cut.
    ///
    /// # Errors
    /// [`Error::Usage`] for folders that do not fit together, or augmentations that need images. All errors of
    /// [`Patches::open`] and [`SetImages::open`].
    pub fn open(folders: &[PathBuf], cutting: Cutting, settings: &PatchSettings) -> Result<Self> {
        settings.surroundings.check()?;
        let sets = folders.iter().filter(|f| is_set(f)).count();
        match folders {
            [folder] if sets == 0 => {
                let images = |a: &&Augmentation| {
                    use Augmentation::{Organs, Texture, Zoom};
                    matches!(a, Zoom { .. } | Texture { .. } | Organs { .. })
                };
                if !settings.surroundings.is_empty() {
                    return Err(Error::Usage(format!(
                        "views of the surroundings need whole images, but {} holds patches; leave them out, or use a \
                         simulated set",
                        folder.display()
                    )));
                }
                if let Some(one) = settings.augmentations.iter().find(images) {
                    return Err(Error::Usage(format!(
                        "augmentation {one:?} needs whole images, but {} holds patches; leave it out, or use a \
                         simulated set",
                        folder.display()
                    )));
                }
                Self::patches(folder)
            }
            _ if sets == folders.len() && sets > 0 => Self::sets(folders, cutting, settings),
            _ => Err(Error::Usage(
                "the data of a training are one folder of patches, or one or more simulated sets; not both, and not \
                 several folders of patches"
                    .into(),
            )),
        }
    }

    fn patches(folder: &Path) -> Result<Self> {
        let [train, validation] = [Split::Train, Split::Validation].map(|split| split.path(folder));
        let patches = [Patches::open(&train)?, Patches::open(&validation)?];
        let [size, other] = [patches[0].size(), patches[1].size()];
        if size != other {
            let what = format!("has patches of {other}, but {} has patches of {size}", train.display());
            return Err(Error::file(validation, what));
        }
        let said = match Model::from_metadata(patches[0].metadata()) {
            Ok(model) if size != Size::square(model.patch) => {
                Err(format!("says patch = {} in its metadata, but holds patches of {size}", model.patch))
            }
            said => said,
        };
        let doubt = said.as_ref().err().map(|what| {
            format!(
                "{} {what}. Weights trained on it work with `palpate forward`, but `palpate invert` will refuse them",
                train.display()
            )
        });
        let [train, validation] = patches.map(|p| Box::new(p) as Box<dyn PatchSource>);
        Ok(Self { train, validation, model: said.ok(), doubt, cut: false })
    }

    fn sets(folders: &[PathBuf], cutting: Cutting, settings: &PatchSettings) -> Result<Self> {
        let Cutting { patch, patches, validation_patches } = cutting;
        let counts = [
            ("patch", patch),
            ("patches", patches as usize),
            ("validation_patches", validation_patches as usize),
        ];
        if let Some((name, value)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::setting(name, value, "it must be 1 or more"));
        }
        let [seen, held] =
            [SetImages::open(folders, Split::Train)?, SetImages::open(folders, Split::Validation)?];
        let [pixel_mm, frequency_hz, density] = seen.physics();
        let model = Model {
            forward_model: seen.forward_model().into(),
            normalisation: Default::default(),
            views: Default::default(),
            surroundings: settings.surroundings.clone(),
            mixing: Model::MIXING,
            patch,
            pixel_mm,
            frequency_hz,
            density,
            trained_on: seen.describe(),
            calibration: None,
            usual: None,
        };
        let scales = settings.surroundings.scales();
        Ok(Self {
            train: Box::new(Cuttings::new(seen, patch, patches, scales, &settings.augmentations)),
            validation: Box::new(Cuttings::new(held, patch, validation_patches, scales, &[])),
            model: Some(model),
            doubt: None,
            cut: true,
        })
    }

    /// The reason why weights trained on these data will lack metadata, if they will.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// The default normalisation: that in the metadata, and [`Normalisation::Patch`] for patches cut from images.
    pub fn normalisation(&self) -> Normalisation {
        match &self.model {
            _ if self.cut => Normalisation::Patch,
            Some(model) => model.normalisation,
            None => Normalisation::None,
        }
    }

    /// The metadata of the trained network, if the data state them. Normalisation and views are not set yet.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }
}

impl Source for TrainingData {
    type Settings = PatchSettings;

    fn summary(&self) -> DataSummary {
        DataSummary {
            train: self.train.len(),
            validation: self.validation.len(),
            size: self.train.size(),
            about: self.train.about(),
        }
    }

    fn channels(&self) -> Channels {
        let around = 2 * self.train.scales().len();
        Channels { inputs: [2, around].into_iter().filter(|channels| *channels > 0).collect(), output: 1 }
    }

    fn check(&self, settings: &PatchSettings) -> Result<()> {
        check(&settings.augmentations)?;
        if self.cut && settings.normalisation == Normalisation::None {
            let allowed = "patches cut from images must be normalised, because their unit is not that of measured \
                           waves";
            return Err(Error::setting("normalisation", Normalisation::None.name(), allowed));
        }
        Ok(())
    }

    fn batch(&self, settings: &PatchSettings, request: Request, into: &mut [&mut [f32]]) -> Result<()> {
        let arrays = into.len();
        let (input, surroundings, truth, mask) = match into {
            [input, truth, mask] => (input, &mut [][..], truth, mask),
            [input, surroundings, truth, mask] => (input, &mut **surroundings, truth, mask),
            _ => {
                return Err(Error::Usage(format!(
                    "patches have an input, maybe surroundings, a truth and a mask, not {arrays} arrays"
                )));
            }
        };
        let Request { subset, seed, epoch, samples } = request;
        let draws: Vec<_> = samples.iter().map(|&patch| Draw { seed, epoch, patch }).collect();
        let varied = subset == Subset::Train;
        let source = if varied { &self.train } else { &self.validation };
        let mut arrays = PatchArrays { input, surroundings, truth, mask };
        source.gather(&draws, &mut arrays)?;
        for (draw, mut patch) in draws.into_iter().zip(arrays.each(source.size(), source.scales())) {
            if varied {
                augment(&settings.augmentations, draw, &mut patch);
            }
            settings.normalisation.apply(&mut patch);
        }
        Ok(())
    }

    fn metadata(&self, settings: &PatchSettings) -> BTreeMap<String, String> {
        let normalisation = settings.normalisation;
        let views = Views::learned(&settings.augmentations);
        let surroundings = settings.surroundings.clone();
        let model =
            self.model.as_ref().map(|model| Model { normalisation, views, surroundings, ..model.clone() });
        model.map_or_else(BTreeMap::new, |model| model.to_metadata())
    }

    fn describe(metadata: &BTreeMap<String, String>, steps: &str) -> String {
        let of = |key: &str| metadata.get(key).map_or("unknown", String::as_str);
        format!("{}, {steps} steps on {}", of("forward_model"), of("trained_on"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checkpoints and metadata of earlier versions have these keys in one flat object.
    #[test]
    fn settings_are_one_flat_object() {
        let text = r#"{"batch":64,"epochs":16,"learning_rate":0.0015,"decay":0.8,"decay_every":20,"schedule":"cosine",
            "patience":30,"total_variation":0.01,"weight_decay":0.0,"clip":0.0,"seed":18446744073709551615,
            "augmentations":["flips",{"noise":{"most":0.3}}],"normalisation":"patch"}"#;
        let settings: DimeTrainSettings = serde_json::from_str(text).unwrap();
        let source = PatchSettings {
            augmentations: vec![Augmentation::Flips, Augmentation::Noise { most: 0.3 }],
            normalisation: Normalisation::Patch,
            surroundings: Surroundings::default(),
        };
        assert_eq!((settings.learning_rate, settings.seed, &settings.source), (1.5e-3, u64::MAX, &source));
        assert_eq!(settings.objective, MseTv { total_variation: 0.01 });
        let written = serde_json::to_value(&settings).unwrap();
        let before: serde_json::Value = serde_json::from_str(text).unwrap();
        for key in before.as_object().unwrap().keys() {
            assert!(written.get(key).is_some(), "{key}");
        }
        let again = serde_json::to_string(&settings).unwrap();
        assert!(again.contains(r#""total_variation":0.01,"augmentations":["flips",{"noise":{"most":0.3}}]"#));
        assert_eq!(serde_json::from_str::<DimeTrainSettings>(&again).unwrap(), settings);
    }

    #[test]
    fn a_negative_factor_is_refused() {
        let error = crate::train::Objective::check(&MseTv { total_variation: -1.0 }).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "total_variation", .. }), "{error}");
    }
}
