use ndarray::{Array1, Array2};

/// The mean under the mask, over the box of `2 radius + 1` pixels about each pixel; 0 if no pixel of the box is
/// inside.
pub fn local_mean(
    values: &Array1<f64>,
    mask: &Array1<f64>,
    [nx, ny]: [usize; 2],
    radius: usize,
) -> Array1<f64> {
    let image = Array2::from_shape_fn((ny, nx), |(y, x)| (values[y * nx + x], mask[y * nx + x] > 0.0));
    let span = |i: usize, n: usize| i.saturating_sub(radius)..(i + radius + 1).min(n);
    Array1::from_shape_fn(ny * nx, |i| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (value, inside) in image.slice(ndarray::s![span(i / nx, ny), span(i % nx, nx)]) {
            if *inside {
                sum += value;
                count += 1.0;
            }
        }
        sum / f64::max(count, 1.0)
    })
}
