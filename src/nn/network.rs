//! The trait of all networks that can be trained, saved and run.

use super::layout::{EntryKind, LayoutEntry, ParameterLayout, Registered};
use crate::error::{Error, Result};
use crate::size::Size;
use crate::tape::{Tape, Var};
use safetensors::tensor::SafeTensors;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Settings that a checkpoint or a file of weights stores as JSON.
pub trait Stored: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static> Stored for T {}

/// The two uses of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkMode {
    /// The network learns: batch statistics, running statistics updated, dropout.
    Train,
    /// The network is applied: running statistics, no dropout.
    Infer,
}

/// The numbers of channels of the images that go into a network, and of those that come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Those of each input, 1 or more. All inputs have the same number of images, of the same size.
    pub inputs: Vec<usize>,
    /// Those of the output.
    pub output: usize,
}

impl std::fmt::Display for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let inputs: Vec<_> = self.inputs.iter().map(usize::to_string).collect();
        write!(f, "{} channels in and {} out", inputs.join(" and "), self.output)
    }
}

/// A network: its settings, the layout of its parameters, and its operations.
pub trait Network: Clone + Debug + Send + Sync + 'static {
    /// The settings that determine the network.
    type Settings: Stored;

    /// Creates the network of `settings`.
    ///
    /// # Errors
    /// [`Error::Setting`] or [`Error::Usage`] for settings that no network can have.
    fn new(settings: Self::Settings) -> Result<Self>;

    /// The settings.
    fn settings(&self) -> &Self::Settings;

    /// Names, shapes and places of the parameters and of the state.
    fn layout(&self) -> &ParameterLayout;

    /// Describes the network in a few words.
    fn describe(&self) -> String {
        format!("network of {} parameters", self.layout().learned())
    }

    /// The channels of its inputs and of its output. By default there is one input, and they are those of the first and
    /// of the last convolution in the layout.
    ///
    /// # Panics
    /// If the layout has no convolution.
    fn channels(&self) -> Channels {
        let of = |entry: &LayoutEntry| match entry.kind {
            EntryKind::Weights(_, channels) => Some(channels),
            _ => None,
        };
        let mut all = self.layout().parameters.iter().filter_map(of);
        let first = all.next().expect("a network has a convolution");
        Channels { inputs: vec![first[0]], output: all.next_back().unwrap_or(first)[1] }
    }

    /// Checks the size of an image.
    ///
    /// # Errors
    /// [`Error::Data`] with the smallest size.
    fn check_size(&self, _size: Size) -> Result<()> {
        Ok(())
    }

    /// Puts the network on `tape` for `inputs`, and returns its output `[n, h, w, channels]`. The inputs are those of
    /// [`Network::channels`], in that order, each `[n, h, w, channels]`. `registered` is the result of
    /// [`ParameterLayout::register`].
    ///
    /// # Errors
    /// [`Error::Data`] if the images are too small, [`Error::Usage`] if the inputs are of another number, or of other
    /// channels.
    fn forward(
        &self,
        tape: &mut Tape,
        registered: &Registered,
        inputs: &[Var],
        mode: NetworkMode,
    ) -> Result<Var>;

    /// Reads the settings from a file's tensors and `metadata`, and removes the entries that it reads. By default they
    /// are JSON under the key `network`.
    ///
    /// # Errors
    /// A sentence about the file, without a subject.
    fn read_settings(
        _tensors: &SafeTensors,
        metadata: &mut BTreeMap<String, String>,
    ) -> Result<Self::Settings, String> {
        let json = metadata.remove(SETTINGS).ok_or_else(|| {
            format!("does not state '{SETTINGS}' in its metadata, so the network's settings are unknown")
        })?;
        serde_json::from_str(&json).map_err(|e| format!("states '{SETTINGS}' of another network ({e})"))
    }

    /// The metadata from which [`Network::read_settings`] reads the settings.
    ///
    /// # Errors
    /// [`Error::Data`] if the settings cannot be written as JSON.
    fn settings_metadata(&self) -> Result<BTreeMap<String, String>> {
        let json = serde_json::to_string(self.settings())
            .map_err(|e| Error::Data(format!("the network's settings cannot be written as JSON: {e}")))?;
        Ok([(SETTINGS.into(), json)].into())
    }

    /// Reports whether a file may hold the tensor `name` although the network does not use it.
    fn ignores(&self, _name: &str) -> bool {
        false
    }
}

/// The key in metadata for the settings of a network.
const SETTINGS: &str = "network";
