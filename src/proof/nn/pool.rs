//! Oracles and trials of `pool`, `pool_grad`.

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

/// The gradient of [`super::pool()`] in `x`, from the upstream gradient `grad`. For the maximum it goes to the first
/// greatest pixel of a window; for the average, equally to all four.
pub fn pool_grad(x: &Array4<f64>, grad: &Array4<f64>, mode: Pooling) -> Array4<f64> {
    let mut out = Array4::zeros(x.dim());
    for ((n, row, column, c), g) in grad.indexed_iter() {
        let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, x)| (n, 2 * row + y, 2 * column + x, c));
        match mode {
            Pooling::Max => {
                let later = |a, b| if greater(x[b], x[a]) { b } else { a };
                out[window.into_iter().reduce(later).expect("four pixels")] += g;
            }
            Pooling::Average => window.into_iter().for_each(|at| out[at] += g / 4.0),
        }
    }
    out
}

pub(super) mod trial {
    use crate::kernel::nn::pool::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &pool::POOL, sizes: made_up::SIZES, record: pool },
        Trial { kernel: &pool::POOL_GRAD, sizes: made_up::SIZES, record: pool_grad },
    ];

    /// Values with many ties, and a few NaN.
    pub(crate) fn values(rng: &mut fastrand::Rng, shape: Shape) -> Array4<f64> {
        let coarse = made_up::random(rng, shape).mapv(|v| (2.0 * v).round() / 2.0);
        coarse.mapv(|v| if rng.u8(..) < 8 { f64::NAN } else { v })
    }

    fn pool(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let mode = Pooling::ALL[constant(spec, "MODE") as usize];
        let x = values(rng, size.shape(size.channels[0]));
        let src = made_up::upload(rec, "input", &x);
        let dst = made_up::room(rec, "pooled", mode.shape(src.shape));
        pool::record(rec, src, mode, dst);
        vec![made_up::expect(dst, &oracle::pool(&x, mode), 0.0)]
    }

    fn pool_grad(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let mode = Pooling::ALL[constant(spec, "MODE") as usize];
        let shape = size.shape(size.channels[0]);
        let (x, g) = (values(rng, shape), made_up::random(rng, mode.shape(shape)));
        let input = made_up::upload(rec, "input", &x);
        let grad = made_up::upload(rec, "upstream", &g);
        let dst = made_up::room(rec, "gradient", shape);
        pool::record_grad(rec, input, grad, mode, dst);
        vec![made_up::expect(dst, &oracle::pool_grad(&x, &g, mode), 0.0)]
    }
}

#[cfg(test)]
mod pool_tests {
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

#[cfg(test)]
mod pool_grad_tests {
    use super::*;
    use crate::proof::differences::assert_gradient;
    use crate::proof::oracle::pool;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_pooling() {
        let mut rng = fastrand::Rng::with_seed(1);
        for mode in Pooling::ALL {
            let x = random(&mut rng, Shape::new(2, 5, 7, 3));
            let upstream = random(&mut rng, Shape::new(2, 2, 3, 3));
            assert_gradient(&x, &upstream, &pool_grad(&x, &upstream, mode), |x| pool(x, mode));
        }
    }

    #[test]
    fn of_equal_maxima_the_first_has_it() {
        let x = Array4::from_shape_vec((1, 2, 2, 1), vec![0.0, 1.0, 1.0, 1.0]).unwrap();
        let gradient = pool_grad(&x, &Array4::ones((1, 1, 1, 1)), Pooling::Max);
        assert_eq!(gradient.into_raw_vec_and_offset().0, [0.0, 1.0, 0.0, 0.0]);
    }
}
