//! Oracles and trials of `convolve`.

use crate::kernel::nn::convolve::Geometry;
use crate::size::Size;
use ndarray::{Array3, Array4};

/// The source pixel that tap `t` of a convolution reads for pixel (y, x) of the result; `None` outside the image.
pub(super) fn from(
    geometry: Geometry,
    [y, x]: [usize; 2],
    t: usize,
    Size { nx, ny }: Size,
) -> Option<[usize; 2]> {
    match geometry {
        Geometry::Three => {
            let [y, x] = [(y + t / 3).checked_sub(1)?, (x + t % 3).checked_sub(1)?];
            (y < ny && x < nx).then_some([y, x])
        }
        Geometry::One => Some([y, x]),
        Geometry::Up => (2 * (y % 2) + x % 2 == t).then_some([y / 2, x / 2]),
        Geometry::Down => Some([2 * y + t / 2, 2 * x + t % 2]),
        Geometry::Tiles => (y == t).then_some([y, x]),
    }
}

/// Convolves `src` `[n][h][w][ci]` with `weights` `[taps][ci][co]`, summed over taps and input channels, and adds
/// `bias`.
pub fn convolve(
    src: &Array4<f64>,
    weights: &Array3<f64>,
    bias: Option<&[f64]>,
    geometry: Geometry,
) -> Array4<f64> {
    let (n, h, w, ci) = src.dim();
    let (taps, _, co) = weights.dim();
    let size = Size::new(w, h);
    let to = geometry.result(size);
    let mut dst = Array4::from_shape_fn((n, to.ny, to.nx, co), |(.., o)| bias.map_or(0.0, |b| b[o]));
    for ((image, y, x, o), sum) in dst.indexed_iter_mut() {
        for t in 0..taps {
            if let Some([sy, sx]) = from(geometry, [y, x], t, size) {
                *sum += (0..ci).map(|i| src[[image, sy, sx, i]] * weights[[t, i, o]]).sum::<f64>();
            }
        }
    }
    dst
}

pub(super) mod trial {
    use crate::kernel::form::Form;
    use crate::kernel::nn::convolve::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[Trial {
        kernel: &convolve::CONVOLVE,
        sizes: &[
            TrialSize::batch(1, Size::square(1), 1, 1),
            TrialSize::batch(5, Size::new(2, 3), 2, 3),
            TrialSize::batch(2, Size::new(5, 3), 133, 150),
            TrialSize::batch(1, Size::new(13, 7), 5, 37),
            TrialSize::batch(128, Size::new(3, 1), 3, 2),
            TrialSize::batch(33, Size::new(3, 2), 18, 5),
            TrialSize::batch(1, Size::new(47, 41), 3, 5),
            TrialSize::batch(1, Size::new(55, 1), 1, 70),
            TrialSize::batch(4, Size::square(15), 32, 32),
        ],
        record: convolve,
    }];

    fn convolve(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        tried(
            rec,
            Form::of(spec),
            spec,
            size,
            rng,
            (&|src, weights, g| oracle::convolve(src, weights, None, g), 1e-6),
        )
    }

    /// An oracle, and the tolerance of its kernel.
    type Judge<'a> = (&'a dyn Fn(&Array4<f64>, &Array3<f64>, Geometry) -> Array4<f64>, f64);

    /// Records the trial of `convolve` or `convolve_half`.
    pub(crate) fn tried(
        rec: &mut Recorder,
        form: Form,
        spec: &Spec,
        size: TrialSize,
        rng: &mut fastrand::Rng,
        (oracle, tolerance): Judge,
    ) -> Vec<Expect> {
        let [ci, co] = size.channels;
        let geometry = Geometry::ALL[constant(spec, "GEOMETRY") as usize];
        let small = size.shape(ci);
        let src = match geometry {
            Geometry::Down => Shape { h: 2 * small.h, w: 2 * small.w, ..small },
            Geometry::Tiles => Shape::new(small.pixels(), 16, 1, ci),
            _ => small,
        };
        let src = made_up::random(rng, src);
        let weights = made_up::weights(rng, geometry, [ci, co]);
        let finishing =
            made_up::finish(rec, rng, FinishKind::ALL[constant(spec, "FINISH") as usize], &weights);
        let (weights, expected) = (finishing.weights, oracle(&src, &weights, geometry));
        let (src, finish) = (made_up::upload(rec, "source", &src), finishing.finish);
        let (n, h, w, _) = expected.dim();
        let dst = made_up::room(rec, "result", Shape::new(n, h, w, co));
        convolve::record(rec, form, geometry, src, (weights, finish), dst);
        vec![made_up::expect(dst, &finishing.oracle(expected), tolerance)]
    }
}
