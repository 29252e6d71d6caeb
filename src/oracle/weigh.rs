use ndarray::{Array1, Array2, Array3, s};

/// Returns the three planes of `kernels/weigh.wgsl`, `[3][n][4]`.
pub fn weigh(products: &Array2<f64>, residual: &Array1<f64>, trust: &Array1<f64>) -> Array3<f64> {
    let n = residual.len();
    let mut planes = Array3::zeros((3, n, 4));
    planes.slice_mut(s![2, .., ..]).assign(products);
    for i in 0..n {
        for k in 0..4 {
            planes[[0, i, k]] = trust[i] * products[[i, k]];
            planes[[1, i, k]] = [trust[i] * residual[i], trust[i], residual[i], 0.0][k];
        }
    }
    planes
}
