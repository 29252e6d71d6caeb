use crate::kernel::nn::upsample::Upsampling;
use ndarray::Array4;

/// Upsamples `x` `[n][h][w][c]` to twice its rows and columns.
pub fn upsample(x: &Array4<f64>, mode: Upsampling) -> Array4<f64> {
    let (n, h, w, c) = x.dim();
    Array4::from_shape_fn((n, 2 * h, 2 * w, c), |(n, row, column, c)| {
        let across =
            |y| taps(column, w, mode).iter().map(|(x_, share)| share * x[(n, y, *x_, c)]).sum::<f64>();
        taps(row, h, mode).iter().map(|(y, share)| share * across(*y)).sum()
    })
}

/// Returns the two source indices (of `n`) for index `i` of the result, with their shares.
pub(super) fn taps(i: usize, n: usize, mode: Upsampling) -> [(usize, f64); 2] {
    match mode {
        Upsampling::Nearest => [(i / 2, 1.0), (i / 2, 0.0)],
        Upsampling::Bilinear => {
            let at = ((i as f64 + 0.5) / 2.0 - 0.5).clamp(0.0, (n - 1) as f64);
            let low = at as usize;
            [(low, 1.0 - at.fract()), ((low + 1).min(n - 1), at.fract())]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_as_pytorch_has_it() {
        let x = Array4::from_shape_vec((1, 1, 3, 1), vec![0.0, 4.0, 16.0]).unwrap();
        for (mode, expected) in [
            (Upsampling::Nearest, [0.0, 0.0, 4.0, 4.0, 16.0, 16.0]),
            (Upsampling::Bilinear, [0.0, 1.0, 3.0, 7.0, 13.0, 16.0]),
        ] {
            assert_eq!(upsample(&x, mode).into_raw_vec_and_offset().0, expected.repeat(2), "{mode}");
        }
    }
}
