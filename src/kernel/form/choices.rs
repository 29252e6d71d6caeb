//! The table of the fastest form of each convolution on an adapter, as plain data. A chooser reads it; `proof::tune`
//! makes the measurements.

use super::{Form, Product};
use crate::device::Caps;
use crate::kernel::nn::convolve::{self, Finish, Geometry};
use crate::kernel::nn::{convolve_weights, winograd};
use crate::plan::Spec;
use crate::size::Size;
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kind of computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Work {
    /// A convolution, or the data gradient of one.
    Convolution,
    /// The gradient of a convolution in its weights.
    Weights,
}

/// The description of a convolution, by which its forms are compared. The number of images is rounded up to a power of
/// two, because the fastest form hardly depends on a few images more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// The kind of computation.
    pub work: Work,
    /// The geometry of the convolution.
    pub geometry: Geometry,
    /// Input and output channels.
    pub channels: [usize; 2],
    /// The size of the source images. Tables on disk state it as rows and columns.
    #[serde(with = "crate::size::rows_first")]
    pub image: Size,
    /// The number of images, rounded up to a power of two.
    pub images: usize,
}

/// The measurements that answer a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// The form to use.
    pub form: Form,
    /// The shortest time of each form, ms. A form that was far behind in its first run has only that run.
    #[serde(default)]
    pub ms: BTreeMap<String, f64>,
}

/// All answers for one adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// The device, driver and kernels of the answers. If any of these changes, all is measured again.
    #[serde(flatten)]
    pub of: Of,
    /// The answers.
    #[serde(default, rename = "choice")]
    pub answers: Vec<Answer>,
}

/// The identity of the device, driver and kernels that answers hold for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The adapter's name.
    pub adapter: String,
    /// The graphics interface: Vulkan, Metal, Direct3D 12.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// The machine's processors, on which a software adapter computes.
    pub processors: usize,
    /// A hash of the names of all forms and of their kernels' sources.
    pub kernels: String,
}

impl Of {
    /// The identity of this device, its driver and the kernels of this version.
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

/// A hash that changes if a form is added or the source of one of the forms' kernels changes.
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
    // FNV-1a, because the standard library's hashes may differ between versions.
    let bytes = of.into_iter().chain([names.as_str()]).flat_map(str::bytes);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

impl Tuning {
    /// A table for this device, without answers.
    pub fn new(caps: &Caps) -> Self {
        Self { of: Of::device(caps), answers: Vec::new() }
    }

    /// Adds those answers of `other` whose questions this table does not answer.
    pub fn or(mut self, other: Self) -> Self {
        let new = other.answers.into_iter().filter(|answer| self.form(&answer.question).is_none());
        let new: Vec<_> = new.collect();
        self.answers.extend(new);
        self
    }

    /// The form to use for `question`, if the table has an answer.
    pub fn form(&self, question: &Question) -> Option<Form> {
        self.answers.iter().find(|answer| answer.question == *question).map(|answer| answer.form)
    }

    /// Adds `answer` and removes an earlier answer to the same question.
    pub fn learn(&mut self, answer: Answer) {
        self.answers.retain(|old| old.question != answer.question);
        self.answers.push(answer);
    }
}

impl Question {
    /// The question about a convolution, or its weight gradient, from images `src` to `co` channels.
    pub fn new(work: Work, geometry: Geometry, src: Shape, co: usize) -> Self {
        Self { work, geometry, channels: [src.c, co], image: src.size(), images: src.n.next_power_of_two() }
    }

    pub(crate) fn product(&self) -> Product {
        let [rows, columns] = match self.work {
            Work::Convolution => [self.images * self.image.pixels(), self.channels[1]],
            Work::Weights => self.channels,
        };
        Product { rows, columns, split: self.work == Work::Weights }
    }

    #[cfg(feature = "proof")]
    pub(crate) fn src(&self) -> Shape {
        Shape::images(self.images, self.image, self.channels[0])
    }

    /// The specialisations that compute it in `form`; empty if there is no such form.
    pub fn specs(&self, form: Form) -> Vec<Spec> {
        match self.work {
            Work::Convolution => form.convolves(self.geometry, Finish::Plain),
            Work::Weights if matches!(form, Form::Winograd(_) | Form::Half(_)) => Vec::new(),
            Work::Weights => vec![convolve_weights::spec(form, self.geometry, self.channels)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_state_an_image_as_rows_and_columns() {
        let question = Question::new(Work::Weights, Geometry::Up, Shape::new(3, 15, 7, 5), 2);
        let text = r#"{"work":"weights","geometry":"up","channels":[5,2],"image":[15,7],"images":4}"#;
        assert_eq!(serde_json::to_string(&question).unwrap(), text);
        assert_eq!(serde_json::from_str::<Question>(text).unwrap(), question);
    }
}
