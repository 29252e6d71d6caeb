//! The choice of a form, as a pure function of the device, the table of measured choices, and the forms that the
//! qualification refused. It compiles, submits and measures nothing.

use super::{Form, Question, Tuning, Work};
use crate::error::{Error, Result};
use crate::kernel::nn::convolve::{Finish, Geometry};
use crate::plan::{Pipelines, Spec};
use crate::tensor::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Chooses among forms for one device. Cloning is cheap.
///
/// Without measurements it takes the form that a rule of thumb expects to be fastest. `proof::tune` measures the forms,
/// and `proof::qualify` refuses forms whose results are wrong on the device. Without the feature `proof`, only the rule
/// decides.
#[derive(Clone)]
pub struct Chooser {
    pipelines: Pipelines,
    /// The only form, if the caller insists on one.
    only: Option<Form>,
    /// The half-precision form of convolutions, which is tried before all others.
    half: Option<Form>,
    choices: Arc<Tuning>,
    /// Labels of specialisations that compute wrongly on this device, with the reasons.
    refused: Arc<BTreeMap<String, String>>,
}

impl Chooser {
    /// A chooser that decides by rule.
    pub fn new(pipelines: &Pipelines) -> Self {
        let (choices, refused) = Default::default();
        Self { pipelines: pipelines.clone(), only: None, half: None, choices, refused }
    }

    /// A chooser that insists on one form, for tests and benches.
    pub fn only(pipelines: &Pipelines, form: Form) -> Self {
        Self { only: Some(form), ..Self::new(pipelines) }
    }

    /// The same chooser with the measured `choices`. Where they have no answer, the rule decides.
    #[must_use]
    pub fn with_choices(&self, choices: Tuning) -> Self {
        Self { choices: Arc::new(choices), ..self.clone() }
    }

    /// The same chooser with convolutions in `form`, one of [`Form::in_half`].
    #[must_use]
    pub fn with_half(&self, form: Form) -> Self {
        Self { half: Some(form), ..self.clone() }
    }

    /// The same chooser without the forms that need one of these specialisations. The texts are the reasons.
    #[must_use]
    pub fn without(&self, refused: impl IntoIterator<Item = (Spec, String)>) -> Self {
        let mut all = (*self.refused).clone();
        all.extend(refused.into_iter().map(|(spec, why)| (spec.label(), why)));
        Self { refused: Arc::new(all), ..self.clone() }
    }

    /// The same chooser for other pipelines of the same device.
    #[must_use]
    pub fn on(&self, pipelines: &Pipelines) -> Self {
        Self { pipelines: pipelines.clone(), ..self.clone() }
    }

    /// The measured choices.
    pub fn choices(&self) -> &Tuning {
        &self.choices
    }

    /// The pipelines it chooses for.
    pub fn pipelines(&self) -> &Pipelines {
        &self.pipelines
    }

    /// A number of workgroups that keeps the device busy: 64 on software adapters, 1024 on GPUs.
    pub fn workgroups(&self) -> usize {
        // A software adapter has a thread per core. A GPU has some hundred units that hold several workgroups each.
        if self.pipelines.device().caps().software() { 64 } else { 1024 }
    }

    /// The form of a convolution from images `src` to `co` channels.
    ///
    /// # Errors
    /// [`Error::Kernel`] if every form was refused on this device.
    pub fn convolve(&self, geometry: Geometry, finish: Finish, src: Shape, co: usize) -> Result<Form> {
        let question = Question::new(Work::Convolution, geometry, src, co);
        self.answer(&question, &|form| form.convolves(geometry, finish))
    }

    /// The form of the weight gradient of a convolution from images `src` to `co` channels.
    ///
    /// # Errors
    /// [`Error::Kernel`] if every form was refused on this device.
    pub fn convolve_weights(&self, geometry: Geometry, src: Shape, co: usize) -> Result<Form> {
        let question = Question::new(Work::Weights, geometry, src, co);
        self.answer(&question, &|form| question.specs(form))
    }

    fn answer(&self, question: &Question, specs: &dyn Fn(Form) -> Vec<Spec>) -> Result<Form> {
        let candidates = self.candidates(question);
        let known = if self.half.is_some() { None } else { self.choices.form(question) };
        let known = known.filter(|form| candidates.contains(form));
        let mut failures = Vec::new();
        for form in known.into_iter().chain(candidates) {
            let labels = specs(form).into_iter().map(|spec| spec.label());
            match labels.into_iter().find_map(|label| self.refused.get_key_value(&label)) {
                None => return Ok(form),
                Some((label, why)) => failures.push(format!("{label}: {why}")),
            }
        }
        Err(Error::kernel(
            "convolve",
            format!("no form computes correctly on this adapter: {}", failures.join("; ")),
        ))
    }

    /// The forms that can compute `question` on this device, the most promising first.
    pub(crate) fn candidates(&self, question: &Question) -> Vec<Form> {
        let mut forms = Form::candidates(self.pipelines.device().caps(), question.product());
        forms.retain(|form| !question.specs(*form).is_empty());
        if let (Some(half), Work::Convolution) = (self.half, question.work) {
            forms.insert(0, half);
        }
        if let (Some(only @ Form::Half(_)), Work::Convolution) = (self.only, question.work) {
            return vec![only];
        }
        if let Some(only) = self.only {
            // If Winograd's algorithm cannot compute it, the form of its products takes its place.
            let only = if forms.contains(&only) { only } else { only.direct() };
            forms.retain(|form| *form == only);
        }
        forms
    }
}
