/// Returns Σ k s over the pairs (k, s).
pub fn combine_losses(terms: &[(f64, f64)]) -> f64 {
    terms.iter().map(|(k, s)| k * s).sum()
}
