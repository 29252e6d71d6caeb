//! Sources: the data of a training, batch by batch.

use crate::error::Result;
use crate::nn::{Channels, Stored};
use crate::size::Size;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The samples to train on, or those to validate with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// The parameters are fitted to these samples. They may be varied at random.
    Train,
    /// The loss of these samples decides which epoch is the best. They must be the same in each epoch.
    Validation,
}

/// The samples of one batch.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The subset that the samples belong to.
    pub subset: Subset,
    /// The training's seed. Random numbers must depend only on seed, epoch and sample. A resumed training then sees the
    /// same data as an uninterrupted one.
    pub seed: u64,
    /// The epoch, from 0; 0 for validation.
    pub epoch: u32,
    /// The numbers of the samples in their subset, from 0.
    pub samples: &'a [u32],
}

/// A description of a training's data. A training is resumed only with equal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Number of samples in an epoch.
    pub train: u32,
    /// Number of samples for validation.
    pub validation: u32,
    /// The size of an image. Checkpoints state it as the `shape`: rows and columns.
    #[serde(rename = "shape", with = "crate::size::rows_first")]
    pub size: Size,
    /// The origin of the samples, in one line.
    #[serde(default)]
    pub about: String,
}

/// The source of the batches of a training.
pub trait Source: Sync {
    /// The settings of the source that belong to the training, such as augmentations.
    type Settings: Stored;

    /// Describes the data.
    fn summary(&self) -> DataSummary;

    /// The channels that the samples have for the inputs of the network, and for its output. They must be those of the
    /// network.
    fn channels(&self) -> Channels;

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) or [`Error::Usage`](crate::Error::Usage) that names the setting.
    fn check(&self, _settings: &Self::Settings) -> Result<()> {
        Ok(())
    }

    /// Writes the samples of `request` into `into`: the network's inputs, then those of the objective. Each is
    /// `[samples, channels, h, w]` and holds zeros. A thread calls this while the device computes.
    ///
    /// # Errors
    /// Errors of reading the data.
    fn batch(&self, settings: &Self::Settings, request: Request, into: &mut [&mut [f32]]) -> Result<()>;

    /// Metadata for the trained weights that follow from the data and the settings.
    fn metadata(&self, _settings: &Self::Settings) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Describes earlier training of `steps` steps by the metadata that it wrote.
    fn describe(_metadata: &BTreeMap<String, String>, steps: &str) -> String {
        format!("{steps} steps")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_state_the_shape_as_rows_and_columns() {
        let summary = DataSummary { train: 9, validation: 2, size: Size::new(40, 30), about: "it".into() };
        let text = r#"{"train":9,"validation":2,"shape":[30,40],"about":"it"}"#;
        assert_eq!(serde_json::to_string(&summary).unwrap(), text);
        assert_eq!(serde_json::from_str::<DataSummary>(text).unwrap(), summary);
    }
}
