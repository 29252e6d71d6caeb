use ndarray::{Array1, Array2};

/// Returns channels 0, 1 and 3 of an image as planes; 0 where the mask or channel 2 is not above 0.
pub fn unstack(src: &Array2<f64>, mask: &Array1<f64>) -> Array2<f64> {
    Array2::from_shape_fn((3, mask.len()), |(k, i)| {
        if mask[i] > 0.0 && src[[i, 2]] > 0.0 { src[[i, [0, 1, 3][k]]] } else { 0.0 }
    })
}
