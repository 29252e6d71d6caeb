use ndarray::Array4;

/// Pads `x` `[n][h][w][c]` to `rows` × `columns` by reflection at its last row and column.
pub fn pad(x: &Array4<f64>, [rows, columns]: [usize; 2]) -> Array4<f64> {
    let (n, h, w, c) = x.dim();
    Array4::from_shape_fn((n, rows, columns, c), |(n, row, column, c)| {
        x[(n, mirror(row, h), mirror(column, w), c)]
    })
}

/// Returns the source index of index `i`, for `n` source pixels.
pub(super) fn mirror(i: usize, n: usize) -> usize {
    if i < n { i } else { 2 * (n - 1) - i }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_column_equals_the_last_but_one() {
        let x = Array4::from_shape_vec((1, 1, 3, 1), vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(pad(&x, [1, 4]).into_raw_vec_and_offset().0, [1.0, 2.0, 3.0, 2.0]);
    }
}
