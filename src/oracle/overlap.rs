use super::view::shown;
use ndarray::{Array1, Array2, Array4};

/// Combines the predictions `[n][side][side][1]` at each pixel inside a mask. Returns their weighted mean,
/// weighted sum of squared deviations, sum of weights, and number. `places` are (x, y, weight, view); `window`
/// weights the rows and columns of a patch.
pub fn overlap(
    mask: &Array1<f64>,
    [nx, ny]: [usize; 2],
    places: &[[f32; 4]],
    window: &[f32],
    predictions: &Array4<f64>,
) -> Array2<f64> {
    let mut each: Vec<Vec<[f64; 2]>> = vec![vec![]; nx * ny];
    for (place, predicted) in places.iter().zip(predictions.outer_iter()) {
        for ((row, column, _), value) in predicted.indexed_iter() {
            let [row, column] = shown(place[3] as u32, [row, column], window.len());
            let [y, x] = [place[1] as i64 + row as i64, place[0] as i64 + column as i64];
            if (0..ny as i64).contains(&y) && (0..nx as i64).contains(&x) {
                let weight = [place[2], window[row], window[column]].map(f64::from).iter().product();
                each[y as usize * nx + x as usize].push([*value, weight]);
            }
        }
    }
    let mut state = Array2::zeros((nx * ny, 4));
    for (i, each) in each.iter().enumerate().filter(|(i, each)| mask[*i] > 0.0 && !each.is_empty()) {
        let weights: f64 = each.iter().map(|[_, w]| w).sum();
        let mean = each.iter().map(|[v, w]| v * w).sum::<f64>() / weights;
        let squares: f64 = each.iter().map(|[v, w]| w * (v - mean).powi(2)).sum();
        state.row_mut(i).assign(&ndarray::arr1(&[mean, squares, weights, each.len() as f64]));
    }
    state
}
