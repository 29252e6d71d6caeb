/// Returns the counter plus `by`.
pub fn advance(counter: usize, by: usize) -> usize {
    counter + by
}
