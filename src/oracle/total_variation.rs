use ndarray::Array4;

/// Returns the mean over pixels and channels of √(dx² + dy² + ε), and the number of values averaged.
///
/// Weights are `[n][h][w][1]`. A pixel counts if its weight is above 0, and a difference counts if both of its
/// pixels count.
pub fn total_variation(image: &Array4<f64>, weights: Option<&Array4<f64>>, epsilon: f64) -> (f64, f64) {
    let (mut sum, mut count) = (0.0, 0.0);
    for (i, _) in image.indexed_iter().filter(|(i, _)| counts(weights, *i)) {
        let (dx, dy) = slopes(image, weights, i);
        sum += (dx * dx + dy * dy + epsilon).sqrt();
        count += 1.0;
    }
    (sum / count, count)
}

/// Position of a value: image, row, column, channel.
pub type Place = (usize, usize, usize, usize);

/// Reports whether the pixel at a position counts.
pub fn counts(weights: Option<&Array4<f64>>, (n, y, x, _): Place) -> bool {
    weights.is_none_or(|w| w[[n, y, x, 0]] > 0.0)
}

/// Forward differences to the right and downwards; 0 if the neighbour does not exist or does not count.
pub fn slopes(image: &Array4<f64>, weights: Option<&Array4<f64>>, at: Place) -> (f64, f64) {
    let (n, y, x, c) = at;
    let (_, h, w, _) = image.dim();
    let towards = |there: Place| {
        let exists = there.1 < h && there.2 < w;
        if exists && counts(weights, there) { image[there] - image[at] } else { 0.0 }
    };
    (towards((n, y, x + 1, c)), towards((n, y + 1, x, c)))
}
