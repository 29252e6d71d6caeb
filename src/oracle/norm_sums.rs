use super::Norm;
use ndarray::Array4;

/// Returns S₀ = Σ g′ and S₁ = Σ g′ x̂ of each group: `[groups][1][2][c]`.
pub fn norm_sums(of: &Norm, grad: &Array4<f64>) -> Array4<f64> {
    let mut sums = Array4::zeros(of.statistics.dim());
    let (groups, xhat) = (sums.dim().0, of.normalised());
    for ((n, y, x, c), passed) in of.passed(grad).indexed_iter() {
        sums[[n % groups, 0, 0, c]] += passed;
        sums[[n % groups, 0, 1, c]] += passed * xhat[[n, y, x, c]];
    }
    sums
}
