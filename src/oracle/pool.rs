use crate::kernel::nn::pool::Pooling;
use ndarray::{Array4, s};

/// Pools windows of 2 × 2 pixels of `x` `[n][h][w][c]`. An odd last row or column is dropped.
pub fn pool(x: &Array4<f64>, mode: Pooling) -> Array4<f64> {
    let (n, h, w, c) = x.dim();
    Array4::from_shape_fn((n, h / 2, w / 2, c), |(n, y, x_, c)| {
        let window = x.slice(s![n, 2 * y..2 * y + 2, 2 * x_..2 * x_ + 2, c]);
        match mode {
            Pooling::Max => window.iter().copied().reduce(|a, b| if greater(b, a) { b } else { a }),
            Pooling::Average => window.mean(),
        }
        .expect("a window has four pixels")
    })
}

/// Reports whether a is greater than b; NaN counts as greater than everything.
pub(super) fn greater(a: f64, b: f64) -> bool {
    a > b || a.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f64], h: usize) -> Array4<f64> {
        Array4::from_shape_vec((1, h, values.len() / h, 1), values.to_vec()).unwrap()
    }

    #[test]
    fn an_odd_last_row_and_column_are_dropped() {
        let x = column(&[1.0, 2.0, 9.0, 3.0, 6.0, 9.0, 9.0, 9.0, 9.0], 3);
        assert_eq!(pool(&x, Pooling::Max), column(&[6.0], 1));
        assert_eq!(pool(&x, Pooling::Average), column(&[3.0], 1));
        assert!(pool(&column(&[1.0, 2.0], 1), Pooling::Max).is_empty());
    }

    #[test]
    fn a_maximum_passes_nan_on() {
        for at in 0..4 {
            let mut x = column(&[1.0, 2.0, 3.0, 4.0], 2);
            x[[0, at / 2, at % 2, 0]] = f64::NAN;
            assert!(pool(&x, Pooling::Max)[[0, 0, 0, 0]].is_nan());
        }
    }
}
