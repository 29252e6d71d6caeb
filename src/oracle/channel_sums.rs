use ndarray::{Array4, Axis};

/// Sums each channel over all images and pixels: `[1][1][1][c]`.
pub fn channel_sums(src: &Array4<f64>) -> Array4<f64> {
    let sum = src.sum_axis(Axis(0)).sum_axis(Axis(0)).sum_axis(Axis(0));
    sum.insert_axis(Axis(0)).insert_axis(Axis(0)).insert_axis(Axis(0))
}
