//! Oracles and trials of `upsample`, `upsample_grad`.

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

/// The gradient of [`super::upsample()`] in its input, from the upstream gradient `grad`.
pub fn upsample_grad(grad: &Array4<f64>, mode: Upsampling) -> Array4<f64> {
    let (n, h, w, c) = grad.dim();
    let mut out = Array4::zeros((n, h / 2, w / 2, c));
    for ((n, row, column, c), g) in grad.indexed_iter() {
        for (y, a) in taps(row, h / 2, mode) {
            for (x, b) in taps(column, w / 2, mode) {
                out[(n, y, x, c)] += a * b * g;
            }
        }
    }
    out
}

pub(super) mod trial {
    use crate::kernel::nn::upsample::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial { kernel: &upsample::UPSAMPLE, sizes: made_up::SIZES, record: upsample },
        Trial { kernel: &upsample::UPSAMPLE_GRAD, sizes: made_up::SIZES, record: upsample_grad },
    ];

    fn upsample(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let mode = Upsampling::ALL[constant(spec, "MODE") as usize];
        let x = made_up::random(rng, size.shape(size.channels[0]));
        let src = made_up::upload(rec, "input", &x);
        let dst = made_up::room(rec, "upsampled", mode.shape(src.shape));
        upsample::record(rec, src, mode, dst);
        vec![made_up::expect(dst, &oracle::upsample(&x, mode), 1e-6)]
    }

    fn upsample_grad(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
        let mode = Upsampling::ALL[constant(spec, "MODE") as usize];
        let shape = size.shape(size.channels[0]);
        let g = made_up::random(rng, mode.shape(shape));
        let grad = made_up::upload(rec, "upstream", &g);
        let dst = made_up::room(rec, "gradient", shape);
        upsample::record_grad(rec, grad, mode, dst);
        vec![made_up::expect(dst, &oracle::upsample_grad(&g, mode), 1e-6)]
    }
}

#[cfg(test)]
mod upsample_tests {
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

#[cfg(test)]
mod upsample_grad_tests {
    use super::*;
    use crate::proof::differences::assert_gradient;
    use crate::proof::oracle::upsample;
    use crate::proof::trial::random;
    use crate::tensor::Shape;

    #[test]
    fn is_the_derivative_of_upsampling() {
        let mut rng = fastrand::Rng::with_seed(2);
        for mode in Upsampling::ALL {
            for shape in [Shape::new(2, 3, 5, 3), Shape::new(1, 1, 1, 2)] {
                let x = random(&mut rng, shape);
                let upstream = random(&mut rng, mode.shape(shape));
                assert_gradient(&x, &upstream, &upsample_grad(&upstream, mode), |x| upsample(x, mode));
            }
        }
    }
}
