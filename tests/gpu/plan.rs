//! Plans: memory that buffers share over time, runs in several submissions, batches that do not fit, buffers that are too
//! small.

use crate::common::OnGpu;
use crate::common::compare::assert_agrees;
use crate::harness::OwnGpu;
use crate::harness::SharedGpu;
use palpate::Error;
use palpate::Size;
use palpate::lowlevel::device::{Device, adapters};
use palpate::lowlevel::dime::{Dime, DimeSettings, DimeWeights, MseTv};
use palpate::lowlevel::kernel::form::Chooser;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::nn::{Forward, Network, NormKind, Unet, UnetSettings, Weights};
use palpate::lowlevel::plan::{Buf, Plan, Recorder};
use palpate::lowlevel::plan::{Checks, Cost, Kernel, Pipelines};
use palpate::lowlevel::shader::{Access, Binding};
use palpate::lowlevel::train::{Learned, TrainStep};
use palpate::wgpu::{self, BufferUsages};
use std::cell::RefCell;

tests![
    buffers_that_share_memory_hold_what_they_would_alone,
    a_run_of_several_submissions_equals_one_encoder,
    a_batch_that_does_not_fit_is_halved,
    a_batch_of_patches_that_does_not_fit_is_halved,
    hosts_buffers_that_are_too_small_are_refused,
    data_of_another_size_are_refused,
];

/// `dst[i] = 1664525 a[i mod len a] + 22695477 b[i mod len b] + salt`, and with `keep` also `3 dst[i]` of before.
// SAFETY: every thread but the first `words.x` returns; reads are modulo the length of their buffer.
static MIX: Kernel = unsafe {
    Kernel::custom(
        "mix",
        "@compute @workgroup_size(64) fn mix(@builtin(global_invocation_id) id: vec3u) {
             let i = id.x; // words: length, salt, keep
             if i >= p.words.x { return; }
             let before = select(0u, 3u * dst[i], p.words.z == 1u);
             let mixed = 1664525u * a[i % arrayLength(&a)] + 22695477u * b[i % arrayLength(&b)];
             dst[i] = before + mixed + p.words.y;
         }",
        &[
            Binding { name: "a", access: Access::Read, element: "u32" },
            Binding { name: "b", access: Access::Read, element: "u32" },
            Binding { name: "dst", access: Access::ReadWrite, element: "u32" },
        ],
    )
};

/// One dispatch of [`MIX`]: numbers of buffers.
struct Mix {
    a: usize,
    b: usize,
    dst: usize,
    keep: bool,
    salt: u32,
}

/// Dispatches over buffers of which each is read for a while after it was written.
struct Recording {
    constants: [Vec<u32>; 2],
    /// The lengths of all buffers, the constants first; multiples of 4, as plans round them.
    lengths: Vec<usize>,
    steps: Vec<Mix>,
    /// The steps that are repeated.
    repeated: std::ops::Range<usize>,
    /// Buffers that are read at the end.
    results: Vec<usize>,
}

const TIMES: usize = 3;

impl Recording {
    fn random(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let length = |rng: &mut fastrand::Rng| 4 * rng.usize(1..100);
        let constants = [(); 2].map(|()| (0..length(&mut rng)).map(|_| rng.u32(..)).collect::<Vec<_>>());
        let mut lengths: Vec<usize> = constants.iter().map(Vec::len).collect();
        let count = rng.usize(3..50);
        let first = rng.usize(0..count);
        let repeated = first..rng.usize(first..=count);
        // A buffer that is carried from repetition to repetition: written before them and read after them.
        let mut carried: Option<usize> = None;
        let (mut steps, mut readable) = (Vec::new(), vec![(0, usize::MAX), (1, usize::MAX)]);
        for step in 0..count {
            readable.retain(|(_, until)| *until >= step);
            let pick = |rng: &mut fastrand::Rng| rng.choice(&readable).expect("the constants at least").0;
            let (a, b, salt) = (pick(&mut rng), pick(&mut rng), rng.u32(..));
            if repeated.contains(&step) && carried.is_some_and(|dst| ![a, b].contains(&dst)) && rng.bool() {
                let dst = carried.expect("just seen");
                steps.push(Mix { a, b, dst, keep: true, salt });
                continue;
            }
            let dst = lengths.len();
            lengths.push(length(&mut rng));
            steps.push(Mix { a, b, dst, keep: false, salt });
            let mut until = step + 1 + rng.usize(0..12);
            if step < repeated.start && rng.bool() {
                carried = Some(dst);
                until = usize::MAX;
            }
            readable.push((dst, until));
        }
        let mut results: Vec<usize> = (2..lengths.len()).filter(|_| rng.u8(..) < 32).collect();
        results.extend(carried.filter(|_| rng.bool()));
        results.push(lengths.len() - 1);
        Self { constants, lengths, steps, repeated, results }
    }

    /// What the results hold after a run, by the host.
    fn expected(&self) -> Vec<Vec<u32>> {
        let mut values: Vec<Vec<u32>> = self.constants.to_vec();
        values.extend(self.lengths[2..].iter().map(|n| vec![0; *n]));
        let before = 0..self.repeated.start;
        let repeated = (0..TIMES).flat_map(|_| self.repeated.clone());
        for step in before.chain(repeated).chain(self.repeated.end..self.steps.len()) {
            let Mix { a, b, dst, keep, salt } = self.steps[step];
            let mixed: Vec<u32> = (0..self.lengths[dst])
                .map(|i| {
                    let [a, b] = [a, b].map(|k| values[k][i % values[k].len()]);
                    let before = if keep { values[dst][i].wrapping_mul(3) } else { 0 };
                    let mixed = a.wrapping_mul(1_664_525).wrapping_add(b.wrapping_mul(22_695_477));
                    before.wrapping_add(mixed).wrapping_add(salt)
                })
                .collect();
            values[dst] = mixed;
        }
        self.results.iter().map(|k| values[*k].clone()).collect()
    }

    fn plan(&self, pipelines: &Pipelines, keep_all: bool) -> (Plan, Vec<Buf>) {
        let mut rec = Recorder::new();
        let mut bufs: Vec<Buf> = self.constants.iter().map(|v| rec.constant("constant", v)).collect();
        bufs.extend(self.lengths[2..].iter().map(|n| rec.scratch::<u32>("scratch", *n)));
        for (i, Mix { a, b, dst, keep, salt }) in self.steps.iter().enumerate() {
            if i == self.repeated.start {
                rec.repeat_from_here();
            }
            if i == self.repeated.end {
                rec.repeat_to_here();
            }
            let n = self.lengths[*dst];
            let words = [n as u32, *salt, u32::from(*keep), 0];
            let bound = [a, b, dst].map(|k| bufs[*k].first::<u32>(self.lengths[*k]));
            // SAFETY: each buffer has the length that is stated, and `dst` has `n`.
            unsafe {
                rec.custom(MIX.custom_spec(&[]), words, &bound, [n.div_ceil(64), 1, 1], Cost::default())
            };
        }
        if self.repeated.end == self.steps.len() {
            rec.repeat_to_here();
        }
        let kept: Vec<usize> = if keep_all { (2..bufs.len()).collect() } else { self.results.clone() };
        kept.iter().for_each(|k| rec.keep(bufs[*k]));
        let [stated, _] = rec.memory();
        let mut plan = Plan::compile(rec, pipelines, &|_, _| {}).expect("compile");
        // What the recording states is all but the parameters of dispatches.
        let parameters = plan.memory() - stated;
        assert!(parameters > 0 && parameters <= 256 * self.steps.len() as u64, "{parameters} bytes");
        plan.repeat(TIMES);
        (plan, self.results.iter().map(|k| bufs[*k]).collect())
    }

    /// Bytes of the buffers that are not read at the end: all of them, and the most that live at once.
    fn scratch(&self) -> [u64; 2] {
        let bytes = |k: usize| 4 * self.lengths[k].max(4) as u64;
        let all: Vec<usize> = (2..self.lengths.len()).filter(|k| !self.results.contains(k)).collect();
        let uses = |k: usize, step: &Mix| [step.a, step.b, step.dst].contains(&k);
        let lives = |k: usize, at: usize| {
            self.steps[..=at].iter().any(|s| uses(k, s)) && self.steps[at..].iter().any(|s| uses(k, s))
        };
        let at_once =
            (0..self.steps.len()).map(|at| all.iter().filter(|k| lives(**k, at)).map(|k| bytes(*k)).sum());
        [all.iter().map(|k| bytes(*k)).sum(), at_once.max().unwrap_or(0)]
    }
}

fn buffers_that_share_memory_hold_what_they_would_alone(SharedGpu(pipelines): SharedGpu) {
    let mut saved = 0;
    for seed in 0..40 {
        let recording = Recording::random(seed);
        let expected = recording.expected();
        let memory = [false, true].map(|keep_all| {
            let (plan, results) = recording.plan(pipelines, keep_all);
            // The second run finds what the first one left.
            for run in 0..2 {
                if run == 0 {
                    plan.poison().expect("poison");
                }
                plan.run().expect("run");
                for (buf, expected) in results.iter().zip(&expected) {
                    let got: Vec<u32> = plan.read(*buf).expect("read");
                    assert!(got == *expected, "seed {seed}, all kept {keep_all}, run {run}");
                }
            }
            plan.memory()
        });
        let [shared, alone] = memory;
        let [all, at_once] = recording.scratch();
        assert!(
            shared <= alone && alone - shared <= all - at_once,
            "seed {seed}: {memory:?}, {all}, {at_once}"
        );
        saved += usize::from(shared < alone);
    }
    // Few recordings are so short that all buffers live at once.
    assert!(saved > 25, "memory is shared in {saved} of 40 recordings");
}

/// How many submissions `work` makes: the queue counts them.
fn submissions(gpu: &Device, work: impl FnOnce()) -> u64 {
    let count = || -> u64 {
        let index = format!("{:?}", gpu.queue().submit([]));
        index.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("an index")
    };
    let before = count();
    work();
    count() - before - 1
}

fn a_run_of_several_submissions_equals_one_encoder(OwnGpu(gpu): OwnGpu) {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let n = 4096;
    let start: Vec<u32> = (0..n).collect();
    // By estimate each takes nothing, more than a tenth of a submission on a processor, and more than a whole one.
    for (flops, on_a_processor, elsewhere) in [(0.0, 1, 1), (6e8, 3, 1), (1e13, 21, 21)] {
        let mut rec = Recorder::new();
        let (mut a, mut b) = (rec.constant("start", &start), rec.constant("other", &start[..7]));
        for salt in 0..21 {
            let dst = rec.scratch::<u32>("next", n as usize);
            let cost = Cost { flops, bytes: 0.0 };
            let bound = [a, b, dst].map(|buf| buf.first::<u32>(4));
            let groups = [(n as usize).div_ceil(64), 1, 1];
            // SAFETY: reads stay within their buffer whatever its length, and `dst` has `n`.
            unsafe { rec.custom(MIX.custom_spec(&[]), [n, salt, 0, 0], &bound, groups, cost) };
            (a, b) = (dst, a);
        }
        rec.keep(a);
        let plan = Plan::compile(rec, &pipelines, &|_, _| {}).expect("compile");
        let after = |work: &dyn Fn()| -> Vec<u32> {
            plan.poison().expect("poison");
            work();
            plan.read(a).expect("read")
        };
        let expected = if gpu.caps().software() { on_a_processor } else { elsewhere };
        let cut = after(&|| {
            assert_eq!(submissions(&gpu, || plan.run().expect("run")), expected, "{flops} operations");
        });
        let whole = after(&|| {
            let mut encoder = gpu.encoder("one for all");
            plan.encode(&mut encoder).expect("encoded");
            gpu.queue().submit([encoder.finish()]);
        });
        assert!(cut == whole, "{flops} operations a dispatch");
        assert!(whole.iter().any(|v| *v != 0x7fc0_0000), "nothing was computed");
    }
}

/// A device that allows so many MiB in one buffer.
fn small_device(gpu: &Device, mib: u64) -> Device {
    let same = |found: &palpate::lowlevel::device::Found| found.info.name == gpu.caps().info.name;
    let found = adapters().into_iter().find(same).expect("the same adapter");
    let limits = wgpu::Limits {
        max_buffer_size: mib << 20,
        max_storage_buffer_binding_size: mib << 20,
        ..wgpu::Limits::default()
    };
    let asked = wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() };
    let (device, queue) = pollster::block_on(found.adapter.request_device(&asked)).expect("a device");
    let gpu = Device::adopt(device, queue);
    assert_eq!(gpu.caps().max_binding(), mib << 20);
    gpu
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn a_batch_that_does_not_fit_is_halved(SharedGpu(pipelines): SharedGpu) {
    let settings = UnetSettings { chans: 4, pools: 2, norm: NormKind::Batch, ..Default::default() };
    let weights = Weights::random(Unet::new(settings).expect("a network"), 5);
    let size = Size::new(24, 20);
    let mut rng = fastrand::Rng::with_seed(2);
    let images: Vec<f32> = (0..350 * 2 * size.pixels()).map(|_| rng.f32() - 0.5).collect();
    let whole = Forward::new(&Chooser::new(pipelines), &weights, size, 350, &|_, _| {}).expect("compile");
    assert_eq!(whole.batch(), 350);
    let expected = wide(&whole.run(&images, &|_| {}).expect("run"));

    let gpu = small_device(pipelines.device(), 2);
    let chooser = Chooser::new(&Pipelines::new(&gpu, Checks::Off));
    // The largest tensor has 8 channels and all pixels: 350 images are 5 MiB of it.
    let forward = Forward::new(&chooser, &weights, size, 350, &|_, _| {}).expect("compile");
    assert_eq!(forward.batch(), 88);
    let done = RefCell::new(Vec::new());
    let got = forward.run(&images, &|n| done.borrow_mut().push(n)).expect("run");
    assert_eq!(done.into_inner(), [88, 176, 264, 350]);
    assert_agrees(&wide(&got), &expected, 1e-6, "in smaller batches");

    // One image that does not fit is an error.
    let error = Forward::new(&chooser, &weights, Size::square(1200), 3, &|_, _| {}).err().expect("refused");
    assert!(matches!(error, Error::OutOfMemory { .. }) && error.to_string().contains("2.0 MiB"), "{error}");
}

fn a_batch_of_patches_that_does_not_fit_is_halved(SharedGpu(pipelines): SharedGpu) {
    let size @ Size { nx, ny } = Size::new(90, 80);
    let frames: Vec<f32> = (0..2 * nx * ny)
        .map(|i| {
            let turns = (i % nx) as f32 / 20.0 + (i % (nx * ny) / nx) as f32 / 50.0;
            if i < nx * ny {
                (std::f32::consts::TAU * turns).cos()
            } else {
                -(std::f32::consts::TAU * turns).sin()
            }
        })
        .collect();
    let settings = DimeSettings {
        size,
        spacing_mm: [1.0; 2],
        frames: Frames::Channels,
        conjugated: false,
        frequency_hz: 60.0,
        density: 1000.0,
        stride: 9,
        batch: 128,
        patch: None,
        pixel_mm: None,
    };
    let weights = DimeWeights::Bulk.weights().expect("weights");
    let gpu = small_device(pipelines.device(), 4);
    let small = Chooser::new(&Pipelines::new(&gpu, Checks::Off));
    let [whole, halved] = [&Chooser::new(pipelines), &small].map(|chooser| {
        let mut dime = Dime::new(chooser, &weights, &settings, &|_, _| {}).expect("compile");
        (dime.batch(), dime.invert(&frames, &vec![true; nx * ny]).expect("a map"))
    });
    assert!(halved.0 < whole.0 && halved.0.is_power_of_two(), "{} and {}", halved.0, whole.0);
    assert_agrees(&wide(&halved.1), &wide(&whole.1), 1e-5, "in smaller batches");
}

fn hosts_buffers_that_are_too_small_are_refused(SharedGpu(pipelines): SharedGpu) {
    let gpu = pipelines.device();
    let buffer = |size: u64, usage| {
        gpu.wgpu_device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("the host's"),
            size,
            usage,
            mapped_at_creation: false,
        })
    };
    let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    let mut rec = Recorder::new();
    for (size, usage) in [(4 * 99, storage), (4, storage), (400, storage.difference(BufferUsages::STORAGE))] {
        let error = rec.external::<f32>("lent", 100, buffer(size, usage)).expect_err("refused").to_string();
        assert!(error.contains("'lent'") && error.contains("400 bytes and STORAGE"), "{error}");
    }
    let dst = rec.external::<u32>("lent", 100, buffer(400, storage)).expect("just enough");
    let a = rec.constant("a", &[7u32, 0, 0, 1]);
    let bound = [a.first::<u32>(4), a.first::<u32>(4), dst.first::<u32>(100)];
    // SAFETY: the lengths are those that are stated.
    unsafe { rec.custom(MIX.custom_spec(&[]), [100, 5, 0, 0], &bound, [2, 1, 1], Cost::default()) };
    let mut plan = Plan::compile(rec, pipelines, &|_, _| {}).expect("compile");
    let small = buffer(396, storage);
    let error = plan.rebind(dst, small.clone()).expect_err("refused");
    assert!(matches!(&error, Error::Usage(text) if text.contains("396 bytes")), "{error}");
    plan.run().expect("run");
    let got: Vec<u32> = plan.read(dst).expect("read");
    let expected = 7u32.wrapping_mul(1_664_525 + 22_695_477).wrapping_add(5);
    assert_eq!((got.len(), got[0], got[96], got[99]), (100, expected, expected, got[3]));
    plan.rebind(dst, buffer(404, storage)).expect("more than enough");
    plan.run().expect("run");
    assert_eq!(plan.read::<u32>(dst).expect("read"), got);
}

fn data_of_another_size_are_refused(pipelines: &Pipelines) {
    let usage = |result: palpate::Result<()>, what: &str| match result {
        Err(Error::Usage(_)) => {}
        other => panic!("{what}: {other:?}"),
    };
    let mut rec = Recorder::new();
    let input = rec.input::<f32>("input", 10);
    let plan = Plan::compile(rec, pipelines, &|_, _| {}).expect("compile");
    // Buffers are rounded up to 16 bytes.
    plan.write(input, &[0f32; 12]).expect("room");
    usage(plan.write(input, &[0f32; 13]), "more than there is room for");

    let settings = UnetSettings { chans: 2, pools: 1, ..Default::default() };
    let weights = Weights::random(Unet::new(settings).expect("a network"), 1);
    let chooser = Chooser::new(pipelines);
    let forward = Forward::new(&chooser, &weights, Size::square(8), 2, &|_, _| {}).expect("compile");
    usage(forward.run(&[0.0; 127], &|_| {}).map(drop), "less than an image");
    usage(forward.run(&[0.0; 129], &|_| {}).map(drop), "more than an image");
    assert_eq!(forward.run(&[0.5; 3 * 128], &|_| {}).expect("three images").len(), 3 * 64);

    let learned = Learned::new(pipelines.device(), &weights).expect("room");
    let objective = MseTv { total_variation: 0.0 };
    let step =
        TrainStep::new(&chooser, &learned, (2, Size::square(8)), &objective, Default::default(), &|_, _| {})
            .expect("a step");
    let values = vec![0.5f32; 257];
    let run = |lengths: [usize; 3]| step.run(&lengths.map(|n| &values[..n]), 0, 1, 1e-3).map(drop);
    run([256, 128, 128]).expect("a step");
    for lengths in [[257, 128, 128], [256, 129, 128], [256, 128, 129], [255, 128, 128], [256, 128, 127]] {
        usage(run(lengths), &format!("{lengths:?}"));
    }
}
