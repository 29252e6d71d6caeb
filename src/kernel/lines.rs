//! How native forms walk along lines of values.

/// Divides `part`, which begins with value `first` of an array of lines of `n` values, where a line ends. Calls `work`
/// with the number of a line, the place in it, and the values from there on.
#[inline(always)]
pub(crate) fn lines<T>(
    mut part: &mut [T],
    first: usize,
    n: usize,
    mut work: impl FnMut(usize, usize, &mut [T]),
) {
    let (mut line, mut at) = (first / n, first % n);
    while !part.is_empty() {
        let count = part.len().min(n - at);
        let (own, rest) = std::mem::take(&mut part).split_at_mut(count);
        work(line, at, own);
        (line, at, part) = (line + 1, 0, rest);
    }
}

/// Copies the values of a periodic line from place `start` on. The place may be below 0.
#[inline(always)]
pub(crate) fn periodic<T: Copy>(line: &[T], start: isize, mut dst: &mut [T]) {
    let mut at = start.rem_euclid(line.len() as isize) as usize;
    while !dst.is_empty() {
        let count = dst.len().min(line.len() - at);
        let (own, rest) = std::mem::take(&mut dst).split_at_mut(count);
        own.copy_from_slice(&line[at..at + count]);
        (at, dst) = (0, rest);
    }
}
