//! The native forms of kernels against their oracles, without a GPU: every specialisation, every size, results that were
//! NaN before, and the same bits for every number of threads.

use super::trial::{At, Expect, trials};
use crate::device::Device;
use crate::plan::{Checks, Pipelines, Plan, Recorder};
use crate::processor::{Instructions, Processor};

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

#[test]
fn every_native_form_agrees_with_its_oracle_for_any_number_of_threads() {
    // A developer can try a few kernels alone.
    let only = std::env::var("PALPATE_KERNELS").unwrap_or_default();
    let sets: Vec<_> = Instructions::ALL.into_iter().filter(|set| set.exist()).collect();
    let devices: Vec<_> = sets.into_iter().map(|set| [1, 2, 3, 8].map(|n| device(n, set))).collect();
    let mut tried = 0;
    for trial in trials() {
        if !trial.kernel.name.contains(&only) {
            continue;
        }
        let begun = std::time::Instant::now();
        for spec in trial.kernel.specs().into_iter().filter(|spec| spec.native().is_some()) {
            for size in trial.sizes {
                let mut rec = Recorder::new();
                let expected = (trial.record)(&mut rec, &spec, *size, &mut fastrand::Rng::with_seed(1));
                for expect in &expected {
                    if let At::Buffer(buf) = expect.place {
                        rec.keep(buf);
                    }
                }
                let what = format!("{} at {size:?}", spec.label());
                for teams in &devices {
                    let mut bits =
                        teams.iter().map(|pipelines| run(pipelines, rec.clone(), &expected, &what));
                    let first = bits.next().expect("a team");
                    // What no thread computes is NaN, whose bits are kept too.
                    assert!(bits.all(|bits| bits == first), "{what}: other bits");
                }
            }
            tried += 1;
        }
        println!("{} took {:.1} s", trial.kernel.name, begun.elapsed().as_secs_f64());
    }
    assert!(tried > 0, "no kernel is named like '{only}'");
}
