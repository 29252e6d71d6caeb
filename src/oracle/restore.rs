use ndarray::Array1;
use num_complex::Complex64;

/// Returns `field` inside the mask and `continued` outside.
pub fn restore(
    field: &Array1<Complex64>,
    mask: &Array1<f64>,
    continued: &Array1<Complex64>,
) -> Array1<Complex64> {
    Array1::from_shape_fn(field.len(), |i| if mask[i] > 0.0 { field[i] } else { continued[i] })
}
