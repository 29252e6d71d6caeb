//! Oracles and trials of `window`, `weigh`, `erode`.

use crate::size::Size;
use ndarray::{Array1, Array2, Array3, Array4, Axis, s};

/// The mean over a square box of `2 radius + 1` pixels, for planes `[p][n][4]` of an image of this size.
/// Pixels outside the image count as zero.
pub fn window(planes: &Array3<f64>, Size { nx, ny }: Size, radius: usize) -> Array3<f64> {
    let dim = planes.dim();
    let mut image: Array4<f64> =
        planes.to_shape((dim.0, ny, nx, 4)).expect("the planes fill the image").to_owned();
    for axis in [1, 2] {
        let n = image.len_of(Axis(axis));
        let before = image.clone();
        for k in 0..n {
            let span = ndarray::Slice::from(k.saturating_sub(radius)..(k + radius + 1).min(n));
            let sum = before.slice_axis(Axis(axis), span).sum_axis(Axis(axis));
            image.index_axis_mut(Axis(axis), k).assign(&(sum / (2 * radius + 1) as f64));
        }
    }
    image.slice(s![.., .., .., ..]).to_shape(dim).expect("the shape is unchanged").to_owned()
}

/// Returns the three planes of `kernels/mre/weigh.wgsl`, `[3][n][4]`.
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

/// Returns 1 if every pixel within `radius` steps is in the image and in the mask `[ny][nx]`, else 0. This equals
/// `radius` erosions by a cross of five pixels.
pub fn erode(mask: &Array1<f64>, Size { nx, ny }: Size, radius: usize) -> Array1<f64> {
    let mask = mask.mapv(|m| m > 0.0).into_shape_with_order((ny, nx)).expect("the mask fills the image");
    crate::stats::erode::erode(mask.view(), radius).mapv(|m| if m { 1.0 } else { 0.0 }).into_flat()
}

pub(super) mod trial {
    use crate::kernel::mre::window::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &window::WINDOW,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(3, Size::new(47, 41)),
                TrialSize::new(12, Size::square(256)),
            ],
            record: window,
        },
        Trial {
            kernel: &window::WEIGH,
            sizes: &[
                TrialSize::new(3, Size::new(3, 1)),
                TrialSize::new(3, Size::new(47, 41)),
                TrialSize::new(3, Size::square(256)),
            ],
            record: weigh,
        },
        // The planes of a size are the radius here.
        Trial {
            kernel: &window::ERODE,
            sizes: &[
                TrialSize::new(0, Size::new(5, 3)),
                TrialSize::new(3, Size::new(47, 41)),
                TrialSize::new(2, Size::new(47, 3)),
                TrialSize::new(7, Size::square(256)),
            ],
            record: erode,
        },
    ];

    fn window(rec: &mut Recorder, spec: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let radius = 2 + constant(spec, "AXIS") as usize * 4;
        let values: Vec<[f32; 4]> =
            (0..size.planes * size.pixels()).map(|_| std::array::from_fn(|_| rng.f32())).collect();
        let src = rec.constant("planes", &values);
        let span = |first, planes, radius| Span { first, planes, radius };
        let spans = [span(0, 1, radius), span(1, size.planes - 1, radius + 1)];
        let spans = if size.planes == 1 { &spans[..1] } else { &spans[..] };
        let dst = window::record(rec, src, size.image, spans);
        let all = oracle::wide4(&values);
        let expected = spans.iter().flat_map(|s| {
            let rows = s.first * size.pixels()..(s.first + s.planes) * size.pixels();
            let part = all.slice(s![rows, ..]).to_owned();
            let part = part.into_shape_with_order((s.planes, size.pixels(), 4)).expect("shape");
            oracle::flat_real(&oracle::window(&part, size.image, s.radius))
        });
        vec![Expect::in_buffer(dst, expected.collect(), 1e-6)]
    }

    fn weigh(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        let products: Vec<[f32; 4]> = (0..n).map(|_| std::array::from_fn(|_| rng.f32())).collect();
        let residual: Vec<f32> = (0..n).map(|_| rng.f32()).collect();
        let trust = oracle::blot(rng, size.image);
        let from = [
            rec.constant("products", &products),
            rec.constant("residual", &residual),
            rec.constant("trust", &trust),
        ];
        // Written from plane 2 of 5. The other planes must stay NaN.
        let dst = rec.output::<[f32; 4]>("planes", 5 * n);
        window::record_weigh(rec, from, dst, 2, n);
        let planes =
            oracle::weigh(&oracle::wide4(&products), &oracle::wide(&residual), &oracle::wide(&trust));
        let expected = [vec![f64::NAN; 8 * n], oracle::flat_real(&planes)].concat();
        vec![Expect::in_buffer(dst, expected, 1e-7)]
    }

    fn erode(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let mask = oracle::blot(rng, size.image);
        let src = rec.constant("mask", &mask);
        let dst = window::record_erode(rec, src, size.image, size.planes);
        let expected = oracle::erode(&oracle::wide(&mask), size.image, size.planes);
        vec![Expect::in_buffer(dst, expected.to_vec(), 0.0)]
    }
}
