//! The device underneath: adapters that do not exist, devices that go away, memory that does not suffice,
//! kernels that do not compile, the pool, timestamps, and several threads on one device.

use crate::common::OnGpu;
use crate::common::{self, compare::at_most};
use crate::harness::Driver;
use crate::harness::OwnGpu;
use libtest_mimic::Completion;
use palpate::Size;
use palpate::lowlevel::device::{AdapterChoice, Device, adapters};
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::plan::{Checks, Cost, Kernel, Pipelines};
use palpate::lowlevel::plan::{Plan, Recorder};
use palpate::lowlevel::shader::{Access, Binding};
use palpate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

tests![
    an_adapter_that_does_not_exist_is_refused_with_those_that_do,
    an_adapter_is_found_by_part_of_its_name_and_by_number,
    a_lost_device_is_an_error_ever_after,
    a_hosts_lost_device_is_an_error_too,
    what_does_not_fit_is_refused_with_its_size,
    a_kernel_that_does_not_compile_is_named,
    every_dispatch_is_timed_where_the_device_can,
    plans_that_come_and_go_do_not_grow_the_pool,
    fifty_slices_do_not_grow_the_pool_and_are_alike,
    threads_share_a_device,
    a_host_may_poll_its_device_during_a_read,
    a_future_ends_when_the_host_polls,
    an_own_device_has_all_of_its_adapters_limits,
    more_dispatches_than_one_query_set_holds_are_timed_each,
    scratch_is_not_read_back_unless_kept,
    a_plan_cut_into_submissions_gives_the_same_bits,
    what_needs_more_memory_than_is_free_is_refused_beforehand,
];

fn settings(mode: MmdiMode, size: Size) -> MmdiSettings {
    MmdiSettings {
        mode,
        size,
        spacing_mm: [1.5, 1.5],
        frames: Frames::Phases(4),
        directions: 1,
        zero_lost: false,
        frequency_hz: 60.0,
        density: 1000.0,
    }
}

fn mmdi(pipelines: &Pipelines, mode: MmdiMode, size: Size) -> Result<Mmdi> {
    Mmdi::new(pipelines, &settings(mode, size), &|_, _| {})
}

/// A noisy plane wave along x, `wavelength` px long: four phases and a mask.
fn slice(Size { nx, ny }: Size, wavelength: f32) -> (Vec<f32>, Vec<bool>) {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut value = |i: usize| {
        let turns = (i % nx) as f32 / wavelength - (i / (nx * ny)) as f32 / 4.0;
        2048.0 + 500.0 * (std::f32::consts::TAU * turns).cos() + 20.0 * (rng.f32() - 0.5)
    };
    let frames = (0..4 * nx * ny).map(&mut value).collect();
    (frames, (0..nx * ny).map(|i| i % nx > 1 && i / nx > 1).collect())
}

fn bits(maps: Vec<f32>) -> Vec<u32> {
    maps.into_iter().map(f32::to_bits).collect()
}

/// What `work` returns, or a failure when it takes longer than a minute: nothing may hang.
#[track_caller]
fn within_a_minute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("it hangs, or it panicked")
}

fn an_adapter_that_does_not_exist_is_refused_with_those_that_do(_: Driver) {
    for choice in ["no such adapter", "999"] {
        let error = Device::open(&AdapterChoice::from(choice)).err().expect("refused");
        assert!(matches!(error, Error::NoAdapter { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(choice), "{text}");
        for found in adapters() {
            assert!(text.contains(&found.info.name), "{text}");
        }
    }
}

fn an_adapter_is_found_by_part_of_its_name_and_by_number(_: Driver) {
    for (i, found) in adapters().iter().enumerate() {
        let gpu = Device::open(&AdapterChoice::Index(i)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(gpu.caps().info.name, found.info.name);
        let part: String = found.info.name.chars().take(6).collect::<String>().to_uppercase();
        let gpu = Device::open(&AdapterChoice::from(part.as_str())).unwrap_or_else(|e| panic!("{e}"));
        assert!(gpu.caps().info.name.to_uppercase().contains(&part));
    }
}

/// Everything that can be asked of a device, after it went away with work under way.
fn after_loss(gpu: Device) -> Vec<(&'static str, Option<Error>)> {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let size = Size::new(64, 48);
    let (frames, mask) = slice(size, 20.0);
    let mmdi = self::mmdi(&pipelines, MmdiMode::Clinical, size).expect("compile");
    mmdi.invert(&frames, &mask).expect("invert");
    mmdi.plan().run().expect("run");
    gpu.wgpu_device().destroy();
    let [input, _, maps] = mmdi.buffers();
    let plan = mmdi.plan();
    // The first call that waits for the device finds out; nothing asks before something has failed.
    let mut outcomes = vec![
        ("read", plan.read::<f32>(maps).err()),
        ("run", plan.run().err()),
        ("write", plan.write(input, &frames).err()),
        ("poison", plan.poison().err()),
        ("invert", mmdi.invert(&frames, &mask).err()),
        ("wait", gpu.wait().err()),
        ("check", gpu.check().err()),
        ("the same plan again", self::mmdi(&pipelines, MmdiMode::Clinical, size).err()),
        ("another plan", self::mmdi(&pipelines, MmdiMode::Corrected, Size::new(61, 67)).err()),
        ("new pipelines", self::mmdi(&Pipelines::new(&gpu, Checks::Off), MmdiMode::Clinical, size).err()),
    ];
    if gpu.caps().timestamps() {
        outcomes.push(("profile", plan.profile().err()));
    }
    outcomes
}

#[track_caller]
fn assert_lost(outcomes: Vec<(&str, Option<Error>)>) {
    let missed: Vec<_> = outcomes
        .iter()
        .filter(|(_, error)| !matches!(error, Some(Error::DeviceLost { .. })))
        .map(|(what, error)| format!("{what}: {error:?}"))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

fn a_lost_device_is_an_error_ever_after(OwnGpu(gpu): OwnGpu) {
    assert_lost(within_a_minute(move || after_loss(gpu)));
    // Another device is none the worse.
    let gpu = common::open_gpu(Device::open).expect("a new one");
    let (frames, mask) = slice(Size::new(64, 48), 20.0);
    let mmdi =
        mmdi(&Pipelines::new(&gpu, Checks::Off), MmdiMode::Clinical, Size::new(64, 48)).expect("compile");
    mmdi.invert(&frames, &mask).expect("invert");
}

fn a_hosts_lost_device_is_an_error_too(OwnGpu(own): OwnGpu) {
    let name = own.caps().info.name.clone();
    let found = adapters().into_iter().find(|f| f.info.name == name).expect("the same adapter");
    let (device, queue) =
        pollster::block_on(found.adapter.request_device(&Default::default())).expect("a host's device");
    assert_lost(within_a_minute(move || after_loss(Device::adopt(device, queue))));
}

fn what_does_not_fit_is_refused_with_its_size(OwnGpu(gpu): OwnGpu) {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    // One buffer over the device's limit.
    let most = gpu.caps().max_binding();
    let mut rec = Recorder::new();
    rec.output::<u8>("a very large one", most as usize + 1);
    let error = Plan::compile(rec, &pipelines, &|_, _| {}).err().expect("refused");
    let text = error.to_string();
    assert!(matches!(error, Error::OutOfMemory { .. }) && text.contains("a very large one"), "{text}");
    assert!(text.contains(&format!("{:.1} MiB", most as f64 / f64::from(1 << 20))), "{text}");

    // An image too large for the device is refused before anything is computed for it.
    let [small, large] = [Size::new(64, 48), Size::square(16_384)];
    let error = within_a_minute({
        let pipelines = pipelines.clone();
        move || self::mmdi(&pipelines, MmdiMode::Corrected, large).err().expect("refused")
    });
    let text = error.to_string();
    assert!(matches!(error, Error::OutOfMemory { .. } | Error::Usage(_)) && text.contains("MiB"), "{text}");

    // Neither has left anything behind.
    assert_eq!(gpu.pool().allocated(), 0);
    let (frames, mask) = slice(small, 20.0);
    mmdi(&pipelines, MmdiMode::Corrected, small).expect("compile").invert(&frames, &mask).expect("invert");
}

fn a_kernel_that_does_not_compile_is_named(OwnGpu(gpu): OwnGpu) {
    static SYNTAX: Kernel = broken("syntax", "fn syntax( {");
    static TYPES: Kernel =
        broken("types", "@compute @workgroup_size(64) fn types() { let lost: u32 = 1.5; }");
    static BINDING: Kernel = broken(
        "binding",
        "@group(0) @binding(7) var<storage, read_write> far: array<f32>;
         @compute @workgroup_size(64) fn binding() { far[0] = 1.0; }",
    );
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    for kernel in [&SYNTAX, &TYPES, &BINDING] {
        let mut rec = Recorder::new();
        let src = rec.output::<f32>("result", 64);
        // SAFETY: it does not compile, and so never runs.
        let spec = unsafe {
            let spec = kernel.custom_spec(&[("SIZE", 3)]);
            rec.custom(spec.clone(), [0; 4], &[src.first::<f32>(64)], [1; 3], Cost::default());
            spec
        };
        let compiled = Plan::compile(rec, &pipelines, &|_, _| {}).err();
        for error in [pipelines.get(&spec).err(), compiled] {
            let error = error.expect("refused");
            let text = error.to_string();
            assert!(matches!(error, Error::Kernel { .. } | Error::Gpu { .. }), "{error:?}");
            assert!(text.contains(&format!("{} SIZE=3", kernel.name())), "{text}");
        }
    }
    mmdi(&pipelines, MmdiMode::Clinical, Size::new(64, 48)).expect("the device still compiles");
}

/// The one binding of a kernel of a test's own.
pub const DST: Binding = Binding { name: "dst", access: Access::ReadWrite, element: "f32" };

/// A kernel that writes `dst`, if it compiles at all.
const fn broken(name: &'static str, source: &'static str) -> Kernel {
    // SAFETY: it does not compile, and so never runs.
    unsafe { Kernel::custom(name, source, &[DST]) }
}

fn every_dispatch_is_timed_where_the_device_can(gpu: Device) {
    let size = Size::new(64, 48);
    let mmdi = mmdi(&Pipelines::new(&gpu, Checks::Off), MmdiMode::Corrected, size).expect("compile");
    let (frames, mask) = slice(size, 20.0);
    let maps = bits(mmdi.invert(&frames, &mask).expect("invert"));
    if !gpu.caps().timestamps() {
        assert!(mmdi.plan().profile().is_err());
        return;
    }
    let began = std::time::Instant::now();
    let timings = mmdi.plan().profile().expect("profile");
    let elapsed = began.elapsed().as_secs_f64();
    assert_eq!(timings.len(), mmdi.plan().len());
    assert!(timings.iter().all(|t| t.seconds.is_finite() && t.seconds >= 0.0), "{timings:?}");
    let total: f64 = timings.iter().map(|t| t.seconds).sum();
    assert!(total > 0.0 && total < elapsed, "{total} s of {elapsed} s");
    assert!(
        timings.iter().map(|t| &t.label).eq(mmdi
            .plan()
            .timings()
            .map(|t| t.label)
            .collect::<Vec<_>>()
            .iter())
    );
    // Timing a plan is running it.
    assert_eq!(bits(mmdi.plan().read(mmdi.buffers()[2]).expect("read")), maps);
}

fn plans_that_come_and_go_do_not_grow_the_pool(gpu: Device) {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let sizes = [Size::new(64, 48), Size::new(96, 80), Size::new(41, 47), Size::square(80)];
    let round = || {
        for mode in [MmdiMode::Corrected, MmdiMode::Clinical] {
            for size in sizes {
                let (frames, mask) = slice(size, 20.0);
                let mmdi = mmdi(&pipelines, mode, size).expect("compile");
                mmdi.invert(&frames, &mask).expect("invert");
                assert!(mmdi.plan().memory() <= gpu.pool().allocated());
            }
        }
        (gpu.pool().allocated(), gpu.pool().peak())
    };
    let first = round();
    for n in 1..20 {
        let now = round();
        assert!(now.0 <= first.0 && now.1 <= first.1, "round {n}: {now:?} bytes, the first had {first:?}");
    }
}

fn fifty_slices_do_not_grow_the_pool_and_are_alike(gpu: Device) {
    let size = Size::new(64, 48);
    let mmdi = mmdi(&Pipelines::new(&gpu, Checks::Off), MmdiMode::Corrected, size).expect("compile");
    assert_eq!(gpu.pool().allocated(), mmdi.plan().memory(), "one plan is all there is");
    let (frames, mask) = slice(size, 20.0);
    let (other, _) = slice(size, 14.0);
    let first = bits(mmdi.invert(&frames, &mask).expect("invert"));
    let between = bits(mmdi.invert(&other, &mask).expect("invert"));
    assert_ne!(first, between);
    // The plan, and a buffer to read the maps through.
    let held = gpu.pool().allocated();
    assert!((mmdi.plan().memory()..2 * mmdi.plan().memory()).contains(&held), "{held}");
    for n in 0..24 {
        assert!(bits(mmdi.invert(&frames, &mask).expect("invert")) == first, "slice {}", 2 * n + 2);
        assert!(bits(mmdi.invert(&other, &mask).expect("invert")) == between, "slice {}", 2 * n + 3);
    }
    assert_eq!([gpu.pool().allocated(), gpu.pool().peak()], [held; 2]);
}

fn threads_share_a_device(gpu: Device) {
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let jobs =
        [(MmdiMode::Corrected, Size::new(64, 48), 20.0), (MmdiMode::Clinical, Size::new(47, 61), 12.0)];
    let serial: Vec<_> = jobs
        .iter()
        .map(|&(mode, size, wavelength)| {
            let (frames, mask) = slice(size, wavelength);
            let mmdi = mmdi(&pipelines, mode, size).expect("compile");
            bits(mmdi.invert(&frames, &mask).expect("invert"))
        })
        .collect();
    // Each compiles for itself, so that compiling, allocating, running and reading meet.
    let at_once: Vec<Vec<_>> = within_a_minute({
        let gpu = gpu.clone();
        move || {
            std::thread::scope(|scope| {
                let work = |(mode, size, wavelength): (MmdiMode, Size, f32)| {
                    let (frames, mask) = slice(size, wavelength);
                    let mut results = Vec::new();
                    for _ in 0..3 {
                        let pipelines = Pipelines::new(&gpu, Checks::Off);
                        let mmdi = mmdi(&pipelines, mode, size).expect("compile");
                        results.extend((0..4).map(|_| bits(mmdi.invert(&frames, &mask).expect("invert"))));
                    }
                    results
                };
                let threads = jobs.map(|job| scope.spawn(move || work(job)));
                threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
            })
        }
    });
    for (expected, results) in serial.iter().zip(&at_once) {
        assert!(results.len() == 12 && results.iter().all(|maps| maps == expected));
    }
}

fn a_host_may_poll_its_device_during_a_read(OwnGpu(gpu): OwnGpu) {
    let buffer = gpu.wgpu_device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 4096,
        usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let buffer = buffer.into();
    let reading = AtomicBool::new(true);
    std::thread::scope(|scope| {
        // Each poll may run the callbacks of reads on other threads.
        for _ in 0..2 {
            scope.spawn(|| {
                while reading.load(Ordering::Relaxed) {
                    gpu.wgpu_device().poll(wgpu::PollType::Poll).expect("poll");
                }
            });
        }
        let results = (0..2000_u32)
            .map(|i| {
                gpu.write(&buffer, &[i; 1024])?;
                Ok((i, gpu.read::<u32>(&buffer)?))
            })
            .collect::<Result<Vec<_>>>()
            .map_err(|error| error.to_string());
        reading.store(false, Ordering::Relaxed);
        assert!(results.expect("read").iter().all(|(i, values)| values == &[*i; 1024]));
    });
}

fn a_future_ends_when_the_host_polls(_: Driver) {
    let gpu = common::open_gpu(|choice| pollster::block_on(Device::open_async(choice))).expect("a device");
    let (frames, mask) = slice(Size::new(47, 61), 12.0);
    let mmdi =
        mmdi(&Pipelines::new(&gpu, Checks::Off), MmdiMode::Clinical, Size::new(47, 61)).expect("compile");
    let expected = bits(mmdi.invert(&frames, &mask).expect("invert"));
    let mut future = std::pin::pin!(mmdi.invert_async(&frames, &mask));
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending(), "it waited for the device");
    gpu.wgpu_device().poll(wgpu::PollType::wait_indefinitely()).expect("poll");
    let Poll::Ready(maps) = future.as_mut().poll(&mut context) else { panic!("it needs another poll") };
    assert_eq!(bits(maps.expect("invert")), expected);
    // A future that is dropped leaves nothing behind.
    {
        let mut dropped = std::pin::pin!(mmdi.invert_async(&frames, &mask));
        assert!(dropped.as_mut().poll(&mut context).is_pending());
    }
    let before = gpu.pool().allocated();
    assert_eq!(bits(mmdi.invert(&frames, &mask).expect("invert")), expected);
    assert!(gpu.pool().allocated() <= before + 4 * frames.len() as u64 * 3, "the pool grew");
    // A lost device ends it too.
    let mut future = std::pin::pin!(mmdi.invert_async(&frames, &mask));
    assert!(future.as_mut().poll(&mut context).is_pending());
    gpu.wgpu_device().destroy();
    let lost = within_a_minute({
        let gpu = gpu.clone();
        move || gpu.wait().is_err()
    });
    assert!(lost);
    let ended = future.as_mut().poll(&mut context);
    assert!(matches!(ended, Poll::Ready(Err(Error::DeviceLost { .. }))), "{}", ended.is_pending());
}

fn an_own_device_has_all_of_its_adapters_limits(_: Driver) {
    for (i, found) in adapters().iter().enumerate() {
        let gpu = Device::open(&AdapterChoice::Index(i)).unwrap_or_else(|e| panic!("{e}"));
        let (has, most) = (&gpu.caps().limits, found.adapter.limits());
        assert_eq!(has.max_buffer_size, most.max_buffer_size);
        assert_eq!(has.max_storage_buffer_binding_size, most.max_storage_buffer_binding_size);
        assert_eq!(has.max_compute_invocations_per_workgroup, most.max_compute_invocations_per_workgroup);
        assert_eq!(has.max_compute_workgroup_storage_size, most.max_compute_workgroup_storage_size);
    }
}

fn more_dispatches_than_one_query_set_holds_are_timed_each(OwnGpu(gpu): OwnGpu) -> Completion {
    if !gpu.caps().timestamps() {
        return Completion::ignored_with(format!("{} has no timestamps", gpu.caps().info.name));
    }
    let n = 1 << 16;
    let mut rec = Recorder::new();
    let field = rec.constant("field", &vec![[1f32, 2.0]; n]);
    let mask = rec.constant("mask", &vec![1f32; n]);
    for _ in 0..2100 {
        palpate::lowlevel::kernel::mre::normalise::record_moments(&mut rec, field, mask, [1, n]);
    }
    let plan = Plan::compile(rec, &Pipelines::new(&gpu, Checks::Off), &|_, _| {}).expect("compile");
    let timings = plan.profile().expect("profile");
    assert_eq!(timings.len(), 2100);
    // A set resolved to the wrong place leaves zeros behind.
    let untimed = timings.iter().filter(|t| at_most(t.seconds, 0.0) || t.seconds.is_nan()).count();
    assert!(untimed < 100, "{untimed} of 2100 dispatches took no time");
    Completion::Completed
}

fn scratch_is_not_read_back_unless_kept(gpu: Device) {
    let mut rec = Recorder::new();
    let scratch = rec.scratch::<f32>("scratch", 16);
    let kept = rec.scratch::<f32>("kept", 16);
    rec.keep(kept);
    let plan = Plan::compile(rec, &Pipelines::new(&gpu, Checks::Off), &|_, _| {}).expect("compile");
    assert!(matches!(plan.read::<f32>(scratch), Err(Error::Usage(what)) if what.contains("scratch")));
    assert_eq!(plan.read::<f32>(kept).expect("kept").len(), 16);
}

fn a_plan_cut_into_submissions_gives_the_same_bits(OwnGpu(gpu): OwnGpu) {
    const SRC: Binding = Binding { name: "src", access: Access::Read, element: "f32" };
    // SAFETY: one workgroup of 64 threads reads and writes 64 values, as is stated below.
    static STEP: Kernel = unsafe {
        Kernel::custom(
            "step",
            "@compute @workgroup_size(64) fn step(@builtin(global_invocation_id) id: vec3u) {
                 dst[id.x] = 1.01 * src[id.x] + f32(p.words.x) + 1.0;
             }",
            &[SRC, DST],
        )
    };
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let start: Vec<f32> = (0..64).map(|i| i as f32 / 7.0).collect();
    // By estimate nothing, a tenth of a submission, and far more than one.
    let results = [0.0, 5e8, 1e13].map(|flops| {
        let mut rec = Recorder::new();
        let mut src = rec.constant("start", &start);
        for _ in 0..21 {
            let dst = rec.scratch::<f32>("next", 64);
            let cost = Cost { flops, bytes: 0.0 };
            let bound = [src, dst].map(|buf| buf.first::<f32>(64));
            // SAFETY: as above.
            unsafe { rec.custom(STEP.custom_spec(&[]), [0; 4], &bound, [1; 3], cost) };
            src = dst;
        }
        rec.keep(src);
        let plan = Plan::compile(rec, &pipelines, &|_, _| {}).expect("compile");
        plan.poison().expect("poison");
        plan.run().expect("run");
        bits(plan.read(src).expect("read"))
    });
    assert!(results.iter().all(|r| *r == results[0]));
    for (got, start) in results[0].iter().zip(&start) {
        let expected = (0..21).fold(f64::from(*start), |v, _| 1.01 * v + 1.0);
        assert!((f64::from(f32::from_bits(*got)) / expected - 1.0).abs() < 1e-5, "{expected}");
    }
}

fn what_needs_more_memory_than_is_free_is_refused_beforehand(gpu: Device) {
    gpu.check_memory("a little", 1 << 20).expect("a MiB is free");
    let refused = gpu.check_memory("the training", 1 << 60);
    if gpu.caps().software() && cfg!(target_os = "linux") {
        let error = refused.expect_err("an EiB is not free");
        let text = error.to_string();
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error:?}");
        for part in ["the training", "1099511627776.0 MiB", "available"] {
            assert!(text.contains(part), "{text}");
        }
    } else {
        refused.expect("elsewhere nobody knows");
    }
}
