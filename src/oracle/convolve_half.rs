use super::convolve;
use crate::kernel::nn::convolve::Geometry;
use ndarray::{Array3, Array4};

/// [`convolve`] with both factors rounded to half precision.
pub fn convolve_half(src: &Array4<f64>, weights: &Array3<f64>, geometry: Geometry) -> Array4<f64> {
    // Converted via f32, because the device rounds from f32.
    let half = |v: &f64| f64::from(half::f16::from_f32(*v as f32));
    convolve(&src.map(half), &weights.map(half), None, geometry)
}
