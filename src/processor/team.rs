//! The threads that compute together. Work is split into shares that depend on the number of threads, so each result
//! must be computed by one share as a whole: then the bits are the same for any number of threads.
//!
//! This is our own because a plan runs some hundred dispatches of 10 µs to 1 ms each, without an allocation per
//! dispatch. Scoped threads of the standard library cost 30 to 60 µs a dispatch, and rayon's `broadcast` allocates.

use super::Instructions;
use super::instructions::Present;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How often a thread looks for work, or for the end of the others' work, before it sleeps or yields: some 20 µs.
const LOOKS: usize = 2000;
/// Data of fewer bytes are not worth a second thread: waking one takes as long as writing these.
const SMALL: usize = 16 << 10;

/// A number of threads, one of which is always the caller's own.
pub struct Team {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while the team works, because it does one piece of work at a time.
    busy: Mutex<()>,
    present: Present,
}

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
        let mut team = Self { shared, workers: Vec::new(), busy: Mutex::new(()), present };
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

    /// Calls `work` with the ranges that divide `0..count` among the threads, as equal as possible.
    pub fn shares(&self, count: usize, work: impl Fn(Range<usize>) + Sync) {
        self.run(&|t| {
            let share = self.share(count, t);
            if !share.is_empty() {
                self.present.run(|| work(share));
            }
        });
    }

    fn share(&self, count: usize, t: usize) -> Range<usize> {
        let threads = self.threads();
        count * t / threads..count * (t + 1) / threads
    }

    /// Divides `data` among the threads at multiples of `size` values. Calls `work` with the number of the first chunk
    /// of `size` values, and the part. The last chunk may be shorter.
    pub fn split<T: Send>(&self, data: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Sync) {
        self.split2(data, size, &mut [(); 0], 0, |first, part, _| work(first, part));
    }

    /// [`Team::split`] for results that are few but take much work: `work` reads `read` bytes for all of them.
    pub fn split_reading<T: Send>(
        &self,
        data: &mut [T],
        size: usize,
        read: usize,
        work: impl Fn(usize, &mut [T]) + Sync,
    ) {
        if self.workers.is_empty() || size_of_val(data) + read < SMALL {
            return self.present.run(|| work(0, data));
        }
        let chunks = data.len().div_ceil(size);
        let data = Pieces::new(data, size);
        self.run(&|t| {
            let share = self.share(chunks, t);
            if !share.is_empty() {
                // SAFETY: `run` calls this once for each `t`, and the shares of different `t` do not overlap.
                let part = unsafe { data.part(&share) };
                self.present.run(|| work(share.start, part));
            }
        });
    }

    /// [`Team::split`] for two pieces of data with equally many chunks, of `sizes` values.
    ///
    /// # Panics
    /// If the numbers of chunks differ, unless `b` is empty.
    pub fn split2<A: Send, B: Send>(
        &self,
        a: &mut [A],
        size_a: usize,
        b: &mut [B],
        size_b: usize,
        work: impl Fn(usize, &mut [A], &mut [B]) + Sync,
    ) {
        let chunks = a.len().div_ceil(size_a.max(1));
        assert!(b.is_empty() || b.len().div_ceil(size_b.max(1)) == chunks, "as many chunks of both");
        if self.workers.is_empty() || size_of_val(a) + size_of_val(b) < SMALL {
            return self.present.run(|| work(0, a, b));
        }
        let (a, b) = (Pieces::new(a, size_a), Pieces::new(b, size_b));
        self.run(&|t| {
            let share = self.share(chunks, t);
            if !share.is_empty() {
                // SAFETY: `run` calls this once for each `t`, and the shares of different `t` do not overlap.
                let (a, b) = unsafe { (a.part(&share), b.part(&share)) };
                self.present.run(|| work(share.start, a, b));
            }
        });
    }

    /// [`Team::split`] for several pieces of data, each with the size of its chunks.
    ///
    /// # Panics
    /// If the numbers of chunks differ.
    pub fn split_all<T: Send, const N: usize>(
        &self,
        data: [(&mut [T], usize); N],
        work: impl Fn(usize, [&mut [T]; N]) + Sync,
    ) {
        let chunks = data.iter().map(|(data, size)| data.len().div_ceil(*size)).max().unwrap_or(0);
        assert!(
            data.iter().all(|(data, size)| data.len().div_ceil(*size) == chunks),
            "as many chunks of all"
        );
        let bytes: usize = data.iter().map(|(data, _)| size_of_val(*data)).sum();
        if self.workers.is_empty() || bytes < SMALL {
            return self.present.run(|| work(0, data.map(|(data, _)| data)));
        }
        let pieces = data.map(|(data, size)| Pieces::new(data, size));
        self.run(&|t| {
            let share = self.share(chunks, t);
            if !share.is_empty() {
                // SAFETY: `run` calls this once for each `t`, and the shares of different `t` do not overlap.
                let parts = pieces.each_ref().map(|piece| unsafe { piece.part(&share) });
                self.present.run(|| work(share.start, parts));
            }
        });
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

/// Data that threads take disjoint parts of.
struct Pieces<T> {
    start: *mut T,
    len: usize,
    size: usize,
}

// SAFETY: the parts that threads take are disjoint (`Pieces::part`), and `T` may be sent to other threads.
unsafe impl<T: Send> Sync for Pieces<T> {}

impl<T> Pieces<T> {
    fn new(data: &mut [T], size: usize) -> Self {
        Self { start: data.as_mut_ptr(), len: data.len(), size }
    }

    /// The chunks of `share`.
    ///
    /// # Safety
    /// The slice that this was made of outlives the part, and no two parts in use may have a chunk in common.
    #[allow(clippy::mut_from_ref, reason = "the parts are disjoint")]
    unsafe fn part(&self, share: &Range<usize>) -> &mut [T] {
        let [first, end] = [share.start, share.end].map(|chunk| (chunk * self.size).min(self.len));
        // SAFETY: `first` and `end` lie within the slice; the caller excludes other references to the part.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(first), end - first) }
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
mod tests {
    use super::*;

    fn teams() -> impl Iterator<Item = Team> {
        [1, 2, 3, 8].into_iter().map(|threads| Team::new(threads, Instructions::best()).expect("a team"))
    }

    #[test]
    fn every_chunk_is_worked_on_once() {
        for team in teams() {
            for len in [0, 1, 7, 5000, 40_001] {
                let (mut data, mut other) = (vec![0u32; len], vec![0u8; len.div_ceil(3)]);
                team.split2(&mut data, 3, &mut other, 1, |first, part, other| {
                    assert_eq!(part.len().div_ceil(3), other.len());
                    part.iter_mut().enumerate().for_each(|(i, v)| *v += 1 + (3 * first + i) as u32);
                    other.iter_mut().for_each(|v| *v += 1);
                });
                assert!(data.iter().enumerate().all(|(i, v)| *v == 1 + i as u32), "{len}");
                assert!(other.iter().all(|v| *v == 1));
            }
        }
    }

    #[test]
    fn every_chunk_of_several_pieces_is_worked_on_once() {
        for team in teams() {
            for chunks in [0, 1, 7, 5000] {
                let (mut a, mut b, mut c) = (vec![0; chunks], vec![0; 2 * chunks], vec![0; 3 * chunks]);
                team.split_all([(&mut a, 1), (&mut b, 2), (&mut c, 3)], |first, parts| {
                    for (size, part) in (1..).zip(parts) {
                        part.iter_mut().enumerate().for_each(|(i, v)| *v += 1 + first + i / size);
                    }
                });
                for (size, data) in [(1, a), (2, b), (3, c)] {
                    assert!(data.iter().enumerate().all(|(i, v)| *v == 1 + i / size), "{chunks}");
                }
            }
        }
    }

    #[test]
    fn few_results_of_much_work_are_shared() {
        for team in teams() {
            for (len, read) in [(0, SMALL), (1, SMALL), (7, 0), (7, SMALL), (40, SMALL)] {
                let mut data = vec![0; len];
                let shares = AtomicUsize::new(0);
                team.split_reading(&mut data, 2, read, |first, part| {
                    shares.fetch_add(1, Ordering::Relaxed);
                    part.iter_mut().enumerate().for_each(|(i, v)| *v += 1 + 2 * first + i);
                });
                assert!(data.iter().enumerate().all(|(i, v)| *v == 1 + i), "{len}");
                let expected = if read == 0 { 1 } else { len.div_ceil(2).min(team.threads()) };
                assert!(team.threads() == 1 || shares.into_inner() == expected, "{len}");
            }
        }
    }

    #[test]
    fn shares_cover_everything_once() {
        for team in teams() {
            let counts: Vec<AtomicUsize> = (0..13).map(|_| AtomicUsize::new(0)).collect();
            for _ in 0..500 {
                team.shares(13, |share| {
                    share.for_each(|i| {
                        counts[i].fetch_add(1, Ordering::Relaxed);
                    })
                });
            }
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 500));
        }
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
                        team.shares(10, |share| {
                            sum.fetch_add(share.len(), Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), 4 * 200 * 10);
    }
}
