use ndarray::Array1;

/// 1 where every pixel within `radius` steps lies in the image and in the mask `[ny][nx]`: `radius`
/// erosions by the cross of five.
pub fn erode(mask: &Array1<f64>, [nx, ny]: [usize; 2], radius: usize) -> Array1<f64> {
    let mask = mask.mapv(|m| m > 0.0).into_shape_with_order((ny, nx)).expect("the mask fills the image");
    crate::stats::erode::erode(mask.view(), radius).mapv(|m| if m { 1.0 } else { 0.0 }).into_flat()
}
