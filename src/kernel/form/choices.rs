//! Which form of a convolution was fastest on an adapter, by shape: plain data, which a chooser looks things up in. The
//! measurements are made by `proof::tune`.

use super::{Form, Product};
use crate::gpu::Caps;
use crate::kernel::nn::convolve::{self, Finish, Geometry};
use crate::kernel::nn::{convolve_weights, winograd};
use crate::plan::Spec;
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Work {
    /// A convolution, or the data gradient of one.
    Convolution,
    /// The gradient in its weights.
    Weights,
}

/// A convolution that forms are compared on. Pixels count as powers of two: what is fastest does not hang on a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// What is computed.
    pub work: Work,
    /// Which pixels it brings together.
    pub geometry: Geometry,
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Rows and columns of the images.
    pub image: [usize; 2],
    /// Images, to the next power of two.
    pub images: usize,
}

/// What was measured for a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// The form to use.
    pub form: Form,
    /// What each form took, ms; those far behind were given up.
    #[serde(default)]
    pub ms: BTreeMap<String, f64>,
}

/// What is known of one adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// What they are of: with another, all is measured anew.
    #[serde(flatten)]
    pub of: Of,
    /// The answers.
    #[serde(default, rename = "choice")]
    pub answers: Vec<Answer>,
}

/// What answers hold for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The adapter's name.
    pub adapter: String,
    /// What it is reached through: Vulkan, Metal, Direct3D 12.
    pub backend: String,
    /// Its driver and version.
    pub driver: String,
    /// Processors of the machine, on which a software adapter computes.
    pub processors: usize,
    /// The forms there were, and their sources.
    pub kernels: String,
}

impl Of {
    /// The device, driver and kernels of now.
    pub fn device(caps: &Caps) -> Self {
        Self {
            adapter: caps.info.name.clone(),
            backend: caps.info.backend.to_string(),
            driver: format!("{} {}", caps.info.driver, caps.info.driver_info).trim().to_string(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernels: kernels(),
        }
    }
}

/// A number that changes when a form is added, or a kernel that forms are made of.
fn kernels() -> String {
    let of = [
        convolve::CONVOLVE.source,
        include_str!("../../../kernels/lib/convolution.wgsl"),
        convolve_weights::CONVOLVE_WEIGHTS.source,
        winograd::WINOGRAD_INPUT.source,
        winograd::WINOGRAD_WEIGHTS.source,
        winograd::WINOGRAD_OUTPUT.source,
    ];
    let names = Form::ALL.map(|form| form.to_string()).join(";");
    // FNV-1a: the standard library's hashes may differ from one version to the next.
    let bytes = of.into_iter().chain([names.as_str()]).flat_map(str::bytes);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

impl Tuning {
    /// Nothing yet, of this device.
    pub fn new(caps: &Caps) -> Self {
        Self { of: Of::device(caps), answers: Vec::new() }
    }

    /// This, and where it says nothing `other`.
    pub fn or(mut self, other: Self) -> Self {
        let new = other.answers.into_iter().filter(|answer| self.form(&answer.question).is_none());
        let new: Vec<_> = new.collect();
        self.answers.extend(new);
        self
    }

    /// The form that was fastest.
    pub fn form(&self, question: &Question) -> Option<Form> {
        self.answers.iter().find(|answer| answer.question == *question).map(|answer| answer.form)
    }

    /// Takes `answer` in the place of what there was.
    pub fn learn(&mut self, answer: Answer) {
        self.answers.retain(|old| old.question != answer.question);
        self.answers.push(answer);
    }
}

impl Question {
    /// A convolution, or its weight gradient, of `src` to `co` channels.
    pub fn new(work: Work, geometry: Geometry, src: Shape, co: usize) -> Self {
        Self {
            work,
            geometry,
            channels: [src.c, co],
            image: [src.h, src.w],
            images: src.n.next_power_of_two(),
        }
    }

    pub(crate) fn product(&self) -> Product {
        let [rows, columns] = match self.work {
            Work::Convolution => [self.images * self.image[0] * self.image[1], self.channels[1]],
            Work::Weights => self.channels,
        };
        Product { rows, columns, split: self.work == Work::Weights }
    }

    pub(crate) fn src(&self) -> Shape {
        Shape::new(self.images, self.image[0], self.image[1], self.channels[0])
    }

    /// The specialisations that compute it in `form`; none where there is no such form.
    pub fn specs(&self, form: Form) -> Vec<Spec> {
        match self.work {
            Work::Convolution => form.convolves(self.geometry, Finish::Plain),
            Work::Weights if matches!(form, Form::Winograd(_) | Form::Half(_)) => Vec::new(),
            Work::Weights => vec![convolve_weights::spec(form, self.geometry, self.channels)],
        }
    }
}
