use ndarray::Array1;

/// Returns 1 if every pixel within `radius` steps is in the image and in the mask `[ny][nx]`, else 0. This
/// equals `radius` erosions by the cross of five pixels.
pub fn erode(mask: &Array1<f64>, [nx, ny]: [usize; 2], radius: usize) -> Array1<f64> {
    let mask = mask.mapv(|m| m > 0.0).into_shape_with_order((ny, nx)).expect("the mask fills the image");
    crate::stats::erode::erode(mask.view(), radius).mapv(|m| if m { 1.0 } else { 0.0 }).into_flat()
}
