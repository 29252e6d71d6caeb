//! Metadata of weights: a description of the training that made them.

use super::checkpoint::Progress;
use super::history::Epoch;
use super::objective::Objective;
use super::source::Source;
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// The key in metadata for the network that a training began with.
const BEGAN_WITH: &str = "began_with";

/// Describes the earlier training of a network by its metadata; `None` if there was none.
pub(super) fn earlier<S: Source>(metadata: &BTreeMap<String, String>) -> Option<String> {
    let steps = metadata.get("steps")?;
    let before = metadata.get(BEGAN_WITH).map_or(String::new(), |before| format!(", begun with {before}"));
    Some(format!("{}{before}", S::describe(metadata, steps)))
}

/// The metadata of the weights of `epoch`.
pub(super) fn metadata<W, O: Objective, S: Source>(
    data: &S,
    progress: &Progress<W, O, S::Settings>,
    epoch: &Epoch,
) -> Result<BTreeMap<String, String>> {
    let mut all = data.metadata(&progress.settings.source);
    all.extend(progress.began_with.clone().map(|before| (BEGAN_WITH.into(), before)));
    let settings = serde_json::to_string(&progress.settings)
        .map_err(|e| Error::Data(format!("the settings cannot be written as JSON: {e}")))?;
    all.insert("training_settings".into(), settings);
    all.insert("epoch".into(), epoch.epoch.to_string());
    all.insert("steps".into(), epoch.step.to_string());
    let first = progress.settings.objective.parts()[0].name;
    all.insert(format!("validation_{first}"), epoch.validation[first].to_string());
    all.insert("palpate".into(), env!("CARGO_PKG_VERSION").into());
    Ok(all)
}
