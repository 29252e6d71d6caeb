//! How the tests of one program are found, run and reported, by libtest-mimic.
//!
//! A test is a function, and its module's `tests![…]` names it; one that is not named is dead code, which the lints
//! refuse. What a test needs it takes as parameters: see [`Given`]. A test whose parameters are not to be had is reported as
//! ignored, never as passed.
#![allow(dead_code, reason = "each program uses its own part")]

use crate::common;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use palpate::lowlevel::device::Device;
use palpate::lowlevel::plan::{Checks, Pipelines};
use std::cell::Cell;
use std::collections::BTreeSet;
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
                tests.push($crate::harness::trial(concat!(module_path!(), "::", stringify!($name)), $name));
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
pub enum Missing {
    /// The test is ignored.
    Ignored(String),
    /// The test fails.
    Failed(String),
}

/// Something that a test can take as a parameter.
pub trait Given: Sized {
    /// Makes it, or says why that is impossible here.
    fn given() -> Result<Self, Missing>;
}

/// A device of the test's own, which it may lose and whose memory it may measure.
impl Given for Device {
    fn given() -> Result<Self, Missing> {
        common::open(Device::open).map_err(no_device)
    }
}

/// A device of the test's own with its matrix units, if it has any.
pub struct WithUnits(pub Device);

impl Given for WithUnits {
    fn given() -> Result<Self, Missing> {
        common::open(Device::open_with_units).map(WithUnits).map_err(no_device)
    }
}

/// A device that all tests share, with its kernels compiled without run-time checks: once for all tests.
impl Given for &'static Pipelines {
    fn given() -> Result<Self, Missing> {
        static SHARED: LazyLock<Result<Pipelines, String>> =
            LazyLock::new(|| Ok(Pipelines::new(&common::open(Device::open)?, Checks::Off)));
        SHARED.as_ref().map_err(|error| no_device(error.clone()))
    }
}

/// Says that there is a device, for tests that run the program.
pub struct Adapter;

impl Given for Adapter {
    fn given() -> Result<Self, Missing> {
        <&Pipelines>::given().map(|_| Adapter)
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
    fn given() -> Result<Self, Missing> {
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
pub trait Test<Parameters>: Send + 'static {
    fn run(self) -> Result<Completion, Missing>;
}

impl<F: FnOnce() -> O + Send + 'static, O: Outcome> Test<((), O)> for F {
    fn run(self) -> Result<Completion, Missing> {
        Ok(self().completion())
    }
}

impl<F: FnOnce(A) -> O + Send + 'static, A: Given, O: Outcome> Test<((A,), O)> for F {
    fn run(self) -> Result<Completion, Missing> {
        let a = A::given()?;
        Ok(self(a).completion())
    }
}

impl<F: FnOnce(A, B) -> O + Send + 'static, A: Given, B: Given, O: Outcome> Test<((A, B), O)> for F {
    fn run(self) -> Result<Completion, Missing> {
        let (a, b) = (A::given()?, B::given()?);
        Ok(self(a, b).completion())
    }
}

/// `test` under the name `path`, which begins with that of the program.
pub fn trial<P>(path: &str, test: impl Test<P>) -> Trial {
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    let own = name.to_string();
    Trial::ignorable_test(name, move || {
        let begun = Instant::now();
        let result = test.run();
        note!("{own} took {:.1} s", begun.elapsed().as_secs_f64());
        match result {
            Ok(Completion::Ignored { reason: Some(reason) }) | Err(Missing::Ignored(reason)) => {
                say_once(&reason);
                Ok(Completion::ignored_with(reason))
            }
            Ok(completion) => Ok(completion),
            Err(Missing::Failed(reason)) => Err(Failed::from(reason)),
        }
    })
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
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
