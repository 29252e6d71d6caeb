use ndarray::{Array3, Array4, Axis, s};

/// The mean over a square box of `2 radius + 1` pixels, for planes `[p][n][4]` of an image of `nx` × `ny`
/// pixels. Pixels outside the image count as zero.
pub fn window(planes: &Array3<f64>, [nx, ny]: [usize; 2], radius: usize) -> Array3<f64> {
    let dim = planes.dim();
    let mut image: Array4<f64> =
        planes.to_shape((dim.0, ny, nx, 4)).expect("the planes fill the image").to_owned();
    for axis in [1, 2] {
        let n = image.len_of(Axis(axis));
        let before = image.clone();
        for k in 0..n {
            let span = ndarray::Slice::from(k.saturating_sub(radius)..(k + radius + 1).min(n));
            let sum = before.slice_axis(Axis(axis), span).sum_axis(Axis(axis));
            image.index_axis_mut(Axis(axis), k).assign(&(sum / (2 * radius + 1) as f64));
        }
    }
    image.slice(s![.., .., .., ..]).to_shape(dim).expect("the shape is unchanged").to_owned()
}
