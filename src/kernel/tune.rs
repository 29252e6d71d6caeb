//! Which form of a convolution was fastest on an adapter, as measured there: asked by shape, remembered on disk in a file
//! that can be read and edited.

use super::convolve::{self, Form, Geometry};
use super::{convolve_weights, winograd_input, winograd_output, winograd_weights};
use crate::error::{Error, Result};
use crate::gpu::Caps;
use crate::io::atomic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What comes with palpate, of adapters we measured.
const SHIPPED: [&str; 1] = [include_str!("../../kernels/tuning/llvmpipe.toml")];

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    fn device(caps: &Caps) -> Self {
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
        convolve::KERNEL.source,
        include_str!("../../kernels/lib/convolution.wgsl"),
        convolve_weights::KERNEL.source,
        winograd_input::KERNEL.source,
        winograd_weights::KERNEL.source,
        winograd_output::KERNEL.source,
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

    /// What comes with palpate for devices whose names begin like this one's; nothing where none was ever measured.
    pub fn shipped(caps: &Caps) -> Self {
        let parsed = SHIPPED.iter().filter_map(|text| toml::from_str::<Self>(text).ok());
        parsed.into_iter().find(|tuning| tuning.suits(&caps.info.name)).unwrap_or_default()
    }

    /// Where this device's file is: in the folder that `PALPATE_TUNING` names, or with the user's caches. There may be no
    /// place for it.
    pub fn path(caps: &Caps) -> Option<PathBuf> {
        let folder = match std::env::var_os("PALPATE_TUNING") {
            Some(folder) => PathBuf::from(folder),
            None => dirs::cache_dir()?.join("palpate").join("tuning"),
        };
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = format!("{} {}", caps.info.name, caps.info.backend).chars().map(plain).collect();
        let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        Some(folder.join(format!("{name}.toml")))
    }

    /// What `path` holds of this device; nothing where there is no file, or one of another driver or machine.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read or holds something else.
    pub fn load(path: &Path, caps: &Caps) -> Result<Self> {
        let fresh = Self::new(caps);
        let text = match std::fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(fresh),
            read => read.map_err(|e| Error::file(path, e))?,
        };
        let refuse = |e: toml::de::Error| {
            Error::file(path, format!("is no file of tuning ({}); delete it", e.message()))
        };
        // What it is of comes first: another version's forms are not known here.
        let of: Of = toml::from_str(&text).map_err(refuse)?;
        if of == fresh.of { toml::from_str(&text).map_err(refuse) } else { Ok(fresh) }
    }

    /// Writes it to `path`, whose folder is made, with whatever another program has learned there meanwhile.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be written.
    pub fn save(&self, path: &Path, caps: &Caps) -> Result<()> {
        let there = Self::load(path, caps).unwrap_or_default();
        self.clone().or(there).write(path)
    }

    fn write(&self, path: &Path) -> Result<()> {
        let text = toml::to_string(self).map_err(|e| Error::file(path, e))?;
        let folder = atomic::folder(path);
        std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
        let head = "# Which form of each convolution is fastest on this adapter, as palpate measured it. To be measured\n\
                    # anew, delete the file.\n";
        atomic::write(path, format!("{head}{text}").as_bytes())
    }

    /// Whether it is of adapters called like this: its own name may be the beginning of several.
    fn suits(&self, adapter: &str) -> bool {
        !self.of.adapter.is_empty() && adapter.starts_with(&self.of.adapter)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(images: usize, form: Form) -> Answer {
        let question = Question {
            work: Work::Convolution,
            geometry: Geometry::Three,
            channels: [64, 32],
            image: [30, 30],
            images,
        };
        Answer { question, form, ms: BTreeMap::from([(form.to_string(), 1.5)]) }
    }

    #[test]
    fn what_was_learned_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new").join("it.toml");
        let of = Of { adapter: "a".into(), processors: 2, ..Of::default() };
        let mut tuning = Tuning { of, answers: vec![] };
        for form in Form::ALL {
            tuning.learn(answer(128, form));
            tuning.learn(answer(form.to_string().len(), form));
        }
        assert_eq!(tuning.answers.iter().filter(|a| a.question.images == 128).count(), 1);
        tuning.write(&path).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(toml::from_str::<Tuning>(&text).expect("toml"), tuning, "{text}");
        assert_eq!(tuning.form(&answer(128, Form::Wide(8)).question), Form::ALL.last().copied());
        assert_eq!(tuning.form(&answer(3, Form::Wide(8)).question), None);
    }

    #[test]
    fn what_comes_with_palpate_can_be_read() {
        for text in SHIPPED {
            let tuning: Tuning = toml::from_str(text).unwrap_or_else(|e| panic!("{e}"));
            assert!(tuning.suits(&format!("{} (LLVM 15.0.6, 256 bits)", tuning.of.adapter)));
            assert!(!tuning.suits("another") && !Tuning::default().suits("another"));
        }
    }
}
