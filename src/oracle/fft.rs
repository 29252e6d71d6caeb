use crate::kernel::signal::fft::{Axis, Direction};
use ndarray::Array1;
use num_complex::Complex64;
use rustfft::FftPlanner;

/// The Fourier transform along `axis`, by rustfft. The inverse is scaled by 1/n.
pub fn fft(values: &Array1<Complex64>, axis: Axis, way: Direction) -> Array1<Complex64> {
    let mut planner = FftPlanner::new();
    let (transform, scale) = match way {
        Direction::Forward => (planner.plan_fft_forward(axis.n), 1.0),
        Direction::Inverse => (planner.plan_fft_inverse(axis.n), 1.0 / axis.n as f64),
    };
    let cube = values.to_shape((axis.outer, axis.n, axis.inner)).expect("the axis describes the array");
    let mut cube = cube.to_owned();
    for mut line in cube.lanes_mut(ndarray::Axis(1)) {
        let mut copy = line.to_vec();
        transform.process(&mut copy);
        line.assign(&(Array1::from(copy) * scale));
    }
    cube.into_flat()
}

/// The 2-D Fourier transform of images `[..][ny][nx]`.
pub fn fft2(values: &Array1<Complex64>, [nx, ny]: [usize; 2], way: Direction) -> Array1<Complex64> {
    let planes = values.len() / (nx * ny);
    let rows = fft(values, Axis { outer: planes * ny, n: nx, inner: 1 }, way);
    fft(&rows, Axis { outer: planes, n: ny, inner: nx }, way)
}
