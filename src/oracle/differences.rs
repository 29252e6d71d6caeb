use ndarray::Array4;

/// Asserts that `gradient` is that of Σ `upstream` · `forward(x)` with respect to `x`, by central
/// differences.
pub fn assert_gradient(
    x: &Array4<f64>,
    upstream: &Array4<f64>,
    gradient: &Array4<f64>,
    forward: impl Fn(&Array4<f64>) -> Array4<f64>,
) {
    const STEP: f64 = 1e-5;
    let loss = |x: &Array4<f64>| (forward(x) * upstream).sum();
    let mut moved = x.clone();
    let differences = Array4::from_shape_fn(x.dim(), |at| {
        let [up, down] = [STEP, -STEP].map(|step| {
            moved[at] = x[at] + step;
            loss(&moved)
        });
        moved[at] = x[at];
        (up - down) / (2.0 * STEP)
    });
    assert_eq!(gradient.dim(), x.dim());
    let norm = |a: &Array4<f64>| a.mapv(|v| v * v).sum().sqrt();
    let error = norm(&(gradient - &differences)) / norm(&differences);
    assert!(error <= 1e-6, "relative error {error:.1e}");
}
