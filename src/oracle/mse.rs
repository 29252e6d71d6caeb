use ndarray::Array4;

/// Returns Σ w (prediction − truth)² / Σ w over pixels and channels, and Σ w. Weights are `[n][h][w][1]`;
/// without them, w is 1.
pub fn mse(prediction: &Array4<f64>, truth: &Array4<f64>, weights: Option<&Array4<f64>>) -> (f64, f64) {
    let w = spread(weights, prediction);
    let weight = w.sum();
    ((w * (prediction - truth).mapv(|d| d * d)).sum() / weight, weight)
}

/// Returns the weights, repeated to the shape of `like`.
pub fn spread(weights: Option<&Array4<f64>>, like: &Array4<f64>) -> Array4<f64> {
    let ones = Array4::ones(like.dim());
    weights.map_or(ones.clone(), |w| ones * w)
}
