use ndarray::{Array4, Axis, s};

/// Returns mean and Σ (x − mean)² of each chunk of `chunk` pixels, for each of `groups` groups:
/// `[groups][chunks][2][c]`.
pub fn norm_moments(x: &Array4<f64>, groups: usize, chunk: usize) -> Array4<f64> {
    let (n, h, w, c) = x.dim();
    let run = n * h * w / groups;
    let pixels = x.to_shape((groups, run, c)).expect("the same elements");
    let mut moments = Array4::zeros((groups, run.div_ceil(chunk), 2, c));
    for ((g, k, row, c), value) in moments.indexed_iter_mut() {
        let values = pixels.slice(s![g, .., c]);
        let values = values.axis_chunks_iter(Axis(0), chunk).nth(k).expect("one chunk per row");
        let mean = values.sum() / values.len() as f64;
        *value = if row == 0 { mean } else { values.iter().map(|v| (v - mean).powi(2)).sum() };
    }
    moments
}
