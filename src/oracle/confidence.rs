use super::local_mean;
use ndarray::{Array1, Array2};

/// The calibrated confidence from the trace `[n][4]` (ln μ, spread, trusted fraction, coherence).
pub fn confidence(trace: &Array2<f64>, mask: &Array1<f64>, size: [usize; 2], radius: usize) -> Array1<f64> {
    let log = trace.column(0).to_owned();
    let mean = local_mean(&log, mask, size, radius);
    let variance = local_mean(&(&log - &mean).mapv(|d| d * d), mask, size, radius);
    Array1::from_shape_fn(mask.len(), |i| {
        let t = trace.row(i);
        let error = 0.0155
            + 0.0081 * (1.0 - t[3]).clamp(0.0, 1.0).sqrt()
            + 0.0194 * t[1].min(1.0)
            + 0.0489 * (1.0 - t[2])
            + 2.0 * variance[i].sqrt().min(1.0);
        if mask[i] > 0.0 && t[2] > 0.0 && t[3] > 0.0 { (1.0 - error).clamp(0.0, 1.0) } else { 0.0 }
    })
}
