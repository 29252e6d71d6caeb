//! The native forms of kernels against their oracles, without a GPU: every specialisation, every size, results that were
//! NaN before, and the same bits for every number of threads.

use super::trial::{At, Expect, Trial, TrialSize, trial, trials};
use crate::device::Device;
use crate::kernel::form::Form;
use crate::kernel::nn::convolve::{self, FinishKind, Geometry};
use crate::kernel::nn::convolve_weights;
use crate::plan::{Checks, Pipelines, Plan, Recorder, Spec};
use crate::processor::{Instructions, Processor};
use crate::size::Size;

fn device(threads: usize, instructions: Instructions) -> Pipelines {
    let how = Processor { threads: Some(threads), instructions: Some(instructions) };
    Pipelines::new(&Device::processor(how).expect("the processor"), Checks::Off)
}

/// The bits of all results of a recording, after they were compared with the oracle's.
fn run(pipelines: &Pipelines, rec: Recorder, expected: &[Expect], what: &str) -> Vec<u8> {
    let plan = Plan::compile(rec, pipelines, &|_, _| {}).expect("a plan");
    plan.poison().expect("poisoned");
    plan.run().expect("run");
    let mut bits = Vec::new();
    for expect in expected {
        let got: Vec<f32> = match expect.place {
            At::Buffer(buf) => plan.read(buf).expect("read"),
            At::Texture(tex) => plan.texels(tex).expect("texels").into_iter().map(f32::from).collect(),
        };
        let (mut off, mut norm) = (0.0, 0.0);
        for (got, expected) in got.iter().zip(&expect.values).filter(|(_, e)| !e.is_nan()) {
            off += (f64::from(*got) - expected).powi(2);
            norm += expected.powi(2);
        }
        let error = if off == 0.0 { 0.0 } else { (off / norm).sqrt() };
        assert!(error <= expect.tolerance, "{what} differs by {error:.1e}");
        bits.extend_from_slice(bytemuck::cast_slice(&got[..expect.values.len().min(got.len())]));
    }
    bits
}

/// Teams of 1, 2, 3 and 8 threads for each instruction set of this machine.
fn devices() -> Vec<[Pipelines; 4]> {
    let sets = Instructions::ALL.into_iter().filter(|set| set.exist());
    sets.map(|set| [1, 2, 3, 8].map(|n| device(n, set))).collect()
}

/// Compares a native form with its oracle on all `devices`, within `leeway` times the trial's tolerance, and the bits of
/// teams of different sizes.
fn agree(trial: &Trial, spec: &Spec, size: TrialSize, leeway: f64, devices: &[[Pipelines; 4]]) {
    let mut rec = Recorder::new();
    let mut expected = (trial.record)(&mut rec, spec, size, &mut fastrand::Rng::with_seed(1));
    for expect in &mut expected {
        expect.tolerance *= leeway;
        if let At::Buffer(buf) = expect.place {
            rec.keep(buf);
        }
    }
    let what = format!("{} at {size:?}", spec.label());
    for teams in devices {
        let mut bits = teams.iter().map(|pipelines| run(pipelines, rec.clone(), &expected, &what));
        let first = bits.next().expect("a team");
        // What no thread computes is NaN, whose bits are kept too.
        assert!(bits.all(|bits| bits == first), "{what}: other bits");
    }
}

#[test]
fn every_native_form_agrees_with_its_oracle_for_any_number_of_threads() {
    // A developer can try a few kernels alone.
    let only = std::env::var("PALPATE_KERNELS").unwrap_or_default();
    let devices = devices();
    let mut tried = 0;
    for trial in trials() {
        if !trial.kernel.name.contains(&only) {
            continue;
        }
        let begun = std::time::Instant::now();
        for spec in trial.kernel.specs().into_iter().filter(|spec| spec.native().is_some()) {
            for size in trial.sizes {
                agree(trial, &spec, *size, 1.0, &devices);
            }
            tried += 1;
        }
        println!("{} took {:.1} s", trial.kernel.name, begun.elapsed().as_secs_f64());
    }
    assert!(tried > 0, "no kernel is named like '{only}'");
}

/// Sizes that the native forms compute by tiles, which the other sizes are too small for: tiles that reach beyond the
/// image, registers that are not full, several blocks of channels, and a channel count that rows are padded for.
const BY_TILES: [TrialSize; 4] = [
    TrialSize::batch(33, Size::new(7, 6), 132, 28),
    TrialSize::batch(150, Size::square(4), 37, 70),
    TrialSize::batch(16, Size::new(13, 30), 24, 24),
    TrialSize::batch(40, Size::square(6), 256, 16),
];

/// The error of Winograd's algorithm is 1.6 times that of plain sums (`processor/simd/tile.rs`).
const LEEWAY: f64 = 2.0;

#[test]
fn convolutions_by_tiles_agree_with_their_oracles_for_any_number_of_threads() {
    let devices = devices();
    let [forward, gradient] = [&convolve::CONVOLVE, &convolve_weights::CONVOLVE_WEIGHTS].map(trial);
    for size in BY_TILES {
        let (pixels, channels) =
            ([size.image.ny, size.image.nx], size.channels.map(|c| c.next_multiple_of(4)));
        assert!(convolve::tiles::pay(size.planes, pixels, channels), "{size:?}");
        assert!(convolve_weights::tiles::pay(size.planes, pixels, channels), "{size:?}");
        for finish in FinishKind::ALL {
            let own = [Geometry::Three.constant(), finish.constant()];
            let spec = Form::NATIVE.spec(&convolve::CONVOLVE, &own);
            agree(forward, &spec, size, LEEWAY, &devices);
        }
        let spec = convolve_weights::spec(Form::NATIVE, Geometry::Three, size.channels);
        agree(gradient, &spec, size, LEEWAY, &devices);
    }
}
