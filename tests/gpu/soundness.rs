//! What safe code cannot do: run a shader outside of its buffers, or on buffers that another plan has.

use crate::common::OnGpu;
use crate::common::compare::assert_agrees;
use crate::harness::OwnGpu;
use crate::harness::SharedGpu;
use crate::harness::WithUnits;
use palpate::lowlevel::kernel::core::{clear, copy};
use palpate::lowlevel::plan::{Checks, Pipelines, Plan, Recorder, Spec};
use palpate::lowlevel::proof::{At, TrialSize, trials};
use palpate::wgpu;
use palpate::{Error, Result};

tests![
    buffers_of_the_stated_extents_give_the_same_bits_with_checks_and_without,
    a_dispatch_beyond_its_buffer_is_refused_by_name,
    a_plan_dropped_before_its_encoder_is_submitted_computes_what_it_would_have,
    buffers_of_another_plan_are_refused,
];

/// The places of a trial's results, and which of their values its oracle states.
type Places = Vec<(At, Vec<bool>)>;

/// The bits of a trial's results, as many as its oracle expects, where it expects any.
fn results(pipelines: &Pipelines, rec: Recorder, places: &Places) -> Result<Vec<Vec<u32>>> {
    let plan = Plan::compile(rec, pipelines, &|_, _| {})?;
    plan.poison()?;
    plan.run()?;
    let mut all = Vec::new();
    for (place, expected) in places {
        if let At::Buffer(buf) = place {
            let values: Vec<f32> = plan.read(*buf)?;
            let own = values.iter().zip(expected).filter(|(_, wanted)| **wanted);
            all.push(own.map(|(v, _)| v.to_bits()).collect());
        }
    }
    Ok(all)
}

fn buffers_of_the_stated_extents_give_the_same_bits_with_checks_and_without(WithUnits(gpu): WithUnits) {
    let [off, on] = [Checks::Off, Checks::On].map(|checks| Pipelines::new(&gpu, checks));
    let mut faults = Vec::new();
    for trial in trials() {
        for spec in trial.kernel.specs().iter().filter(|spec| spec.runs_on(gpu.caps())) {
            for &size in trial.sizes {
                let mut long = Recorder::new();
                let places = tried(&mut long, trial.record, spec, size);
                let mut short = long.clone();
                short.shorten_to_extents();
                let all = [(&off, long), (&off, short.clone()), (&on, short)];
                let [whole, exact, checked] =
                    all.map(|(p, rec)| results(p, rec, &places).unwrap_or_else(|e| panic!("{e}")));
                if whole != exact || whole != checked {
                    faults.push(format!("{} at {size:?}", spec.label()));
                }
            }
        }
    }
    assert!(
        faults.is_empty(),
        "results depend on what lies beyond the stated extents:\n{}",
        faults.join("\n")
    );
}

type Record =
    fn(&mut Recorder, &Spec, TrialSize, &mut fastrand::Rng) -> Vec<palpate::lowlevel::proof::Expect>;

/// Records a trial and returns its places, and which values its oracle states.
fn tried(rec: &mut Recorder, record: Record, spec: &Spec, size: TrialSize) -> Places {
    let expected = record(rec, spec, size, &mut fastrand::Rng::with_seed(1));
    for place in expected.iter().map(|e| &e.place) {
        if let At::Buffer(buf) = place {
            rec.keep(*buf);
        }
    }
    expected.into_iter().map(|e| (e.place, e.values.iter().map(|v| !v.is_nan()).collect())).collect()
}

fn a_dispatch_beyond_its_buffer_is_refused_by_name(SharedGpu(pipelines): SharedGpu) {
    // The call that used to write where it should not.
    let mut rec = Recorder::new();
    let small = rec.output::<f32>("small", 100);
    clear::record(&mut rec, small, 101);
    let error = Plan::compile(rec, pipelines, &|_, _| {}).err().expect("refused");
    let text = error.to_string();
    assert!(matches!(error, Error::Kernel { .. }), "{error:?}");
    for part in ["clear", "'dst'", "404 bytes", "'small'", "400 bytes"] {
        assert!(text.contains(part), "{text}");
    }
    // Every binding of every kernel, one word short.
    for trial in trials() {
        for spec in trial.kernel.specs() {
            let mut rec = Recorder::new();
            (trial.record)(
                &mut rec,
                &spec,
                trial.sizes[trial.sizes.len() / 2],
                &mut fastrand::Rng::with_seed(1),
            );
            rec.shorten_to_extents();
            for (what, error) in rec.shortened() {
                let text = error.unwrap_or_else(|| panic!("{what}: one word less is accepted")).to_string();
                assert!(text.contains("bytes") && text.contains("touches"), "{text}");
            }
        }
    }
}

/// A plan whose result, 3 in every value, ends in a host's buffer.
fn threes(pipelines: &Pipelines, host: &wgpu::Buffer, n: usize, value: f32) -> Plan {
    let mut rec = Recorder::new();
    let src = rec.constant("values", &vec![[value; 4]; n]);
    let middle = rec.scratch::<[f32; 4]>("middle", n);
    let dst = rec.external::<[f32; 4]>("host", n, host.clone()).expect("large enough");
    copy::record(&mut rec, [src, middle], n);
    copy::record(&mut rec, [middle, dst], n);
    Plan::compile(rec, pipelines, &|_, _| {}).expect("compiles")
}

fn a_plan_dropped_before_its_encoder_is_submitted_computes_what_it_would_have(OwnGpu(gpu): OwnGpu) {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let n = 4096;
    let [first, second] = ["first", "second"].map(|label| {
        gpu.wgpu_device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: 16 * n as u64,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        })
    });
    let plan = threes(&pipelines, &first, n, 3.0);
    let mut encoder = gpu.encoder("host");
    plan.encode(&mut encoder).expect("encoded");
    drop(plan);
    // Another plan of the same size would take the first one's buffers, and fill them with fours.
    let other = threes(&pipelines, &second, n, 4.0);
    other.run().expect("runs");
    gpu.queue().submit([encoder.finish()]);
    let [a, b]: [Vec<f32>; 2] =
        [&first, &second].map(|buffer| gpu.read(&buffer.clone().into()).expect("read"));
    assert_agrees(&wide(&a), &vec![3.0; 4 * n], 0.0, "the plan that was dropped");
    assert_agrees(&wide(&b), &vec![4.0; 4 * n], 0.0, "the plan after it");
    // Its buffers are gone with it: memory does not grow.
    drop(other);
    let before = gpu.pool().allocated();
    for _ in 0..3 {
        let plan = threes(&pipelines, &first, n, 5.0);
        let mut encoder = gpu.encoder("host");
        plan.encode(&mut encoder).expect("encoded");
        drop(plan);
        gpu.queue().submit([encoder.finish()]);
    }
    assert!(gpu.pool().allocated() <= before, "{} bytes, {before} before", gpu.pool().allocated());
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn buffers_of_another_plan_are_refused(SharedGpu(pipelines): SharedGpu) {
    let mut large = Recorder::new();
    let bufs: Vec<_> = (0..5).map(|_| large.output::<f32>("other", 8)).collect();
    let mut rec = Recorder::new();
    let own = rec.output::<f32>("own", 8);
    clear::record(&mut rec, own, 8);
    let mut plan = Plan::compile(rec, pipelines, &|_, _| {}).expect("compiles");
    let foreign = bufs[4];
    for error in [plan.write(foreign, &[0f32]).err(), plan.read::<f32>(foreign).err()] {
        let error = error.expect("refused").to_string();
        assert!(error.contains("another plan"), "{error}");
    }
    assert!(plan.buffer(foreign).is_none());
    let buffer = plan.buffer(own).expect("its own").clone();
    assert!(plan.rebind(foreign, buffer).is_err());
    let mut rec = Recorder::new();
    clear::record(&mut rec, foreign, 8);
    let error = Plan::compile(rec, pipelines, &|_, _| {}).err().expect("refused").to_string();
    assert!(error.contains("clear") && error.contains("another plan"), "{error}");
}
