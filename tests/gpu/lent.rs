//! palpate on the processor inside a host without wgpu: the host lends its memory, and reads the results from it.

use crate::common;
use crate::dime;
use crate::harness::{Driver, SharedProcessor};
use palpate::lowlevel::nn::{Network, Unet, UnetSettings, Weights};
use palpate::lowlevel::proof::oracle;
use palpate::{
    Buffer, Checks, Chooser, Colouring, Device, Dime, DimeMap, DimeSettings, Error, Forward, Frames, Host,
    Memory, Mmdi, MmdiMap, MmdiSettings, Pipelines, Processor, Size, Texture,
};

tests![
    maps_of_mmdi_are_those_of_invert,
    maps_of_dime_are_those_of_invert,
    outputs_of_a_network_are_those_of_run,
    rebound_memory_takes_the_place_of_the_first,
    unfit_memory_is_refused,
    plans_in_two_threads_may_read_what_the_other_writes,
    buffers_and_memory_are_not_exchanged,
];

const SIZE: Size = Size::new(44, 39);
/// No value of these tests.
const POISON: f32 = -12345.0;

fn settings() -> MmdiSettings {
    MmdiSettings::new(SIZE, [1.0; 2], Frames::Channels)
}

fn dime_settings() -> DimeSettings {
    DimeSettings { batch: 5, ..DimeSettings::new(SIZE, [1.0; 2], Frames::Channels) }
}

/// The mask as a host may have it: inside is above 0.
fn lent_mask(mask: &[bool]) -> Vec<f32> {
    mask.iter().map(|inside| if *inside { 0.25 } else { -1.0 }).collect()
}

fn memory(values: &[f32]) -> Memory {
    Memory::of(values).expect("memory")
}

/// What a host lends.
struct Scene {
    frames: Memory,
    mask: Memory,
    maps: Memory,
    picture: Memory,
}

impl Scene {
    fn new(frames: &[f32], mask: &[bool], maps: usize) -> Self {
        let n = SIZE.pixels();
        Self {
            frames: memory(frames),
            mask: memory(&lent_mask(mask)),
            maps: memory(&vec![POISON; maps * n]),
            picture: Memory::zeroed(4 * n).expect("memory"),
        }
    }

    fn lent<M>(&self, plane: M) -> Host<M> {
        let [frames, mask, maps] =
            [&self.frames, &self.mask, &self.maps].map(|memory| Buffer::from(memory.clone()));
        let picture = Some((Texture::Memory(self.picture.clone(), SIZE), Colouring::stiffness(plane)));
        Host { frames, mask, maps, picture }
    }

    fn embed(&self, pipelines: &Pipelines) -> palpate::Result<Mmdi> {
        Mmdi::embedded(pipelines, &settings(), self.lent(MmdiMap::Stiffness))
    }

    /// Whether the picture shows the plane, transparent outside of the mask.
    fn assert_coloured(&self, plane: &[f32]) {
        let how = Colouring::stiffness(MmdiMap::Stiffness);
        let mask: Vec<f32> = self.mask.read();
        let range = [how.low, how.high].map(f64::from);
        let expected = oracle::colour(&oracle::wide(plane), &oracle::wide(&mask), &how.map.table(), range);
        let texels: Vec<f64> = self.picture.read::<u8>().into_iter().map(f64::from).collect();
        assert!(texels == expected.to_vec(), "the picture");
    }
}

#[track_caller]
fn assert_same_bits(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    let other = got.iter().zip(expected).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    assert_eq!(other, 0, "of {} values", got.len());
}

/// What MMDI makes of it in memory of its own.
fn inverted(pipelines: &Pipelines, frames: &[f32], mask: &[bool]) -> Vec<f32> {
    let mmdi = Mmdi::new(pipelines, &settings(), &|_, _| {}).expect("compile");
    mmdi.invert(frames, mask).expect("invert")
}

fn maps_of_mmdi_are_those_of_invert(SharedProcessor(pipelines): SharedProcessor) {
    let (frames, mask) = dime::scene(SIZE, [1.0; 2]);
    let scene = Scene::new(&frames, &mask, MmdiMap::ALL.len());
    let mmdi = scene.embed(pipelines).expect("embedded");
    mmdi.plan().run().expect("run");
    let maps: Vec<f32> = scene.maps.read();
    assert_same_bits(&maps, &inverted(pipelines, &frames, &mask));
    assert!(MmdiMap::Stiffness.of(&maps).iter().any(|v| *v > 0.0), "a map of nothing");
    scene.assert_coloured(MmdiMap::Stiffness.of(&maps));

    // Other values in the same memory.
    let left: Vec<bool> = (0..mask.len()).map(|i| mask[i] && i % SIZE.nx < SIZE.nx / 2).collect();
    scene.mask.write(0, &lent_mask(&left)).expect("written");
    mmdi.plan().run().expect("run");
    assert_same_bits(&scene.maps.read::<f32>(), &inverted(pipelines, &frames, &left));
    scene.assert_coloured(MmdiMap::Stiffness.of(&scene.maps.read::<f32>()));
}

fn maps_of_dime_are_those_of_invert(SharedProcessor(pipelines): SharedProcessor) {
    let chooser = Chooser::new(pipelines);
    let (frames, mask) = dime::scene(SIZE, [1.0; 2]);
    let scene = Scene::new(&frames, &mask, DimeMap::ALL.len());
    let host = scene.lent(DimeMap::Modulus);
    let dime = Dime::embedded(&chooser, &dime::weights(), &dime_settings(), host).expect("embedded");
    let mut own = Dime::new(&chooser, &dime::weights(), &dime_settings(), &|_, _| {}).expect("compile");
    let stripe: Vec<bool> = (0..mask.len()).map(|i| mask[i] && i % SIZE.nx == 20).collect();
    // Fewer patches, none, and all again: most repetitions are closed in between.
    for mask in [&mask, &stripe, &vec![false; mask.len()], &mask] {
        scene.mask.write(0, &lent_mask(mask)).expect("written");
        scene.maps.write(0, &vec![f32::NAN; 3 * SIZE.pixels()]).expect("written");
        dime.plan().run().expect("run");
        let maps: Vec<f32> = scene.maps.read();
        assert_same_bits(&maps, &own.invert(&frames, mask).expect("invert"));
        scene.assert_coloured(DimeMap::Modulus.of(&maps));
    }
}

fn outputs_of_a_network_are_those_of_run(SharedProcessor(pipelines): SharedProcessor) {
    let chooser = Chooser::new(pipelines);
    let unet = Unet::new(UnetSettings { chans: 4, pools: 2, ..Default::default() }).expect("a network");
    let weights = Weights::random(unet, 9);
    let mut rng = fastrand::Rng::with_seed(9);
    let images: Vec<f32> = (0..3 * 2 * SIZE.pixels()).map(|_| rng.f32() - 0.5).collect();
    let own = Forward::new(&chooser, &weights, SIZE, 3, &|_, _| {}).expect("compile");
    let (input, output) = (memory(&images), memory(&vec![POISON; 3 * SIZE.pixels()]));
    let embedded = |images, output: &Memory| {
        Forward::embedded(&chooser, &weights, SIZE, images, &[input.clone().into()], output.clone().into())
    };
    embedded(3, &output).expect("embedded").plan().run().expect("run");
    assert_same_bits(&output.read::<f32>(), &own.run(&images, &|_| {}).expect("run"));
    for (images, output, says) in [
        (4, &output, "host's memory for 'network input'"),
        (3, &memory(&vec![0.0; 3 * SIZE.pixels() - 1]), "host's memory for 'network output'"),
    ] {
        let error = embedded(images, output).err().expect("refused").to_string();
        assert!(error.contains(says) && error.contains("bytes"), "{error}");
    }
}

fn rebound_memory_takes_the_place_of_the_first(SharedProcessor(pipelines): SharedProcessor) {
    let (frames, mask) = dime::scene(SIZE, [1.0; 2]);
    let other: Vec<f32> = frames.iter().rev().copied().collect();
    let [first, second] = [&frames, &other].map(|frames| inverted(pipelines, frames, &mask));
    let scene = Scene::new(&frames, &mask, MmdiMap::ALL.len());
    let mut mmdi = scene.embed(pipelines).expect("embedded");
    let [of_frames, of_mask, of_maps] = mmdi.buffers();
    let run = |mmdi: &Mmdi| mmdi.plan().run().expect("run");

    // Another image in more memory, into the same maps.
    let longer = [&other[..], &[POISON; 1000]].concat();
    mmdi.plan_mut().rebind(of_frames, memory(&longer)).expect("rebind");
    run(&mmdi);
    assert_same_bits(&scene.maps.read::<f32>(), &second);

    // Back to the first image, into other maps: the first maps stay as they are.
    let maps = memory(&vec![POISON; first.len()]);
    mmdi.plan_mut().rebind(of_frames, scene.frames.clone()).expect("rebind");
    mmdi.plan_mut().rebind(of_maps, maps.clone()).expect("rebind");
    run(&mmdi);
    assert_same_bits(&maps.read::<f32>(), &first);
    assert_same_bits(&scene.maps.read::<f32>(), &second);

    // What is refused leaves the plan as it was.
    let small = memory(&vec![POISON; first.len() - 1]);
    for (of, bad, says) in [
        (of_maps, &small, "bytes"),
        (of_maps, &scene.mask, "bytes"),
        (of_mask, &maps, "use two"),
        (of_maps, &scene.picture, "bytes"),
        (of_mask, &scene.picture, "use two"),
    ] {
        let error = mmdi.plan_mut().rebind(of, bad.clone()).expect_err("refused").to_string();
        assert!(error.contains(says), "{error}");
        assert!(mmdi.plan().buffer(of_maps) == Some(&maps.clone().into()));
        assert!(mmdi.plan().buffer(of_mask) == Some(&scene.mask.clone().into()));
    }
    maps.write(0, &vec![POISON; first.len()]).expect("written");
    run(&mmdi);
    assert_same_bits(&maps.read::<f32>(), &first);
    // Memory of the plan's own is nobody's to replace.
    let mut own = Mmdi::new(pipelines, &settings(), &|_, _| {}).expect("compile");
    let own_maps = own.buffers()[2];
    assert!(matches!(own.plan_mut().rebind(own_maps, maps), Err(Error::Usage(_))));
}

fn unfit_memory_is_refused(SharedProcessor(pipelines): SharedProcessor) {
    let (frames, mask) = dime::scene(SIZE, [1.0; 2]);
    let scene = Scene::new(&frames, &mask, MmdiMap::ALL.len());
    let (n, Size { nx, ny }) = (SIZE.pixels(), SIZE);
    let bytes = |bytes: usize| Memory::zeroed(bytes).expect("memory");
    let buffer = |bytes_of_it: usize| Buffer::from(bytes(bytes_of_it));
    let texture = |memory: Memory, size| Some((Texture::Memory(memory, size), Colouring::default()));
    type Spoil<'a> = Box<dyn Fn(&mut Host<MmdiMap>) + 'a>;
    let cases: Vec<(&str, Spoil)> = vec![
        ("memory for 'frames' has", Box::new(|h| h.frames = buffer(8 * n - 1))),
        ("memory for 'mask' has", Box::new(|h| h.mask = buffer(4 * n - 4))),
        ("memory for 'maps' has", Box::new(|h| h.maps = buffer(4 * MmdiMap::ALL.len() * n - 1))),
        ("memory for 'maps' has 0 bytes", Box::new(|h| h.maps = buffer(0))),
        ("one of its own", Box::new(|h| h.maps = h.frames.clone())),
        ("one of its own", Box::new(|h| h.mask = h.maps.clone())),
        ("'picture'", Box::new(|h| h.picture = texture(bytes(4 * n - 1), SIZE))),
        ("'picture'", Box::new(|h| h.picture = texture(bytes(4 * n), Size::new(nx - 1, ny)))),
        ("'picture'", Box::new(|h| h.picture = texture(bytes(4 * n), Size::new(nx, ny - 1)))),
        ("'picture' one of its own", Box::new(|h| h.picture = texture(scene.maps.clone(), SIZE))),
        ("'picture' one of its own", Box::new(|h| h.picture = texture(scene.frames.clone(), SIZE))),
        ("'picture' one of its own", Box::new(|h| h.picture = texture(scene.mask.clone(), SIZE))),
    ];
    for (i, (says, spoil)) in cases.iter().enumerate() {
        let mut lent = scene.lent(MmdiMap::Stiffness);
        spoil(&mut lent);
        match Mmdi::embedded(pipelines, &settings(), lent).map(|_| ()) {
            Err(error) if error.to_string().contains(says) => note!("{error}"),
            other => panic!("case {i} ('{says}'): {other:?}"),
        }
    }
    scene.embed(pipelines).expect("embedded").plan().run().expect("run");
    assert_same_bits(&scene.maps.read::<f32>(), &inverted(pipelines, &frames, &mask));

    // A larger picture: its other texels stay.
    let wide = Size::new(nx + 3, ny + 2);
    let mut lent = scene.lent(MmdiMap::Stiffness);
    let texels = Memory::of(&vec![7u8; 4 * wide.pixels()]).expect("memory");
    lent.picture = texture(texels.clone(), wide);
    Mmdi::embedded(pipelines, &settings(), lent).expect("embedded").plan().run().expect("run");
    let (small, large): (Vec<[u8; 4]>, Vec<[u8; 4]>) = (scene.picture.read(), texels.read());
    for (i, texel) in large.iter().enumerate() {
        let (x, y) = (i % wide.nx, i / wide.nx);
        let expected = if x < nx && y < ny { small[y * nx + x] } else { [7; 4] };
        assert_eq!(*texel, expected, "texel {x}, {y}");
    }
}

/// Each plan's maps are the other's frames: if the locks were taken in any order, both would wait for ever.
fn plans_in_two_threads_may_read_what_the_other_writes(SharedProcessor(pipelines): SharedProcessor) {
    let (frames, mask) = dime::scene(SIZE, [1.0; 2]);
    let room = MmdiMap::ALL.len() * SIZE.pixels();
    let filled = [&frames[..], &vec![0.0; room - frames.len()]].concat();
    let [a, b] = [memory(&filled), memory(&filled)];
    let mask = memory(&lent_mask(&mask));
    let plan = |from: &Memory, to: &Memory| {
        let [frames, mask, maps] = [from, &mask, to].map(|memory| Buffer::from(memory.clone()));
        let device = Pipelines::new(pipelines.device(), Checks::Off);
        Mmdi::embedded(&device, &settings(), Host { frames, mask, maps, picture: None }).expect("embedded")
    };
    let plans = [plan(&a, &b), plan(&b, &a)];
    std::thread::scope(|scope| {
        for mmdi in &plans {
            scope.spawn(|| (0..30).for_each(|_| mmdi.plan().run().expect("run")));
        }
    });
}

fn buffers_and_memory_are_not_exchanged(_: Driver) {
    let gpu = common::open_gpu(Device::open).expect("a GPU");
    let processor = Device::processor(Processor::default()).expect("the processor");
    let (frames, mask) = dime::scene(SIZE, [1.0; 2]);
    let scene = Scene::new(&frames, &mask, MmdiMap::ALL.len());
    let says = "a buffer of a GPU cannot be used on the processor, nor the processor's memory on a GPU";
    let refused = |result: palpate::Result<()>| {
        let error = result.expect_err("refused");
        assert!(matches!(&error, Error::Usage(what) if what == says), "{error}");
    };
    let [on_gpu, on_processor] = [&gpu, &processor].map(|device| Pipelines::new(device, Checks::Off));
    refused(scene.embed(&on_gpu).map(drop));
    let buffer = |values: usize| {
        let usage = palpate::wgpu::BufferUsages::STORAGE;
        use crate::common::OnGpu;
        gpu.wgpu_device().create_buffer(&palpate::wgpu::BufferDescriptor {
            label: Some("the host's"),
            size: 4 * values as u64,
            usage,
            mapped_at_creation: false,
        })
    };
    let lent = || Host { picture: None, ..scene.lent(MmdiMap::Stiffness) };
    let n = SIZE.pixels();
    for host in [
        Host { frames: buffer(2 * n).into(), ..lent() },
        Host { mask: buffer(n).into(), ..lent() },
        Host { maps: buffer(MmdiMap::ALL.len() * n).into(), ..lent() },
    ] {
        refused(Mmdi::embedded(&on_processor, &settings(), host).map(drop));
    }

    let mut mmdi = scene.embed(&on_processor).expect("embedded");
    let maps = mmdi.buffers()[2];
    refused(mmdi.plan_mut().rebind(maps, buffer(MmdiMap::ALL.len() * n)));
    assert!(mmdi.plan().buffer(maps) == Some(&scene.maps.clone().into()));
    refused(processor.write(&buffer(4).into(), &[0f32; 4]));
    refused(processor.read::<f32>(&buffer(4).into()).map(drop));
    refused(gpu.write(&scene.mask.clone().into(), &[0f32; 4]));
    refused(gpu.read::<f32>(&scene.mask.clone().into()).map(drop));

    // The processor has no encoders.
    use crate::common::OnGpu;
    let mut encoder = gpu.encoder("the host's");
    let error = mmdi.plan().encode(&mut encoder).expect_err("refused");
    assert!(matches!(&error, Error::Usage(what) if what.contains("encoder; run it")), "{error}");
    mmdi.plan().run().expect("run");
    assert_same_bits(&scene.maps.read::<f32>(), &inverted(&on_processor, &frames, &mask));
}
