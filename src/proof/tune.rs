//! Tuning: measures the fastest form of each convolution on an adapter, and keeps the results on disk, in a file that
//! people can read and edit.

use super::qualify::Qualifier;
use crate::device::Caps;
use crate::error::{Error, Result};
use crate::kernel::form::{Answer, Chooser, Form, Of, Question, Tuning, Work};
use crate::kernel::nn::convolve::{self, Finish};
use crate::kernel::nn::convolve_weights;
use crate::plan::{Pipelines, Plan, Recorder};
use crate::tensor::{Shape, Tensor};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The measurements that are shipped with palpate.
const SHIPPED: [&str; 1] = [include_str!("../../kernels/tuning/llvmpipe.toml")];

/// The largest number of rounds of runs in a comparison of forms.
const ROUNDS: usize = 5;
/// No further round begins after this time, once there were two.
const LONG: Duration = Duration::from_secs(4);
/// A form that takes more than this factor of the best time is left out of the next round.
const FAR_BEHIND: f64 = 1.5;
/// A form replaces the most promising one if both its shortest and its median time are shorter by more than this share.
/// A smaller gain may be noise.
const GAIN: f64 = 0.05;

/// The result of [`Tuner::tune`].
#[derive(Debug, Default)]
pub struct Tuned {
    /// The number of questions that were answered.
    pub answered: usize,
    /// The reason if the answers could not be written to disk.
    pub not_kept: Option<Error>,
}

/// Measures forms on one device and keeps the answers.
pub struct Tuner {
    pipelines: Pipelines,
    qualifier: Qualifier,
    /// The measurements of this device.
    own: Tuning,
    /// The file of these measurements, if there is one.
    kept: Option<PathBuf>,
}

impl Tuner {
    /// Continues from `own`, and keeps new measurements in the file `kept`, if there is one.
    pub fn new(qualifier: &Qualifier, pipelines: &Pipelines, own: Tuning, kept: Option<PathBuf>) -> Self {
        Self { pipelines: pipelines.clone(), qualifier: qualifier.clone(), own, kept }
    }

    /// A chooser by the measurements of this device, then by those shipped for similar devices, then by rule.
    pub fn chooser(&self) -> Chooser {
        let shipped = Tuning::shipped(self.pipelines.device().caps());
        Chooser::new(&self.pipelines).with_choices(self.own.clone().or(shipped))
    }

    /// The measurements of this device.
    pub fn own(&self) -> &Tuning {
        &self.own
    }

    /// Measures those `questions` that have no answer yet, for at most the time `within`. Calls `tell` with the number
    /// done and the number of all.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] if the device is lost.
    pub fn tune(
        &mut self,
        questions: &[Question],
        within: Duration,
        tell: &mut dyn FnMut(usize, usize),
    ) -> Result<Tuned> {
        let mut open: Vec<Question> = Vec::new();
        for question in questions {
            if self.own.form(question).is_none() && !open.contains(question) {
                open.push(*question);
            }
        }
        let (start, mut tuned) = (Instant::now(), Tuned::default());
        for (i, question) in open.iter().enumerate() {
            tell(i, open.len());
            if start.elapsed() >= within {
                break;
            }
            let Some(answer) = self.measure(*question)? else { continue };
            self.own.learn(answer);
            tuned.answered += 1;
            // The file is written at once, because a long tuning may be interrupted.
            let caps = self.pipelines.device().caps();
            if let Some(Err(error)) = self.kept.as_ref().map(|path| self.own.save(path, caps)) {
                tuned.not_kept = Some(error);
            }
        }
        Ok(tuned)
    }

    /// Measures the rival forms; `None` if there is none, or not enough memory.
    fn measure(&self, question: Question) -> Result<Option<Answer>> {
        let caps = self.pipelines.device().caps();
        let mut rivals = Form::rivals(caps, question.product());
        let own = Chooser::new(&self.pipelines).candidates(&question);
        rivals.retain(|form| own.contains(form));
        let mut runners: Vec<Runner> = Vec::new();
        for form in rivals {
            match self.qualifier.verdicts(&question.specs(form)) {
                Ok(None) => {}
                Err(error @ Error::DeviceLost { .. }) => return Err(error),
                _ => continue,
            }
            // The first run only warms up, and excludes forms that are far behind.
            let plan = Plan::compile(
                record(&question, form, Chooser::new(&self.pipelines).workgroups()),
                &self.pipelines,
                &|_, _| {},
            );
            match plan.and_then(|plan| Ok((self.seconds(&plan)?, plan))) {
                Ok((first, plan)) => {
                    runners.push(Runner { plan, taken: Taken { form, seconds: vec![first] } })
                }
                Err(error @ Error::DeviceLost { .. }) => return Err(error),
                Err(_) => {}
            }
        }
        // The forms take turns, so that other work on the machine affects all of them.
        let start = Instant::now();
        for round in 0..ROUNDS {
            let best = runners.iter().map(|runner| runner.taken.least()).fold(f64::INFINITY, f64::min);
            for Runner { plan, taken } in
                runners.iter_mut().filter(|runner| runner.taken.least() <= FAR_BEHIND * best)
            {
                let seconds = self.seconds(plan)?;
                if round == 0 {
                    taken.seconds.clear();
                }
                taken.seconds.push(seconds);
            }
            if start.elapsed() > LONG && round > 0 {
                break;
            }
        }
        let taken: Vec<Taken> = runners.into_iter().map(|runner| runner.taken).collect();
        let ms = taken.iter().map(|t| (t.form.to_string(), (1e6 * t.least()).round() / 1e3)).collect();
        Ok(fastest(&taken).map(|form| Answer { question, form, ms }))
    }

    /// The seconds of one run, by the device's own clock if it has one.
    fn seconds(&self, plan: &Plan) -> Result<f64> {
        let device = self.pipelines.device();
        if device.caps().timestamps() {
            return Ok(plan.profile()?.iter().map(|timing| timing.seconds).sum());
        }
        let start = Instant::now();
        plan.run()?;
        device.wait()?;
        Ok(start.elapsed().as_secs_f64())
    }
}

/// A form under measurement.
struct Runner {
    plan: Plan,
    taken: Taken,
}

/// The seconds of a form's runs.
struct Taken {
    form: Form,
    seconds: Vec<f64>,
}

impl Taken {
    fn least(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    }
}

/// The form with the shortest run, if it beats the first and most promising one beyond noise ([`GAIN`]); else the first.
fn fastest(taken: &[Taken]) -> Option<Form> {
    let promising = taken.first()?;
    let fastest = taken.iter().min_by(|a, b| a.least().total_cmp(&b.least()))?;
    let beats = |of: fn(&Taken) -> f64| of(fastest) < (1.0 - GAIN) * of(promising);
    Some(if beats(Taken::least) && beats(Taken::median) { fastest.form } else { promising.form })
}

/// Records the question's work in `form`, on zeros.
fn record(question: &Question, form: Form, workgroups: usize) -> Recorder {
    let (mut rec, src) = (Recorder::new(), question.src());
    let out = Shape::images(src.n, question.geometry.result(question.image), question.channels[1]);
    let mut tensor =
        |label: &'static str, shape: Shape| Tensor::whole(rec.output::<f32>(label, shape.floats()), shape);
    let (from, to) = (tensor("source", src), tensor("result", out));
    match question.work {
        Work::Convolution => {
            let weights = tensor("weights", question.geometry.weights(src.c, out.c));
            convolve::record(&mut rec, form, question.geometry, from, (weights, Finish::Plain), to);
        }
        Work::Weights => {
            convolve_weights::record(&mut rec, form, question.geometry, from, to, workgroups);
        }
    }
    rec
}

impl Tuning {
    /// The shipped measurements of devices whose names begin like this one's; empty if there are none.
    pub fn shipped(caps: &Caps) -> Self {
        let parsed = SHIPPED.iter().filter_map(|text| toml::from_str::<Self>(text).ok());
        parsed.into_iter().find(|tuning| tuning.suits(&caps.info.name)).unwrap_or_default()
    }

    /// The path of this device's file, in the folder `PALPATE_TUNING` or in the user's cache folder; `None` if there is
    /// no such folder.
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

    /// Loads this device's measurements from `path`. The result is empty if there is no file, or if it is of another
    /// driver or machine.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read or is no tuning file.
    pub fn load(path: &Path, caps: &Caps) -> Result<Self> {
        let fresh = Self::new(caps);
        let text = match std::fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(fresh),
            read => read.map_err(|e| Error::file(path, e))?,
        };
        let refuse = |e: toml::de::Error| {
            Error::file(path, format!("is not a tuning file ({}); delete it", e.message()))
        };
        // The identity is read first, because the forms of another version may be unknown here.
        let of: Of = toml::from_str(&text).map_err(refuse)?;
        if of == fresh.of { toml::from_str(&text).map_err(refuse) } else { Ok(fresh) }
    }

    /// Writes the measurements to `path`, with those that another program has written there meanwhile. Creates the
    /// folder.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub fn save(&self, path: &Path, caps: &Caps) -> Result<()> {
        let there = Self::load(path, caps).unwrap_or_default();
        self.clone().or(there).write(path)
    }

    fn write(&self, path: &Path) -> Result<()> {
        let text = toml::to_string(self).map_err(|e| Error::file(path, e))?;
        let folder = crate::store::folder(path);
        std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
        let head = "# The fastest form of each convolution on this adapter, as measured by palpate.\n\
                    # To measure again, delete this file.\n";
        crate::store::write(path, format!("{head}{text}").as_bytes())
    }

    /// Reports whether the table suits this adapter. The table's name may be the beginning of several adapters' names.
    fn suits(&self, adapter: &str) -> bool {
        !self.of.adapter.is_empty() && adapter.starts_with(&self.of.adapter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::nn::convolve::Geometry;
    use crate::size::Size;
    use std::collections::BTreeMap;

    fn answer(images: usize, form: Form) -> Answer {
        let question = Question {
            work: Work::Convolution,
            geometry: Geometry::Three,
            channels: [64, 32],
            image: Size::square(30),
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
    fn a_form_is_taken_for_a_gain_in_both_its_shortest_and_its_median_time() {
        let taken = |form, seconds: [f64; 3]| Taken { form, seconds: seconds.to_vec() };
        let first = || taken(Form::Wide(8), [1.0, 1.2, 1.1]);
        let other =
            |seconds| fastest(&[first(), taken(Form::Wide(4), [1.4; 3]), taken(Form::Register(8), seconds)]);
        assert_eq!(other([0.9, 1.0, 1.3]), Some(Form::Register(8)));
        assert_eq!(other([0.96, 0.97, 0.98]), Some(Form::Wide(8)), "the shortest is 4 % shorter");
        assert_eq!(other([0.9, 1.1, 1.3]), Some(Form::Wide(8)), "only the shortest is shorter");
        assert_eq!(fastest(&[]), None);
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
