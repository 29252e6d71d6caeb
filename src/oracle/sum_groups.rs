use ndarray::{Array4, Axis, s};

/// Sums one column over images and rows: `[1][1][1][c]`.
pub fn sum_groups(src: &Array4<f64>, column: usize) -> Array4<f64> {
    let sum = src.slice(s![.., .., column, ..]).sum_axis(Axis(0)).sum_axis(Axis(0));
    sum.insert_axis(Axis(0)).insert_axis(Axis(0)).insert_axis(Axis(0))
}
