//! Oracles and trials of `confidence`, `local_mean`.

use crate::size::Size;
use ndarray::{Array1, Array2};

/// The calibrated confidence from the trace `[n][4]` (ln μ, spread, trusted fraction, coherence).
pub fn confidence(trace: &Array2<f64>, mask: &Array1<f64>, size: Size, radius: usize) -> Array1<f64> {
    let log = trace.column(0).to_owned();
    let mean = local_mean(&log, mask, size, radius);
    let variance = local_mean(&(&log - &mean).mapv(|d| d * d), mask, size, radius);
    Array1::from_shape_fn(mask.len(), |i| {
        let t = trace.row(i);
        let error = 0.0155
            + 0.0081 * (1.0 - t[3]).clamp(0.0, 1.0).sqrt()
            + 0.0194 * t[1].min(1.0)
            + 0.0489 * (1.0 - t[2])
            + 2.0 * variance[i].sqrt().min(1.0);
        if mask[i] > 0.0 && t[2] > 0.0 && t[3] > 0.0 { (1.0 - error).clamp(0.0, 1.0) } else { 0.0 }
    })
}

/// The mean under the mask, over the box of `2 radius + 1` pixels about each pixel; 0 if no pixel of the box is inside.
pub fn local_mean(
    values: &Array1<f64>,
    mask: &Array1<f64>,
    Size { nx, ny }: Size,
    radius: usize,
) -> Array1<f64> {
    let image = Array2::from_shape_fn((ny, nx), |(y, x)| (values[y * nx + x], mask[y * nx + x] > 0.0));
    let span = |i: usize, n: usize| i.saturating_sub(radius)..(i + radius + 1).min(n);
    Array1::from_shape_fn(ny * nx, |i| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (value, inside) in image.slice(ndarray::s![span(i / nx, ny), span(i % nx, nx)]) {
            if *inside {
                sum += value;
                count += 1.0;
            }
        }
        sum / f64::max(count, 1.0)
    })
}

pub(super) mod trial {
    use crate::kernel::mre::confidence;
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        Trial {
            kernel: &confidence::CONFIDENCE,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(1, Size::new(47, 41)),
                TrialSize::new(1, Size::square(256)),
            ],
            record: confidence,
        },
        Trial {
            kernel: &confidence::LOCAL_MEAN,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(1, Size::new(47, 41)),
                TrialSize::new(1, Size::square(256)),
            ],
            record: local_mean,
        },
    ];

    fn confidence(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        // Some pixels have no trusted pixel in their box, or no wave.
        let some = |rng: &mut fastrand::Rng| if rng.u8(..) < 20 { 0.0 } else { rng.f32() };
        let trace: Vec<[f32; 4]> =
            (0..n).map(|_| [0.2 * rng.f32() + 1.0, 1.2 * rng.f32(), some(rng), 1.1 * some(rng)]).collect();
        let mask = oracle::blot(rng, size.image);
        let (src, inside) = (rec.constant("trace", &trace), rec.constant("mask", &mask));
        let maps = rec.output::<f32>("maps", MmdiMap::ALL.len() * n);
        confidence::record(rec, src, inside, maps, size.image, 4);
        let values = oracle::confidence(&oracle::wide4(&trace), &oracle::wide(&mask), size.image, 4);
        let mut expected = vec![f64::NAN; MmdiMap::ALL.len() * n];
        expected[MmdiMap::Confidence as usize * n..][..n].copy_from_slice(&values.to_vec());
        vec![Expect::in_buffer(maps, expected, 1e-5)]
    }

    fn local_mean(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let trace: Vec<[f32; 4]> =
            (0..size.pixels()).map(|_| [rng.f32() - 0.3, f32::NAN, 0.0, 0.0]).collect();
        let mask = oracle::blot(rng, size.image);
        let (src, inside) = (rec.constant("trace", &trace), rec.constant("mask", &mask));
        let dst = confidence::record_local_mean(rec, src, inside, size.image, 4);
        let log = oracle::wide4(&trace).column(0).to_owned();
        let expected = oracle::local_mean(&log, &oracle::wide(&mask), size.image, 4);
        vec![Expect::in_buffer(dst, expected.to_vec(), 1e-6)]
    }
}
