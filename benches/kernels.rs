//! Every kernel of the table in every specialisation that this adapter can run, at its real size. The throughput is
//! that of the bytes that have to move.
//!
//! `cargo bench --bench kernels -- fft` runs the rows whose label contains `fft`.

#[path = "../tests/common/mod.rs"]
mod common;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use palpate::lowlevel::plan::{Checks, Pipelines, Plan, Recorder};
use palpate::lowlevel::proof::trials;
use std::time::Duration;

fn kernels(c: &mut Criterion) {
    let Some(device) = common::gpu() else { return };
    println!("adapter: {}", device.caps().info.name);
    let pipelines = Pipelines::new(&device, Checks::Off);
    let mut group = c.benchmark_group("kernels");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for trial in trials() {
        for spec in trial.kernel.specs().iter().filter(|s| s.runs_on(device.caps())) {
            let Some(&size) = trial.sizes.last() else { continue };
            let mut rec = Recorder::new();
            (trial.record)(&mut rec, spec, size, &mut fastrand::Rng::with_seed(1));
            let bytes: f64 = rec.dispatches().iter().map(|d| d.cost().bytes).sum();
            let plan = Plan::compile(rec, &pipelines, &|_, _| {}).unwrap_or_else(|e| panic!("{e}"));
            group.throughput(Throughput::Bytes(bytes as u64));
            group.bench_function(spec.label(), |b| {
                b.iter(|| plan.run().and_then(|()| device.wait()).unwrap_or_else(|e| panic!("{e}")));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
