/// Sums twelve chains of `steps` multiply-adds s a + b that start from 0, 1, … 11. All four components are
/// equal.
pub fn fma([a, b]: [f64; 2], steps: usize) -> f64 {
    (0..12).map(|chain| (0..steps).fold(f64::from(chain), |s, _| s * a + b)).sum()
}
