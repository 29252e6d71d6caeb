//! The kernels of `palpate bench` one by one, with criterion's statistics and its comparison with the previous run, for
//! work on one kernel. `palpate bench` has the rates, ceilings and whole steps.
//!
//! `cargo bench --bench network -- conv3x3_forward` runs the rows that contain this text, and `-- '64@30²'` those of a
//! shape.

#[path = "../tests/common/mod.rs"]
mod common;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use palpate::lowlevel::bench::{BATCH, CONVOLUTIONS, OTHER_KERNELS, REFERENCE};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::plan::Plan;
use palpate::lowlevel::plan::{Checks, Pipelines};
use std::cell::OnceCell;
use std::time::Duration;

fn network(c: &mut Criterion) {
    let Some(device) = common::gpu() else { return };
    println!("adapter: {} ({})", device.caps().info.name, device.caps().info.driver_info);
    let pipelines = Pipelines::new(&device, Checks::Off);
    let chooser = Chooser::new(&pipelines);
    let mut group = c.benchmark_group("network");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for (case, layer) in
        CONVOLUTIONS.iter().chain(OTHER_KERNELS).flat_map(|case| REFERENCE.map(|l| (case, l)))
    {
        // A row is recorded and compiled only if it runs, and only once. Criterion calls this function for each sample.
        let plan = OnceCell::new();
        let made = || {
            let recorded = case.record(&chooser, BATCH, layer);
            recorded.and_then(|recorded| Plan::compile(recorded.rec, &pipelines, &|_, _| {}))
        };
        let run = |plan: &Plan| plan.run().and_then(|()| device.wait()).unwrap_or_else(|e| panic!("{e}"));
        group.bench_function(format!("{} {layer}", case.name), |b| {
            let plan = plan.get_or_init(|| made().inspect(&run).unwrap_or_else(|e| panic!("{e}")));
            b.iter(|| run(plan));
        });
    }
    group.finish();
}

criterion_group!(benches, network);
criterion_main!(benches);
