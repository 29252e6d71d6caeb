//! Oracles and trials of `convolve_weights`.

use super::convolve::from;
use crate::kernel::nn::convolve::Geometry;
use crate::size::Size;
use ndarray::{Array3, Array4};

/// The gradient of [`super::convolve()`] in its weights, `[taps][ci][co]`. It is the sum over pixels of `src`
/// `[n][h][w][ci]` times the upstream gradient `grad`.
pub fn convolve_weights(src: &Array4<f64>, grad: &Array4<f64>, geometry: Geometry) -> Array3<f64> {
    let (_, h, w, ci) = src.dim();
    let (n, rows, columns, co) = grad.dim();
    let mut dst = Array3::zeros((geometry.taps(), ci, co));
    for image in 0..n {
        for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            for t in 0..geometry.taps() {
                if let Some([sy, sx]) = from(geometry, [y, x], t, Size::new(w, h)) {
                    for i in 0..ci {
                        let value = src[[image, sy, sx, i]];
                        (0..co).for_each(|o| dst[[t, i, o]] += value * grad[[image, y, x, o]]);
                    }
                }
            }
        }
    }
    dst
}

pub(super) mod trial {
    use crate::kernel::core::reduce;
    use crate::kernel::form::Form;
    use crate::kernel::nn::convolve_weights::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &convolve_weights::CONVOLVE_WEIGHTS,
        sizes: &[
            TrialSize::batch(1, Size::square(1), 1, 1),
            TrialSize::batch(5, Size::new(2, 3), 2, 3),
            TrialSize::batch(2, Size::new(5, 3), 133, 150),
            TrialSize::batch(1, Size::new(13, 7), 5, 37),
            TrialSize::batch(128, Size::new(3, 1), 3, 2),
            TrialSize::batch(33, Size::new(3, 2), 18, 5),
            TrialSize::batch(1, Size::new(47, 41), 3, 5),
            TrialSize::batch(1, Size::new(55, 1), 41, 70),
            TrialSize::batch(4, Size::square(15), 32, 32),
        ],
        record: convolve_weights,
    }];

    fn convolve_weights(
        rec: &mut Recorder,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
    ) -> Vec<Expect> {
        let [ci, co] = size.channels;
        let geometry = GEOMETRIES[constant(spec, "GEOMETRY") as usize];
        let src = made_up::random(rng, size.shape(ci));
        let grad = made_up::random(rng, Shape::images(size.planes, geometry.result(size.image), co));
        let expected = oracle::convolve_weights(&src, &grad, geometry);
        let (src, grad) = (made_up::upload(rec, "source", &src), made_up::upload(rec, "gradient", &grad));
        let form = Form::of(spec);
        let variant = match form.lanes() {
            None => Variant { form, rows: 1, width: 1 },
            Some(_) => Variant { form, rows: constant(spec, "ROWS"), width: constant(spec, "WIDTH") },
        };
        let (parts, count) = record_variant(rec, variant, geometry, [src, grad], 64);
        let dst = Tensor::scratch(rec, "weight gradient", geometry.weights(ci, co));
        reduce::record(rec, parts.buf, count, dst);
        vec![made_up::expect_weights(dst, &expected, 1e-6)]
    }
}
