//! The robustness of the inversions: DIME and both modes of MMDI on simulated phantoms, with noise of 40 to 10 dB and
//! with the changes that image formats make to a wave.
//!
//! `cargo bench --bench robustness -- SET` takes the test phantoms of a set made by `palpate simulate` (`-- SET 12`: 12
//! of them), one slice each. It prints tables of errors against the true storage modulus, at least 6 px from the rim:
//! root mean square, bias, and median of |error| / truth. `PALPATE_WEIGHTS` names other weights than the built-in ones.

#[path = "../tests/common/mod.rs"]
mod common;

use fastrand::Rng;
use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use palpate::Result;
use palpate::Size;
use palpate::lowlevel::dime::{Dime, DimeMap, DimeSettings, DimeWeights};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::nn::Weights;
use palpate::lowlevel::patches::{SetImages, Split};
use palpate::lowlevel::plan::{Checks, Pipelines};
use palpate::lowlevel::stats::agreement::agreement;
use palpate::lowlevel::stats::erode::erode;
use palpate::lowlevel::wave::analytic::add_noise;

const RIM: usize = 6;
const STRIDE: usize = 5;

/// A change to a wave.
#[derive(Clone, Copy)]
enum Case {
    Plain,
    /// White noise at this signal-to-noise ratio, dB.
    Noise(f64),
    /// This number of standard deviations is added to the real part and subtracted from the imaginary part.
    Level(f64),
    /// The real part is multiplied by this.
    Gain(f64),
    Conjugated,
    /// Each pixel has the value at the nearest of nodes that are about this many pixels apart.
    Nodes(f64),
    /// Means over boxes of this many pixels a side.
    Smooth(usize),
}

const CASES: [(&str, Case); 12] = [
    ("unchanged", Case::Plain),
    ("40 dB", Case::Noise(40.0)),
    ("30 dB", Case::Noise(30.0)),
    ("20 dB", Case::Noise(20.0)),
    ("15 dB", Case::Noise(15.0)),
    ("10 dB", Case::Noise(10.0)),
    ("zero level off by .5 SD", Case::Level(0.5)),
    ("real part × 1.5", Case::Gain(1.5)),
    ("conjugated, undeclared", Case::Conjugated),
    ("nodes 2 px apart", Case::Nodes(2.0)),
    ("nodes 3 px apart", Case::Nodes(3.0)),
    ("means of 3 × 3 px", Case::Smooth(3)),
];

impl Case {
    fn apply(self, wave: &mut Array2<Complex64>, mask: ArrayView2<bool>, rng: &mut Rng) {
        let inside = || wave.iter().zip(&mask).filter(|(_, m)| **m).map(|(u, _)| *u);
        let n = inside().count() as f64;
        match self {
            Self::Plain => {}
            Self::Noise(db) => add_noise(wave, mask, db, rng),
            Self::Level(share) => {
                let mean = inside().sum::<Complex64>() / n;
                let sd = (inside().map(|u| (u - mean).norm_sqr()).sum::<f64>() / (2.0 * n)).sqrt();
                wave.mapv_inplace(|u| u + Complex64::new(1.0, -1.0) * share * sd);
            }
            Self::Gain(gain) => wave.mapv_inplace(|u| Complex64::new(gain * u.re, u.im)),
            Self::Conjugated => wave.mapv_inplace(|u| u.conj()),
            Self::Nodes(spacing) => {
                let plain = wave.clone();
                let side = plain.nrows();
                let cells = (side as f64 / spacing).ceil() as usize + 1;
                let nodes = Array2::from_shape_simple_fn((cells, cells), || [rng.f64(), rng.f64()]);
                for ((y, x), u) in wave.indexed_iter_mut().filter(|(at, _)| mask[*at]) {
                    let [row, column] = [y, x].map(|v| (v as f64 / spacing) as usize);
                    let near = |i: usize| i.saturating_sub(1)..(i + 2).min(cells);
                    let all = near(row).flat_map(|r| near(column).map(move |c| (r, c)));
                    let places = all.map(|(r, c)| {
                        let [dy, dx] = nodes[[r, c]];
                        [(r as f64 + dy) * spacing, (c as f64 + dx) * spacing]
                    });
                    let far = |p: &[f64; 2]| (p[0] - y as f64).hypot(p[1] - x as f64);
                    let nearest = places.min_by(|a, b| far(a).total_cmp(&far(b))).expect("a node");
                    let at = nearest.map(|v| (v.round() as usize).min(side - 1));
                    if mask[at] {
                        *u = plain[at];
                    }
                }
            }
            Self::Smooth(size) => {
                let plain = wave.clone();
                let (side, half) = (plain.nrows(), size / 2);
                for ((y, x), u) in wave.indexed_iter_mut().filter(|(at, _)| mask[*at]) {
                    let near = |i: usize| i.saturating_sub(half)..(i + half + 1).min(side);
                    let all = near(y).flat_map(|r| near(x).map(move |c| [r, c])).filter(|at| mask[*at]);
                    let (sum, n) =
                        all.fold((Complex64::ZERO, 0.0), |(sum, n), at| (sum + plain[at], n + 1.0));
                    *u = sum / n;
                }
            }
        }
        wave.iter_mut().zip(&mask).filter(|(_, m)| !**m).for_each(|(u, _)| *u = Complex64::ZERO);
    }
}

struct Bench {
    pipelines: Pipelines,
    images: SetImages,
    dime: Dime,
    mmdi: [Mmdi; 2],
}

impl Bench {
    fn new(set: &str) -> Result<Option<Self>> {
        let Some(device) = common::gpu() else { return Ok(None) };
        let pipelines = Pipelines::new(&device, Checks::Off);
        let images = SetImages::open(&[set], Split::Test)?;
        let weights = match std::env::var_os("PALPATE_WEIGHTS") {
            Some(path) => Weights::load(path.as_ref())?,
            None => DimeWeights::default().weights()?,
        };
        let [pixel, frequency_hz, density] = images.physics();
        let size = Size::square(images.image(0, 0).size);
        let (frames, spacing_mm) = (Frames::Channels, [pixel; 2]);
        let own = DimeSettings {
            size,
            spacing_mm,
            frames,
            conjugated: false,
            frequency_hz,
            density,
            stride: STRIDE,
            batch: 128,
            patch: None,
            pixel_mm: None,
        };
        let dime = Dime::new(&Chooser::new(&pipelines), &weights, &own, &|_, _| {})?;
        let mmdi = |mode| {
            let settings = MmdiSettings {
                mode,
                size,
                spacing_mm,
                frames,
                directions: 1,
                zero_lost: false,
                frequency_hz,
                density,
            };
            Mmdi::new(&pipelines, &settings, &|_, _| {})
        };
        let mmdi = [mmdi(MmdiMode::Corrected)?, mmdi(MmdiMode::Clinical)?];
        Ok(Some(Self { pipelines, images, dime, mmdi }))
    }

    /// The maps of the storage modulus by every method, kPa.
    fn maps(&mut self, wave: &Array2<Complex64>, mask: &[bool]) -> Result<[Vec<f32>; 3]> {
        let frames: Vec<f32> =
            wave.iter().map(|u| u.re as f32).chain(wave.iter().map(|u| u.im as f32)).collect();
        let dime = DimeMap::Modulus.of(&self.dime.invert(&frames, mask)?).to_vec();
        let [corrected, clinical] = &self.mmdi;
        let mmdi = |mmdi: &Mmdi| Ok(MmdiMap::Storage.of(&mmdi.invert(&frames, mask)?).to_vec());
        Ok([dime, mmdi(corrected)?, mmdi(clinical)?])
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let Some(set) = arguments.next() else {
        println!("skipped: give a set, `cargo bench --bench robustness -- SET [COUNT]`");
        return Ok(());
    };
    let Some(mut bench) = Bench::new(&set)? else { return Ok(()) };
    let all = bench.images.len();
    let count = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(all).clamp(1, all);
    let adapter = bench.pipelines.device().caps().info.name.clone();
    println!("{count} of {all} test phantoms of {}, on {adapter}\n", bench.images.describe());
    println!("| wave | method | RMSE, kPa | bias, kPa | median error |\n|---|---|---|---|---|");
    for (name, case) in CASES {
        let mut found = ["DIME", "MMDI corrected", "MMDI clinical"].map(|name| (name, [vec![], vec![]]));
        for k in 0..count {
            let i = (2 * k + 1) * all / (2 * count);
            let image = bench.images.image(i, bench.images.planes(i) / 2);
            let side = image.size;
            let mask: Vec<bool> = image.mask.iter().map(|m| *m > 0).collect();
            let view = ArrayView2::from_shape((side, side), &mask).expect("a mask");
            let (inner, truth) = (erode(view, RIM), image.modulus.to_vec());
            let mut wave = image.field() * 1e6;
            case.apply(&mut wave, view, &mut Rng::with_seed(i as u64));
            let maps = bench.maps(&wave, &mask)?;
            for ((_, [truths, estimates]), map) in found.iter_mut().zip(maps) {
                for at in (0..mask.len()).filter(|at| inner[[at / side, at % side]]) {
                    truths.push(truth[at].into());
                    estimates.push(map[at].into());
                }
            }
        }
        for (method, [truths, estimates]) in found {
            let a = agreement(&truths, &estimates)?;
            let median = 100.0 * a.median_relative_error.unwrap_or(f64::NAN);
            println!("| {name} | {method} | {:.3} | {:+.3} | {median:.1} % |", a.rmse, a.bias);
        }
    }
    Ok(())
}
