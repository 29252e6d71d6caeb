//! Work divided among the threads of a team. A share is a run of whole chunks, and a chunk is computed by one thread. So
//! the bits do not depend on the number of threads, as long as a chunk's results depend on no other chunk.
//!
//! Closures are inlined by force: only what is inlined is compiled for the team's instructions.

use super::team::Team;
use std::ops::Range;

/// Work on fewer bytes is not worth a second thread: waking one takes as long as writing these.
const SMALL: usize = 16 << 10;

impl Team {
    /// Divides the numbers `0..chunks` among the threads, as equally as possible, and calls `work` with each range. If
    /// the work touches few `bytes`, the caller's thread does all of it.
    pub fn divide(&self, chunks: usize, bytes: usize, work: impl Fn(Range<usize>) + Sync) {
        self.divide_by_thread(
            chunks,
            bytes,
            #[inline(always)]
            |_, share| work(share),
        );
    }

    /// The same, with the number of the thread.
    fn divide_by_thread(&self, chunks: usize, bytes: usize, work: impl Fn(usize, Range<usize>) + Sync) {
        let threads = if bytes < SMALL { 1 } else { self.threads() };
        if threads == 1 {
            return self.alone(
                #[inline(always)]
                || work(0, 0..chunks),
            );
        }
        self.run(&|t| {
            let share = chunks * t / threads..chunks * (t + 1) / threads;
            if !share.is_empty() {
                self.alone(
                    #[inline(always)]
                    || work(t, share),
                );
            }
        });
    }

    /// Divides `data` among the threads at multiples of `size` values. Calls `work` with the number of the first chunk
    /// of `size` values, and the part. The last chunk may be shorter.
    pub fn split<T: Send>(&self, data: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Sync) {
        self.split_reading(data, size, 0, work);
    }

    /// [`Team::split`] for results that are few but take much work: `work` reads `read` bytes for all of them.
    pub fn split_reading<T: Send>(
        &self,
        data: &mut [T],
        size: usize,
        read: usize,
        work: impl Fn(usize, &mut [T]) + Sync,
    ) {
        let bytes = size_of_val(data) + read;
        let pieces = Pieces::new(data, size);
        self.divide(
            pieces.chunks(),
            bytes,
            #[inline(always)]
            // SAFETY: `divide` gives each chunk to one call.
            |share| work(share.start, unsafe { pieces.part(&share) }),
        );
    }

    /// [`Team::split`] for work that takes much longer than writing `data`, and needs memory. Each thread is lent an equal
    /// part of `lent`, whose content is unknown.
    pub fn split_lending<T: Send, U: Send>(
        &self,
        data: &mut [T],
        size: usize,
        lent: &mut [U],
        work: impl Fn(usize, &mut [T], &mut [U]) + Sync,
    ) {
        let each = lent.len() / self.threads();
        let (pieces, lent) = (Pieces::new(data, size), Pieces::new(lent, each));
        self.divide_by_thread(
            pieces.chunks(),
            SMALL,
            #[inline(always)]
            // SAFETY: `divide_by_thread` gives each chunk to one call, and has one call for each thread.
            |t, share| unsafe { work(share.start, pieces.part(&share), lent.part(&(t..t + 1))) },
        );
    }

    /// [`Team::split`] for several pieces of data, each with the size of its chunks. All but the first may be empty.
    ///
    /// # Panics
    /// If the numbers of chunks differ otherwise.
    pub fn split_all<T: Send, const N: usize>(
        &self,
        data: [(&mut [T], usize); N],
        work: impl Fn(usize, [&mut [T]; N]) + Sync,
    ) {
        let bytes = data.iter().map(|(data, _)| size_of_val(*data)).sum();
        let pieces = data.map(|(data, size)| Pieces::new(data, size));
        let chunks = pieces.first().map_or(0, Pieces::chunks);
        let alike = |piece: &Pieces<T>| piece.len == 0 || piece.chunks() == chunks;
        assert!(pieces.iter().all(alike), "as many chunks of all");
        self.divide(
            chunks,
            bytes,
            #[inline(always)]
            // SAFETY: `divide` gives each chunk to one call.
            |share| work(share.start, pieces.each_ref().map(|piece| unsafe { piece.part(&share) })),
        );
    }

    /// Divides the columns of `data`, which has rows of `width` values, among the threads at multiples of `size`
    /// columns.
    pub fn columns<T: Send>(
        &self,
        data: &mut [T],
        [width, size]: [usize; 2],
        work: impl Fn(Columns<T>) + Sync,
    ) {
        let (rows, bytes) = (data.len() / width, size_of_val(data));
        let data = &Pieces::new(data, 1);
        self.divide(
            width.div_ceil(size),
            bytes,
            #[inline(always)]
            |share| {
                let range = share.start * size..(share.end * size).min(width);
                work(Columns { data, rows, width, range });
            },
        );
    }
}

/// Some columns of rows of values. Different threads have different columns.
pub struct Columns<'a, T> {
    data: &'a Pieces<T>,
    rows: usize,
    width: usize,
    range: Range<usize>,
}

impl<T> Columns<'_, T> {
    /// The numbers of the columns.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// These columns of row `row`.
    #[inline(always)]
    pub fn row(&mut self, row: usize) -> &mut [T] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        let start = row * self.width;
        // SAFETY: the row lies within the data. `Team::columns` gives each thread other columns, and the thread can use
        // one row at a time.
        unsafe { self.data.part(&(start + self.range.start..start + self.range.end)) }
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
        Self { start: data.as_mut_ptr(), len: data.len(), size: size.max(1) }
    }

    fn chunks(&self) -> usize {
        self.len.div_ceil(self.size)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::team::tests::teams;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_chunk_is_worked_on_once() {
        for team in teams() {
            for len in [0, 1, 7, 5000, 40_001] {
                let mut data = vec![0u32; len];
                team.split(&mut data, 3, |first, part| {
                    part.iter_mut().enumerate().for_each(|(i, v)| *v += 1 + (3 * first + i) as u32);
                });
                assert!(data.iter().enumerate().all(|(i, v)| *v == 1 + i as u32), "{len}");
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
    fn each_thread_is_lent_its_own_memory() {
        for team in teams() {
            for len in [1, 7, 5000] {
                let (mut data, mut lent) = (vec![0; len], vec![0; 5 * team.threads()]);
                team.split_lending(&mut data, 2, &mut lent, |first, part, own| {
                    assert_eq!(own.len(), 5);
                    own.iter_mut().for_each(|v| *v += 1);
                    part.iter_mut().enumerate().for_each(|(i, v)| *v += own[i % 5] + 2 * first + i);
                });
                assert!(data.iter().enumerate().all(|(i, v)| *v == 1 + i), "{len}");
                let used = lent.iter().filter(|v| **v == 1).count();
                assert_eq!(used, 5 * len.div_ceil(2).min(team.threads()), "{len}");
                assert!(lent.iter().all(|v| *v < 2), "{len}");
            }
        }
    }

    #[test]
    fn every_column_is_worked_on_once() {
        for team in teams() {
            for (rows, width) in [(0, 3), (1, 1), (7, 5), (100, 333)] {
                let mut data = vec![0; rows * width];
                team.columns(&mut data, [width, 8], |mut columns| {
                    let first = columns.range().start;
                    for row in 0..rows {
                        let values = columns.row(row).iter_mut().enumerate();
                        values.for_each(|(i, v)| *v += 1 + row * width + first + i);
                    }
                });
                assert!(data.iter().enumerate().all(|(i, v)| *v == 1 + i), "{rows} x {width}");
            }
        }
    }

    #[test]
    fn shares_cover_everything_once() {
        for team in teams() {
            let counts: Vec<AtomicUsize> = (0..13).map(|_| AtomicUsize::new(0)).collect();
            for _ in 0..500 {
                team.divide(13, SMALL, |share| {
                    share.for_each(|i| {
                        counts[i].fetch_add(1, Ordering::Relaxed);
                    })
                });
            }
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 500));
        }
    }
}
