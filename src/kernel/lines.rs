//! How native forms walk along lines of values.

/// Divides `part`, which begins with value `first` of an array of lines of `n` values, where a line ends. Gives the
/// number of each line, the place in it, and the values from there on.
#[inline(always)]
pub(crate) fn lines<T>(part: &mut [T], first: usize, n: usize) -> Lines<'_, T> {
    Lines { part, line: first / n, at: first % n, n }
}

/// See [`lines`].
pub(crate) struct Lines<'a, T> {
    part: &'a mut [T],
    line: usize,
    at: usize,
    n: usize,
}

impl<'a, T> Iterator for Lines<'a, T> {
    type Item = (usize, usize, &'a mut [T]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.part.is_empty() {
            return None;
        }
        let count = self.part.len().min(self.n - self.at);
        let (own, rest) = std::mem::take(&mut self.part).split_at_mut(count);
        let item = (self.line, self.at, own);
        (self.part, self.line, self.at) = (rest, self.line + 1, 0);
        Some(item)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_divided_where_lines_end() {
        let mut part = [0; 7];
        let found: Vec<_> = lines(&mut part, 5, 3).map(|(line, at, own)| (line, at, own.len())).collect();
        assert_eq!(found, [(1, 2, 1), (2, 0, 3), (3, 0, 3)]);
        assert_eq!(lines(&mut part[..0], 5, 3).count(), 0);
    }

    #[test]
    fn a_periodic_line_is_copied_from_any_place() {
        let mut copy = [0; 7];
        periodic(&[1, 2, 3], -2, &mut copy);
        assert_eq!(copy, [2, 3, 1, 2, 3, 1, 2]);
    }
}
