//! Oracles and trials of `combine`.

use crate::kernel::mre::combine::{Models, SAMPLES};
use crate::kernel::mre::planes::MmdiMap;
use ndarray::{Array1, Array2, Array3, s};
use num_complex::Complex64;

/// The result of the combination.
pub struct Combined {
    /// Maps `[plane][n]`; planes that the combination does not write are NaN.
    pub maps: Vec<f64>,
    /// (ln μ, spread, trusted fraction, coherence after correction), `[n][4]`.
    pub trace: Array2<f64>,
}

/// The multimodel inversion of the box means `[4 · 3 · n][4]`.
pub fn combine(sums: &Array2<f64>, mask: &Array1<f64>, models: &Models) -> Combined {
    let n = mask.len();
    let planes: Array3<f64> = sums.to_shape((12, n, 4)).expect("12 planes").to_owned();
    let mut maps = vec![f64::NAN; MmdiMap::ALL.len() * n];
    let mut trace = Array2::zeros((n, 4));
    for i in 0..n {
        let pixel = Pixel::new(planes.slice(s![.., i, ..]).to_owned(), models);
        trace.row_mut(i).assign(&Array1::from(pixel.trace.to_vec()));
        let inside = mask[i] > 0.0;
        for (plane, value) in pixel.maps {
            maps[plane as usize * n + i] = if inside { value } else { 0.0 };
        }
    }
    Combined { maps, trace }
}

struct Pixel {
    maps: [(MmdiMap, f64); 5],
    trace: [f64; 4],
}

impl Pixel {
    /// Computes a pixel from its twelve rows of four values.
    fn new(rows: Array2<f64>, models: &Models) -> Self {
        let (wide, residual) =
            if rows[[10, 1]] < 0.02 { (rows.row(11), rows[[10, 2]]) } else { (rows.row(9), rows[[10, 0]]) };
        let power = wide[0].max(1e-30);
        let k2 = wavenumber2(models, 0, wide[1].hypot(wide[2]) / power).max(0.001);
        let noise = residual.max(0.0) / power;

        let answers: Vec<Answer> = (0..3).map(|m| Answer::new(&rows, models, m, k2, noise)).collect();
        let least = answers.iter().map(|a| a.error).fold(f64::INFINITY, f64::min);
        let weight = |a: &Answer| (least / a.error).powi(8);
        let total: f64 = answers.iter().map(weight).sum();
        let mu = answers.iter().map(|a| weight(a) * a.modulus).sum::<f64>() / total;
        let turned: Complex64 = answers.iter().map(|a| weight(a) * a.modulus * a.direction).sum();
        let phase = if turned.norm() > 1e-30 { turned / turned.norm() } else { Complex64::ONE };

        let logs: Vec<f64> = answers.iter().map(|a| a.modulus.max(1e-6).ln()).collect();
        let mean = logs.iter().sum::<f64>() / 3.0;
        let spread = (logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
        let speed = (2000.0 * mu / (models.density * (1.0 + phase.re).max(1e-3))).sqrt();
        Self {
            maps: [
                (MmdiMap::Stiffness, mu),
                (MmdiMap::Storage, mu * phase.re),
                (MmdiMap::Loss, mu * phase.im),
                (MmdiMap::Wavespeed, speed),
                (MmdiMap::Coherence, answers[0].plain),
            ],
            trace: [mu.clamp(0.05, 30.0).ln(), spread, rows[[1, 1]], answers[0].coherence],
        }
    }
}

/// The result of one model at one pixel.
struct Answer {
    error: f64,
    modulus: f64,
    direction: Complex64,
    coherence: f64,
    plain: f64,
}

impl Answer {
    fn new(rows: &Array2<f64>, models: &Models, m: usize, k2: f64, noise: f64) -> Self {
        let aux = rows.row(3 * m + 1);
        let trusted = aux[1] > 0.04;
        let (sum, residual) = if trusted { (rows.row(3 * m), aux[0]) } else { (rows.row(3 * m + 2), aux[2]) };
        let [a, b, c] = models.noise[m];
        let (mut uu, mut ul) = (sum[0], Complex64::new(sum[1], sum[2]));
        let plain = (ul.norm_sqr() / (uu * sum[3]).max(1e-30)).min(1.0);
        if models.corrected {
            uu = (uu - a * residual).max(0.2 * uu);
            ul -= b * residual;
        }
        let mut z = ul.norm() / uu.max(1e-30);
        if models.corrected {
            z = wavenumber2(models, m, z);
        }
        let bias = curve(models, m, k2.sqrt() / models.widest)[1];
        Self {
            error: 0.3 * c * noise / (k2 * k2) + bias * bias + 1e-6 + if trusted { 0.0 } else { 10.0 },
            modulus: models.unit / z.max(1e-9),
            direction: if ul.norm() > 1e-30 { -ul.conj() / ul.norm() } else { Complex64::ONE },
            coherence: ul.norm_sqr() / (uu * sum[3]).max(1e-30),
            plain,
        }
    }
}

fn curve(models: &Models, m: usize, x: f64) -> [f64; 2] {
    let at = x.clamp(0.0, 1.0) * (SAMPLES - 1) as f64;
    let k = (at as usize).min(SAMPLES - 2);
    let f = at - k as f64;
    let sample = |i: usize, c: usize| f64::from(models.curves[m * SAMPLES + i][c]);
    [0, 1].map(|c| sample(k, c) * (1.0 - f) + sample(k + 1, c) * f)
}

fn wavenumber2(models: &Models, m: usize, z: f64) -> f64 {
    curve(models, m, z.sqrt() / models.reach[m])[0].powi(2)
}

pub(super) mod trial {
    use crate::kernel::mre::combine::{self, *};
    use crate::proof::trial::*;

    /// The trials of this file.
    pub static TRIALS: &[Trial] = &[
        // One plane: clinical mode. Two planes: corrected mode.
        Trial {
            kernel: &combine::COMBINE,
            sizes: &[
                TrialSize::new(1, Size::new(5, 3)),
                TrialSize::new(1, Size::new(47, 41)),
                TrialSize::new(2, Size::new(47, 41)),
                TrialSize::new(2, Size::square(256)),
            ],
            record: combine,
        },
    ];

    fn combine(rec: &mut Recorder, _: &Spec, size: TrialSize, rng: &mut fastrand::Rng) -> Vec<Expect> {
        let n = size.pixels();
        let curve = |i: usize| i as f64 / (SAMPLES - 1) as f64;
        let curves = (0..3 * SAMPLES).map(|i| {
            let (model, x) = (i / SAMPLES, curve(i % SAMPLES));
            // The curves have realistic shapes: the wavenumber bends upwards, and the bias grows with its square.
            [(1.1 * x + 0.2 * x * x * model as f64) as f32, (0.1 * x * x * (model + 1) as f64) as f32]
        });
        let models = Models {
            unit: 142.1,
            density: 1040.0,
            corrected: size.planes == 2,
            noise: [[1.169, -1.251, 1.884], [0.671, -0.412, 0.355], [0.230, -0.049, 0.0145]],
            reach: [1.1, 0.9, 0.8],
            widest: 1.5,
            curves: curves.collect(),
        };
        let fractions = [0.0, 0.01, 0.03, 0.3, 1.0];
        let mut sums = vec![[0f32; 4]; 12 * n];
        for group in 0..4 {
            for i in 0..n {
                for (plane, scale) in [(0, 1.0), (2, 1.3)] {
                    let power = scale * (0.5 + rng.f32());
                    let k2 = 0.01 + 0.3 * rng.f32();
                    let loss = 0.3 * rng.f32();
                    let (re, im) = (-k2 * power, k2 * loss * power);
                    let square = (re * re + im * im) / power * (1.0 + 0.2 * rng.f32());
                    sums[(group * 3 + plane) * n + i] = [power, re, im, square];
                }
                let fraction = fractions[rng.usize(..fractions.len())];
                sums[(group * 3 + 1) * n + i] = [0.02 * rng.f32(), fraction, 0.03 * rng.f32(), 0.0];
            }
        }
        let mask = oracle::blot(rng, size.image);
        let from = [rec.constant("sums", &sums), rec.constant("mask", &mask)];
        let maps = rec.output::<f32>("maps", MmdiMap::ALL.len() * n);
        let trace = combine::record(rec, [from[0], from[1], maps], &models, n);
        let expected = oracle::combine(&oracle::wide4(&sums), &oracle::wide(&mask), &models);
        vec![
            Expect::in_buffer(maps, expected.maps, 2e-5),
            Expect::in_buffer(trace, oracle::flat_real(&expected.trace), 2e-5),
        ]
    }
}
