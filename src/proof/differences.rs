//! Central differences, as a reference for analytic gradients.

use ndarray::Array4;

/// Returns the gradient of `f` at `x` by central differences.
pub fn differences(x: &Array4<f64>, f: impl Fn(&Array4<f64>) -> f64) -> Array4<f64> {
    const STEP: f64 = 1e-5;
    let mut moved = x.clone();
    let mut gradient = Array4::zeros(x.dim());
    for (i, slope) in gradient.indexed_iter_mut() {
        let mut at = |offset: f64| {
            moved[i] = x[i] + offset;
            f(&moved)
        };
        *slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        moved[i] = x[i];
    }
    gradient
}

/// Panics if `analytic` is not the gradient of `f` at `x`.
pub fn check(analytic: &Array4<f64>, x: &Array4<f64>, f: impl Fn(&Array4<f64>) -> f64) {
    let numeric = differences(x, f);
    let norm = |values: &Array4<f64>| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let error = norm(&(analytic - &numeric)) / norm(&numeric);
    assert!(error <= 1e-6, "relative error {error:.1e} against central differences");
}

/// Panics if `gradient` is not the gradient of Σ `upstream` · `forward(x)` at `x`.
pub fn assert_gradient(
    x: &Array4<f64>,
    upstream: &Array4<f64>,
    gradient: &Array4<f64>,
    forward: impl Fn(&Array4<f64>) -> Array4<f64>,
) {
    assert_eq!(gradient.dim(), x.dim());
    check(gradient, x, |x| (forward(x) * upstream).sum());
}
