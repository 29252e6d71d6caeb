//! How the tests of one program are found, run and reported, by libtest-mimic.
//!
//! A test is a function, and its module's `tests![…]` names it; one that is not named is dead code, which the lints
//! refuse. What a test needs it takes as parameters: see [`Given`]. A test whose parameters are not to be had is reported as
//! ignored, never as passed.
#![allow(dead_code, reason = "each program uses its own part")]

use crate::common;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use palpate::Processor;
use palpate::lowlevel::device::Device;
use palpate::lowlevel::plan::{Checks, Pipelines};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::panic::{UnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{LazyLock, Mutex};
use std::time::Instant;

/// Lists the tests of a module, in a function `tests` that `main` calls.
macro_rules! tests {
    ($($(#[$attribute:meta])* $name:ident),* $(,)?) => {
        #[allow(clippy::vec_init_then_push, reason = "an attribute may leave a test out")]
        pub fn tests() -> Vec<libtest_mimic::Trial> {
            let mut tests = Vec::new();
            $(
                $(#[$attribute])*
                tests.extend($crate::harness::trials(concat!(module_path!(), "::", stringify!($name)), $name));
            )*
            tests
        }
    };
}

/// Prints a figure where `-- --nocapture` asks for them.
macro_rules! note {
    ($($part:tt)*) => {
        if $crate::harness::talkative() {
            println!($($part)*);
        }
    };
}

/// True with `-- --nocapture`.
pub fn talkative() -> bool {
    static TALKATIVE: LazyLock<bool> = LazyLock::new(|| std::env::args().any(|a| a == "--nocapture"));
    *TALKATIVE
}

/// Why a parameter cannot be had.
#[derive(Clone)]
pub enum Missing {
    /// The test is ignored.
    Ignored(String),
    /// The test fails.
    Failed(String),
}

/// What the tests of the library run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Shaders, on a GPU or a software driver.
    Gpu,
    /// Native forms.
    Processor,
}

impl On {
    const ALL: [Self; 2] = [Self::Gpu, Self::Processor];

    fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Processor => "processor",
        }
    }

    fn open(self) -> Result<Device, Missing> {
        match self {
            Self::Gpu => common::open_gpu(Device::open).map_err(no_device),
            Self::Processor => {
                Device::processor(Processor::default()).map_err(|e| Missing::Failed(e.to_string()))
            }
        }
    }
}

/// Something that a test can take as a parameter.
pub trait Given: Sized {
    /// The devices that the test runs on, one after another; none if it needs no device.
    const ON: &'static [On] = &[];

    /// Makes it, on this device if it is one, or says why that is impossible here.
    fn given(on: Option<On>) -> Result<Self, Missing>;
}

/// A device of the test's own, whose memory it may measure.
impl Given for Device {
    const ON: &'static [On] = &On::ALL;

    fn given(on: Option<On>) -> Result<Self, Missing> {
        on.unwrap_or(On::Processor).open()
    }
}

/// A GPU of the test's own, which it may lose.
pub struct OwnGpu(pub Device);

impl Given for OwnGpu {
    const ON: &'static [On] = &[On::Gpu];

    fn given(_: Option<On>) -> Result<Self, Missing> {
        On::Gpu.open().map(Self)
    }
}

/// A device of the test's own, a GPU with its matrix units, if it has any.
pub struct WithUnits(pub Device);

impl Given for WithUnits {
    const ON: &'static [On] = &On::ALL;

    fn given(on: Option<On>) -> Result<Self, Missing> {
        match on {
            Some(On::Processor) => On::Processor.open().map(Self),
            _ => common::open_gpu(Device::open_with_units).map(Self).map_err(no_device),
        }
    }
}

/// A device that all tests share, with its kernels compiled without run-time checks: once for all tests.
impl Given for &'static Pipelines {
    const ON: &'static [On] = &On::ALL;

    fn given(on: Option<On>) -> Result<Self, Missing> {
        static GPU: LazyLock<Result<Pipelines, Missing>> = LazyLock::new(|| shared(On::Gpu));
        static PROCESSOR: LazyLock<Result<Pipelines, Missing>> = LazyLock::new(|| shared(On::Processor));
        let of = if on == Some(On::Gpu) { &GPU } else { &PROCESSOR };
        of.as_ref().map_err(Clone::clone)
    }
}

fn shared(on: On) -> Result<Pipelines, Missing> {
    Ok(Pipelines::new(&on.open()?, Checks::Off))
}

/// The shared device, for tests of what only shaders have.
pub struct SharedGpu(pub &'static Pipelines);

impl Given for SharedGpu {
    const ON: &'static [On] = &[On::Gpu];

    fn given(_: Option<On>) -> Result<Self, Missing> {
        Given::given(Some(On::Gpu)).map(Self)
    }
}

/// The processor that all tests share, for tests of what only it has.
pub struct SharedProcessor(pub &'static Pipelines);

impl Given for SharedProcessor {
    const ON: &'static [On] = &[On::Processor];

    fn given(_: Option<On>) -> Result<Self, Missing> {
        Given::given(Some(On::Processor)).map(Self)
    }
}

/// Says that there is a GPU or a software driver, for tests of hosts with a wgpu device of their own.
pub struct Driver;

impl Given for Driver {
    const ON: &'static [On] = &[On::Gpu];

    fn given(_: Option<On>) -> Result<Self, Missing> {
        SharedGpu::given(None).map(|_| Self)
    }
}

fn no_device(error: String) -> Missing {
    match std::env::var_os("PALPATE_REQUIRE_GPU") {
        Some(_) => Missing::Failed(error),
        None => Missing::Ignored(error),
    }
}

/// The folder of the authors' public samples.
pub struct Data(PathBuf);

impl Deref for Data {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Given for Data {
    fn given(_: Option<On>) -> Result<Self, Missing> {
        let folder = std::env::var_os("PALPATE_DATA");
        folder.map(|folder| Data(folder.into())).ok_or_else(|| {
            Missing::Ignored("PALPATE_DATA does not name the folder of the authors' samples".into())
        })
    }
}

/// What a test function returns: nothing, or whether it could run at all.
pub trait Outcome {
    fn completion(self) -> Completion;
}

impl Outcome for () {
    fn completion(self) -> Completion {
        Completion::Completed
    }
}

impl Outcome for Completion {
    fn completion(self) -> Completion {
        self
    }
}

/// A test function. `Parameters` only tells the implementations apart.
pub trait Test<Parameters>: Copy + Send + 'static {
    /// The devices that it runs on; none if it needs no device.
    const ON: &'static [On];

    fn run(self, on: Option<On>) -> Result<Completion, Missing>;
}

impl<F: FnOnce() -> O + Copy + Send + 'static, O: Outcome> Test<((), O)> for F {
    const ON: &'static [On] = &[];

    fn run(self, _: Option<On>) -> Result<Completion, Missing> {
        Ok(self().completion())
    }
}

impl<F: FnOnce(A) -> O + Copy + Send + 'static, A: Given, O: Outcome> Test<((A,), O)> for F {
    const ON: &'static [On] = A::ON;

    fn run(self, on: Option<On>) -> Result<Completion, Missing> {
        let a = A::given(on)?;
        Ok(self(a).completion())
    }
}

impl<F: FnOnce(A, B) -> O + Copy + Send + 'static, A: Given, B: Given, O: Outcome> Test<((A, B), O)> for F {
    const ON: &'static [On] = if A::ON.is_empty() { B::ON } else { A::ON };

    fn run(self, on: Option<On>) -> Result<Completion, Missing> {
        let (a, b) = (A::given(on)?, B::given(on)?);
        Ok(self(a, b).completion())
    }
}

/// `test` under the name `path`, which begins with that of the program: once on each of its devices.
pub fn trials<P, T: Test<P>>(path: &str, test: T) -> Vec<Trial> {
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    let on: Vec<Option<On>> =
        if T::ON.is_empty() { vec![None] } else { T::ON.iter().copied().map(Some).collect() };
    on.into_iter().map(|on| trial(name, on, move || test.run(on))).collect()
}

fn trial(
    name: &str,
    on: Option<On>,
    run: impl FnOnce() -> Result<Completion, Missing> + Send + 'static,
) -> Trial {
    let own = name.to_string();
    let kind = on.map_or("", On::name);
    let trial = Trial::ignorable_test(name, move || {
        let begun = Instant::now();
        // A panic leaves it at that.
        count(kind, |[_, _, failed]| *failed += 1);
        let result = run();
        note!("{own} {kind} took {:.1} s", begun.elapsed().as_secs_f64());
        let result = match result {
            Ok(Completion::Ignored { reason: Some(reason) }) | Err(Missing::Ignored(reason)) => {
                say_once(&reason);
                Completion::ignored_with(reason)
            }
            Ok(completion) => completion,
            Err(Missing::Failed(reason)) => return Err(Failed::from(reason)),
        };
        count(kind, |[passed, ignored, failed]| {
            *failed -= 1;
            *if matches!(result, Completion::Completed) { passed } else { ignored } += 1;
        });
        Ok(result)
    });
    trial.with_kind(kind)
}

/// The tests that passed, were ignored, and failed, by device.
static COUNTS: Mutex<BTreeMap<&str, [usize; 3]>> = Mutex::new(BTreeMap::new());

fn count(kind: &'static str, change: impl FnOnce(&mut [usize; 3])) {
    if let Ok(mut counts) = COUNTS.lock() {
        change(counts.entry(kind).or_default());
    }
}

fn say_counts() {
    for (kind, [passed, ignored, failed]) in COUNTS.lock().map(|counts| counts.clone()).unwrap_or_default() {
        let what = match kind {
            "gpu" => "on a GPU or a software driver",
            "processor" => "on the processor",
            _ => "without a device of their own",
        };
        println!("tests {what}: {passed} passed, {ignored} ignored, {failed} failed");
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// True if `work` panics, of which nothing is printed.
pub fn panics(work: impl FnOnce() + UnwindSafe) -> bool {
    QUIET.set(true);
    let panicked = catch_unwind(work).is_err();
    QUIET.set(false);
    panicked
}

fn say_once(reason: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().is_ok_and(|mut said| said.insert(reason.into())) {
        eprintln!("some tests are ignored: {reason}");
    }
}

/// Runs the tests of all modules. Those whose names are in `long` begin first, so that none of them is left over for one
/// thread at the end.
pub fn run(modules: impl IntoIterator<Item = Vec<Trial>>, long: &[&str]) -> ExitCode {
    let mut trials: Vec<Trial> = modules.into_iter().flatten().collect();
    for name in long {
        assert!(trials.iter().any(|trial| trial.name() == *name), "there is no test '{name}' to begin with");
    }
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !QUIET.get() {
            print(info);
        }
    }));
    trials.sort_by_key(|trial| long.iter().position(|name| *name == trial.name()).unwrap_or(long.len()));
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    say_counts();
    conclusion.exit_code()
}
