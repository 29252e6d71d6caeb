//! The threads that compute together. Work is split into shares that depend on the number of threads, so each result
//! must be computed by one share as a whole: then the bits are the same for any number of threads.
//!
//! Write `#[inline(always)]` before a closure that is handed to the team. Only then is it compiled for the team's
//! instructions; a long one is otherwise compiled once, for what every machine has.
//!
//! This is our own because a plan runs some hundred dispatches of 10 µs to 1 ms each, without an allocation per
//! dispatch. Scoped threads of the standard library cost 30 to 60 µs a dispatch, and rayon's `broadcast` allocates.

use super::instructions::Present;
use super::{Instructions, Memory};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How often a thread looks for work, or for the end of the others' work, before it sleeps or yields: some 20 µs.
const LOOKS: usize = 2000;

/// A number of threads, one of which is always the caller's own.
pub struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while the team works, because it does one piece of work at a time.
    busy: Mutex<()>,
    present: Present,
    /// Memory that kernels use while they run, so that a dispatch allocates nothing once it has run before.
    scratch: Mutex<Option<Memory>>,
}

/// Scratch memory grows by large pages.
const LARGE: usize = 2 << 20;

struct Shared {
    /// Counts the pieces of work. A change wakes the workers.
    round: AtomicUsize,
    /// The workers that have not finished the current piece.
    left: AtomicUsize,
    panicked: AtomicBool,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    round: usize,
    job: Option<&'static (dyn Fn(usize) + Sync)>,
    stop: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Team {
    /// A team of `threads` threads that runs kernels compiled for `instructions`; `None` if the machine does not have
    /// them, or no further thread can be started.
    pub fn new(threads: usize, instructions: Instructions) -> Option<Self> {
        let present = Present::new(instructions)?;
        let shared = Arc::new(Shared {
            round: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            state: Mutex::default(),
            news: Condvar::new(),
        });
        let mut team =
            Self { shared, workers: Vec::new(), busy: Mutex::new(()), present, scratch: Mutex::default() };
        for number in 1..threads.max(1) {
            let shared = team.shared.clone();
            let builder = std::thread::Builder::new().name(format!("palpate {number}"));
            team.workers.push(builder.spawn(move || shared.work(number)).ok()?);
        }
        Some(team)
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// The instruction set.
    pub fn instructions(&self) -> Instructions {
        self.present.get()
    }

    /// The instruction set, with the proof that the machine has it.
    pub(crate) fn present(&self) -> Present {
        self.present
    }

    /// Runs `work`, compiled for the team's instructions, on the caller's thread alone.
    #[inline]
    pub fn alone<R>(&self, work: impl FnOnce() -> R) -> R {
        self.present.run(work)
    }

    /// Lends `count` f32 of unknown content to `work`.
    pub fn scratch<R>(&self, count: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
        let mut own = lock(&self.scratch);
        let bytes = count * size_of::<f32>();
        if own.as_ref().is_none_or(|memory| memory.size() < bytes) {
            *own = None;
            *own = Memory::zeroed(bytes.next_multiple_of(LARGE)).ok();
        }
        let memory = own.as_ref().expect("memory for what threads keep while a kernel runs");
        work(&mut bytemuck::cast_slice_mut(&mut memory.writing())[..count])
    }

    /// Calls `work` with the numbers from 0 to the number of threads, each on a thread of its own, and waits for all.
    /// Never call it from within `work`.
    ///
    /// # Panics
    /// If `work` panics on any thread.
    pub fn run(&self, work: &(dyn Fn(usize) + Sync)) {
        if self.workers.is_empty() {
            return work(0);
        }
        let _busy = lock(&self.busy);
        // SAFETY: the lifetime is lengthened only for the workers. `Wait` below is dropped at the end of this function,
        // also if `work(0)` panics, and returns only when every worker has finished with the job. It also takes the job
        // away, so that no reference to it remains.
        let job: &'static (dyn Fn(usize) + Sync) =
            unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), _>(work) };
        self.shared.left.store(self.workers.len(), Ordering::Relaxed);
        self.shared.panicked.store(false, Ordering::Relaxed);
        {
            let mut state = lock(&self.shared.state);
            state.round += 1;
            state.job = Some(job);
            self.shared.round.store(state.round, Ordering::Release);
        }
        self.shared.news.notify_all();
        let wait = Wait(&self.shared);
        work(0);
        drop(wait);
        assert!(!self.shared.panicked.load(Ordering::Relaxed), "a share of the work panicked");
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        lock(&self.shared.state).stop = true;
        self.shared.round.fetch_add(1, Ordering::Release);
        self.shared.news.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

/// Waits for the workers when it is dropped, and takes the job away.
struct Wait<'a>(&'a Shared);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut looks = 0;
        while self.0.left.load(Ordering::Acquire) > 0 {
            looks += 1;
            if looks < LOOKS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
        lock(&self.0.state).job = None;
    }
}

impl Shared {
    /// The life of worker `number`.
    fn work(&self, number: usize) {
        let mut done = 0;
        loop {
            for _ in 0..LOOKS {
                if self.round.load(Ordering::Acquire) != done {
                    break;
                }
                std::hint::spin_loop();
            }
            let job = {
                let mut state = lock(&self.state);
                while state.round == done && !state.stop {
                    state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.stop {
                    return;
                }
                done = state.round;
                state.job
            };
            let Some(job) = job else { continue };
            if catch_unwind(AssertUnwindSafe(|| job(number))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.left.fetch_sub(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn teams() -> impl Iterator<Item = Team> {
        [1, 2, 3, 8].into_iter().map(|threads| Team::new(threads, Instructions::best()).expect("a team"))
    }

    #[test]
    fn a_panic_on_any_thread_reaches_the_caller_and_the_team_goes_on() {
        for team in teams().skip(1) {
            for culprit in 0..team.threads() {
                let panics = catch_unwind(AssertUnwindSafe(|| team.run(&|t| assert_ne!(t, culprit))));
                assert!(panics.is_err());
                team.run(&|_| {});
            }
        }
    }

    #[test]
    fn several_threads_can_use_one_team() {
        let team = Team::new(3, Instructions::best()).expect("a team");
        let sum = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        team.divide(10, usize::MAX, |share| {
                            sum.fetch_add(share.len(), Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), 4 * 200 * 10);
    }
}
