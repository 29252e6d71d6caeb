use ndarray::{Array3, Axis};

/// Swaps input and output channels of weights `[taps][ci][co]`; `reverse` also reverses the taps.
pub fn flip(weights: &Array3<f64>, reverse: bool) -> Array3<f64> {
    let mut flipped = weights.clone();
    if reverse {
        flipped.invert_axis(Axis(0));
    }
    flipped.permuted_axes([0, 2, 1]).as_standard_layout().into_owned()
}
