//! What noise costs: DIME and both modes of MMDI on phantoms of ours at 40 to 10 dB.
//!
//! `cargo bench --bench noise -- SET` takes the phantoms of a set that `palpate simulate` made which are kept for testing
//! (`-- SET 12` so many of them), and prints a table of errors against the true storage modulus: root mean square, and
//! median of |error| / truth, 6 px off the rim. `PALPATE_WEIGHTS` names other weights than those that come with palpate.

#[path = "../tests/common/mod.rs"]
mod common;

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use palpate::dime::{self, Builtin, Dime};
use palpate::kernel::choose::Chooser;
use palpate::kernel::harmonic::Frames;
use palpate::kernel::{Checks, Pipelines, Plane};
use palpate::mmdi::{Mmdi, Mode, Settings};
use palpate::nn::Weights;
use palpate::patches::{Images, Split};
use palpate::stats::agreement::agreement;
use palpate::stats::erode::erode;
use palpate::wave::analytic::add_noise;

const SNR_DB: [f64; 6] = [f64::INFINITY, 40.0, 30.0, 20.0, 15.0, 10.0];
const RIM: usize = 6;

fn main() -> palpate::Result<()> {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let Some(set) = arguments.next() else {
        println!("skipped: name a set, `cargo bench --bench noise -- SET [COUNT]`");
        return Ok(());
    };
    let count: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let Some(gpu) = common::gpu() else { return Ok(()) };
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let chooser = Chooser::new(&pipelines);
    let images = Images::open(&[&set], Split::Test)?;
    let which = if images.forward_model() == "slab" { Builtin::Slab } else { Builtin::Bulk };
    let weights = match std::env::var_os("PALPATE_WEIGHTS") {
        Some(path) => Weights::load(path.as_ref())?,
        None => which.weights()?,
    };
    let [pixel, frequency_hz, density] = images.physics();
    let count = count.min(images.len());
    println!("{} of {} phantoms of {}", count, images.len(), images.describe());
    println!("| SNR, dB | method | RMSE, kPa | bias, kPa | median error |\n|---|---|---|---|---|");
    for snr in SNR_DB {
        let mut found: Vec<(String, [Vec<f64>; 2])> = ["DIME", "MMDI corrected", "MMDI clinical"]
            .map(|name| (name.to_string(), [vec![], vec![]]))
            .into();
        for k in 0..count {
            let i = (2 * k + 1) * images.len() / (2 * count);
            let image = images.image(i, images.planes(i) / 2);
            let side = image.size;
            let mask: Vec<bool> = image.mask.iter().map(|m| *m > 0).collect();
            let view = ArrayView2::from_shape((side, side), &mask).expect("a mask");
            let inner = erode(view, RIM);
            let mut wave = Array2::from_shape_fn((side, side), |(y, x)| {
                let u = image.wave[y * side + x];
                Complex64::new(u.re.into(), u.im.into()) * 1e6
            });
            if snr.is_finite() {
                add_noise(&mut wave, view, snr, &mut fastrand::Rng::with_seed(i as u64));
            }
            wave.iter_mut().zip(&mask).filter(|(_, m)| !**m).for_each(|(u, _)| *u = Complex64::ZERO);
            let frames: Vec<f32> =
                wave.iter().map(|u| u.re as f32).chain(wave.iter().map(|u| u.im as f32)).collect();
            let own = dime::Settings {
                size: [side; 2],
                spacing_mm: [pixel; 2],
                frames: Frames::Channels,
                conjugated: false,
                frequency_hz,
                density,
                stride: 5,
                batch: 128,
            };
            let mut network = Dime::new(&chooser, &weights, &own, &|_, _| {})?;
            let mut maps = vec![dime::Plane::Modulus.of(&network.invert(&frames, &mask)?).to_vec()];
            for mode in [Mode::Corrected, Mode::Clinical] {
                let settings = Settings {
                    mode,
                    size: [side; 2],
                    spacing_mm: [pixel; 2],
                    frames: Frames::Channels,
                    zero_lost: false,
                    frequency_hz,
                    density,
                };
                let all = Mmdi::new(&pipelines, &settings, &|_, _| {})?.invert(&frames, &mask)?;
                maps.push(Plane::Storage.of(&all).to_vec());
            }
            for ((_, [truth, estimate]), map) in found.iter_mut().zip(maps) {
                for at in (0..mask.len()).filter(|at| inner[[at / side, at % side]]) {
                    truth.push(image.modulus[at].into());
                    estimate.push(map[at].into());
                }
            }
        }
        for (method, [truth, estimate]) in found {
            let a = agreement(&truth, &estimate)?;
            let median = 100.0 * a.median_relative_error.unwrap_or(f64::NAN);
            let level = if snr.is_finite() { format!("{snr:.0}") } else { "none".into() };
            println!("| {level} | {method} | {:.3} | {:+.3} | {median:.1} % |", a.rmse, a.bias);
        }
    }
    Ok(())
}
