/// A counter, advanced.
pub fn advance(counter: usize, by: usize) -> usize {
    counter + by
}
