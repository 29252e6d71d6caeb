use crate::kernel::tiles::overlap::Settling;
use ndarray::Array2;

/// Converts (mean, squares, weights, count) to (scaled mean, uncertainty, 1, scaled spread); 0 if the count is
/// 0.
pub fn settle(state: &Array2<f64>, how: Settling) -> Array2<f64> {
    let Settling { scale, floor, slope } = how;
    Array2::from_shape_fn(state.raw_dim(), |(i, k)| {
        let spread = (state[[i, 1]].max(0.0) / state[[i, 2]].max(f64::MIN_POSITIVE)).sqrt();
        let settled = [scale * state[[i, 0]], scale * floor.hypot(slope * spread), 1.0, scale * spread];
        if state[[i, 3]] > 0.0 { settled[k] } else { 0.0 }
    })
}
