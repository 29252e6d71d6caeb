use crate::kernel::signal::fft::Axis;
use ndarray::{Array1, Array3};
use num_complex::Complex64;

/// Returns `src[k] table[k]` for k < `kept`, else 0, in lines of `n_dst` values; `conjugated` conjugates the
/// table.
pub fn chirp(
    values: &Array1<Complex64>,
    table: &Array1<Complex64>,
    axis: Axis,
    n_dst: usize,
    kept: usize,
    conjugated: bool,
) -> Array1<Complex64> {
    let cube = values.to_shape((axis.outer, axis.n, axis.inner)).expect("the axis describes the array");
    let weight = |k: usize| if conjugated { table[k].conj() } else { table[k] };
    let product = |(o, k, i)| if k < kept { cube[[o, k, i]] * weight(k) } else { Complex64::ZERO };
    Array3::from_shape_fn((axis.outer, n_dst, axis.inner), product).into_flat()
}
