//! palpate inside a host's frame: the host's device, buffers, texture, encoder, submit and render pass.
//! The host is that of `examples/embed.rs`, so that what is proven is what people copy.

#[path = "../../examples/embed.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod host;

use crate::common::{self, compare::assert_near};
use crate::harness::Driver;
use host::STORAGE;
use palpate::lowlevel::device::Device;
use palpate::lowlevel::embed::Host;
use palpate::lowlevel::kernel::mre::colour::Colouring;
use palpate::lowlevel::kernel::mre::planes::MmdiMap;
use palpate::lowlevel::kernel::signal::harmonic::Frames;
use palpate::lowlevel::mmdi::{Mmdi, MmdiMode, MmdiSettings};
use palpate::lowlevel::plan::{Checks, Pipelines};
use palpate::lowlevel::proof::oracle;
use palpate::wgpu::{self, BufferUsages, TextureUsages};
use palpate::{Error, Size};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

tests![
    a_frame_of_the_hosts_has_map_texture_and_drawing,
    encoding_submits_maps_and_polls_nothing,
    rebound_buffers_take_the_place_of_the_first,
    unfit_buffers_and_textures_are_refused,
    the_largest_image_at_default_limits_is_as_stated,
    a_mask_is_inside_where_it_is_above_0_whatever_its_values,
    two_devices_live_side_by_side,
    the_hosts_error_handler_stays_the_hosts,
];

/// The map's texture at one pixel a texel in the middle of a square: 256 bytes a row.
const WINDOW: Size = Size::square(64);
/// No stiffness, speed or displacement of these tests.
const POISON: f32 = -12345.0;

fn settings() -> MmdiSettings {
    MmdiSettings {
        mode: MmdiMode::Corrected,
        size: Size::new(64, 48),
        spacing_mm: [1.5, 1.5],
        frames: Frames::Channels,
        directions: 1,
        zero_lost: false,
        frequency_hz: 90.0,
        density: 1000.0,
    }
}

/// A host with everything it lends, and palpate on it.
struct Scene {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipelines: Pipelines,
    frames: wgpu::Buffer,
    mask: wgpu::Buffer,
    maps: wgpu::Buffer,
    picture: wgpu::Texture,
}

impl Scene {
    /// The input is on the device already, the maps are poison.
    fn new(moduli: [f64; 2]) -> Self {
        let (device, queue) = host::device().expect("the host's device");
        let pipelines = Pipelines::new(&Device::adopt(device.clone(), queue.clone()), Checks::Off);
        let n = settings().size.pixels();
        let [frames, mask] = host::layered_disc(&settings(), moduli);
        let filled = |data: &[f32]| {
            let buffer = host::buffer(&device, data.len(), STORAGE);
            queue.write_buffer(&buffer, 0, bytemuck::cast_slice(data));
            buffer
        };
        let maps = filled(&vec![POISON; MmdiMap::ALL.len() * n]);
        let (frames, mask) = (filled(&frames), filled(&mask));
        let picture = host::texture(
            &device,
            settings().size,
            TextureUsages::STORAGE_BINDING | TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_SRC,
        );
        Self { device, queue, pipelines, frames, mask, maps, picture }
    }

    fn lent(&self) -> Host<MmdiMap> {
        let picture = Some((self.picture.create_view(&Default::default()).into(), Colouring::default()));
        let [frames, mask, maps] = [&self.frames, &self.mask, &self.maps].map(|buffer| buffer.clone().into());
        Host { frames, mask, maps, picture }
    }

    fn embed(&self) -> Mmdi {
        Mmdi::embedded(&self.pipelines, &settings(), self.lent()).expect("embedded")
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Vec<f32> {
        self.pipelines.device().read(&buffer.clone().into()).expect("read")
    }

    /// The host's frame: `mmdi` encoded and submitted.
    fn frame(&self, mmdi: &Mmdi) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        mmdi.plan().encode(&mut encoder).expect("encoded");
        self.queue.submit([encoder.finish()]);
    }

    /// What palpate gives on the same device with buffers of its own.
    fn reference(&self, moduli: [f64; 2]) -> Vec<f32> {
        let [frames, mask] = host::layered_disc(&settings(), moduli);
        let mask: Vec<bool> = mask.iter().map(|&m| m > 0.0).collect();
        let mmdi = Mmdi::new(&self.pipelines, &settings(), &|_, _| {}).expect("compile");
        mmdi.invert(&frames, &mask).expect("invert")
    }
}

#[track_caller]
fn assert_same_bits(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    let other = got.iter().zip(expected).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    assert_eq!(other, 0, "of {} values", got.len());
}

const SOFT_AND_STIFF: [f64; 2] = [2.5, 5.5];

fn a_frame_of_the_hosts_has_map_texture_and_drawing(_: Driver) {
    let scene = Scene::new(SOFT_AND_STIFF);
    let expected = scene.reference(SOFT_AND_STIFF);
    let mmdi = scene.embed();
    let window =
        host::texture(&scene.device, WINDOW, TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC);
    let paint = host::painter(&scene.device, &scene.picture, [0, 1]);

    let mut encoder = scene.device.create_command_encoder(&Default::default());
    let poison = vec![POISON; expected.len()];
    host::upload(&scene.device, &mut encoder, &poison, &scene.maps);
    mmdi.plan().encode(&mut encoder).expect("encoded");
    paint(&mut encoder, &window, host::extent_mm(&settings()));
    scene.queue.submit([encoder.finish()]);

    // The map, to the bit.
    assert_same_bits(&scene.read(&scene.maps), &expected);
    // It is a map of something: stiffness is right in the middle of either half.
    let Size { nx, ny } = settings().size;
    let stiffness = MmdiMap::Stiffness.of(&expected);
    for (x, kpa) in [(nx / 3, SOFT_AND_STIFF[0]), (2 * nx / 3, SOFT_AND_STIFF[1])] {
        assert_near(stiffness[ny / 2 * nx + x], kpa, 0.15, format!("column {x}"));
    }

    // The texture, to the byte.
    let how = Colouring::default();
    let mask = oracle::wide(&scene.read(&scene.mask));
    let range = [how.low, how.high].map(f64::from);
    let colours = oracle::colour(&oracle::wide(how.plane.of(&expected)), &mask, &how.map.table(), range);
    let texels: Vec<f64> =
        common::read_texture(scene.pipelines.device(), &scene.picture).into_iter().map(f64::from).collect();
    assert_eq!(texels, colours.to_vec());

    // The drawing, a pixel a texel: the colours inside the mask, the same dark background elsewhere.
    let drawn = common::read_texture(scene.pipelines.device(), &window);
    let above = (WINDOW.ny - ny) / 2;
    let background = &drawn[..4];
    assert!(background[..3].iter().all(|&c| c < 40) && background[3] == 255, "{background:?}");
    for (i, pixel) in drawn.chunks(4).enumerate() {
        let (x, y) = (i % WINDOW.nx, i / WINDOW.nx);
        let texel = y.checked_sub(above).filter(|y| *y < ny).map(|y| y * nx + x);
        let expected: Vec<f64> = match texel.filter(|&t| mask[t] > 0.0) {
            Some(t) => texels[4 * t..][..4].to_vec(),
            None => background.iter().map(|&c| c.into()).collect(),
        };
        let near = pixel.iter().zip(&expected).all(|(&a, b)| (f64::from(a) - b).abs() <= 1.0);
        assert!(near, "pixel {x}, {y} is {pixel:?}, not {expected:?}");
    }
    let centre = &drawn[4 * (WINDOW.ny / 2 * WINDOW.nx + WINDOW.nx / 2)..][..4];
    assert_ne!(centre, background, "nothing drawn");
}

fn encoding_submits_maps_and_polls_nothing(_: Driver) {
    let scene = Scene::new(SOFT_AND_STIFF);
    let mmdi = scene.embed();
    let encode = || {
        let mut encoder = scene.device.create_command_encoder(&Default::default());
        mmdi.plan().encode(&mut encoder).expect("encoded");
        encoder
    };
    // The queue counts its submissions.
    let submissions = || -> u64 {
        let index = format!("{:?}", scene.queue.submit([]));
        index.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("an index")
    };
    let first = submissions();
    let encoder = encode();
    assert_eq!(submissions(), first + 1, "palpate submitted");
    drop(encoder);
    // What the host waits for is told by the next poll or submission, and not while there is neither.
    scene.device.poll(wgpu::PollType::wait_indefinitely()).expect("poll");
    let told = Arc::new(AtomicBool::new(false));
    let tell = told.clone();
    scene.queue.on_submitted_work_done(move || tell.store(true, Ordering::SeqCst));
    std::thread::sleep(std::time::Duration::from_millis(100));
    let encoder = encode();
    assert!(!told.load(Ordering::SeqCst), "palpate polled or submitted");

    // Dropped without being submitted, the encoder has done nothing.
    drop(encoder);
    scene.device.poll(wgpu::PollType::wait_indefinitely()).expect("poll");
    assert!(told.load(Ordering::SeqCst));
    assert!(scene.read(&scene.maps).iter().all(|&v| v == POISON));
    assert!(common::read_texture(scene.pipelines.device(), &scene.picture).iter().all(|&b| b == 0));
    // Nor has the plan been spent.
    scene.frame(&mmdi);
    assert_same_bits(&scene.read(&scene.maps), &scene.reference(SOFT_AND_STIFF));
}

fn rebound_buffers_take_the_place_of_the_first(_: Driver) {
    let scene = Scene::new(SOFT_AND_STIFF);
    let (first, other) = (scene.reference(SOFT_AND_STIFF), scene.reference([4.0, 3.0]));
    let mut mmdi = scene.embed();
    let [frames, _, maps] = mmdi.buffers();

    // Another image in a larger buffer, into the same maps.
    let image = host::layered_disc(&settings(), [4.0, 3.0])[0].clone();
    let input = host::buffer(&scene.device, image.len() + 1000, STORAGE);
    scene.queue.write_buffer(&input, 0, bytemuck::cast_slice(&image));
    mmdi.plan_mut().rebind(frames, input).expect("rebind");
    scene.frame(&mmdi);
    assert_same_bits(&scene.read(&scene.maps), &other);

    // Back to the first image, into other maps: the first maps stay as they are.
    let output = host::buffer(&scene.device, other.len(), STORAGE);
    mmdi.plan_mut().rebind(frames, scene.frames.clone()).expect("rebind");
    mmdi.plan_mut().rebind(maps, output.clone()).expect("rebind");
    scene.frame(&mmdi);
    assert_same_bits(&scene.read(&output), &first);
    assert_same_bits(&scene.read(&scene.maps), &other);

    // What is refused leaves the plan as it was: too small, no STORAGE.
    let small = host::buffer(&scene.device, other.len() - 1, STORAGE);
    let dull = host::buffer(&scene.device, other.len(), BufferUsages::COPY_DST | BufferUsages::COPY_SRC);
    for (bad, says) in [(small, "bytes"), (dull, "STORAGE")] {
        let error = mmdi.plan_mut().rebind(maps, bad).expect_err("refused").to_string();
        assert!(error.contains(says), "{error}");
        assert!(mmdi.plan().buffer(maps) == Some(&output.clone().into()));
    }
    scene.queue.write_buffer(&output, 0, &vec![0; 4 * first.len()]);
    scene.frame(&mmdi);
    assert_same_bits(&scene.read(&output), &first);
    // A buffer of the plan's own is nobody's to replace.
    let mut own = Mmdi::new(&scene.pipelines, &settings(), &|_, _| {}).expect("compile");
    let own_maps = own.buffers()[2];
    assert!(matches!(own.plan_mut().rebind(own_maps, scene.maps.clone()), Err(Error::Usage(_))));
}

fn unfit_buffers_and_textures_are_refused(_: Driver) {
    let scene = Scene::new(SOFT_AND_STIFF);
    let n = settings().size.pixels();
    let Size { nx, ny } = settings().size;
    let buffer = |count, usage| host::buffer(&scene.device, count, usage).into();
    let texture = |size, usage| {
        let view = host::texture(&scene.device, size, usage).create_view(&Default::default());
        Some((view.into(), Colouring::default()))
    };
    let no_storage = STORAGE.difference(BufferUsages::STORAGE);
    let good = TextureUsages::STORAGE_BINDING;
    type Spoil<'a> = Box<dyn Fn(&mut Host<MmdiMap>) + 'a>;
    let cases: Vec<(&str, Spoil)> = vec![
        ("frames", Box::new(|h| h.frames = buffer(2 * n - 1, STORAGE))),
        ("mask", Box::new(|h| h.mask = buffer(n - 1, STORAGE))),
        ("maps", Box::new(|h| h.maps = buffer(MmdiMap::ALL.len() * n - 1, STORAGE))),
        ("frames", Box::new(|h| h.frames = buffer(2 * n, no_storage))),
        ("mask", Box::new(|h| h.mask = buffer(n, no_storage))),
        ("maps", Box::new(|h| h.maps = buffer(MmdiMap::ALL.len() * n, no_storage))),
        (
            "STORAGE_BINDING",
            Box::new(|h| h.picture = texture(Size::new(nx, ny), TextureUsages::TEXTURE_BINDING)),
        ),
        ("picture", Box::new(|h| h.picture = texture(Size::new(nx - 1, ny), good))),
        ("picture", Box::new(|h| h.picture = texture(Size::new(nx, ny - 1), good))),
        ("one of its own", Box::new(|h| h.maps = h.frames.clone())),
        ("one of its own", Box::new(|h| h.mask = h.maps.clone())),
        ("one mip level", Box::new(|h| h.picture = Some(mipped(&scene.device, settings().size)))),
        ("below the second", Box::new(|h| h.picture.as_mut().expect("a picture").1.high = 0.0)),
        ("below the second", Box::new(|h| h.picture.as_mut().expect("a picture").1.low = f32::NAN)),
    ];
    let mut missed = Vec::new();
    for (i, (says, spoil)) in cases.iter().enumerate() {
        let mut lent = scene.lent();
        spoil(&mut lent);
        match Mmdi::embedded(&scene.pipelines, &settings(), lent).map(|_| ()) {
            Err(error) if error.to_string().contains(says) => note!("{error}"),
            other => missed.push(format!("case {i} ('{says}'): {other:?}")),
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    scene.frame(&scene.embed());
    assert_same_bits(&scene.read(&scene.maps), &scene.reference(SOFT_AND_STIFF));
}

/// README.md: 836 × 836 px at WebGPU's default limits, which are the host's.
fn the_largest_image_at_default_limits_is_as_stated(_: Driver) {
    let (device, queue) = host::device().expect("the host's device");
    let pipelines = Pipelines::new(&Device::adopt(device, queue), Checks::Off);
    assert_eq!(pipelines.device().caps().max_binding(), 128 << 20);
    let square =
        |n: usize| Mmdi::new(&pipelines, &MmdiSettings { size: Size::square(n), ..settings() }, &|_, _| {});
    for n in [837, 840, 1024] {
        let error = square(n).err().expect("refused");
        assert!(
            matches!(error, Error::OutOfMemory { .. }) && error.to_string().contains("128.0 MiB"),
            "{error}"
        );
    }
    square(836).expect("the largest");
}

/// The second mip level of a texture, as large as is asked for itself.
fn mipped(device: &wgpu::Device, Size { nx, ny }: Size) -> (palpate::Texture, Colouring<MmdiMap>) {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: 2 * nx as u32, height: 2 * ny as u32, depth_or_array_layers: 1 },
        mip_level_count: 2,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: TextureUsages::STORAGE_BINDING,
        view_formats: &[],
    });
    let level = wgpu::TextureViewDescriptor { base_mip_level: 1, ..Default::default() };
    (texture.create_view(&level).into(), Colouring::default())
}

fn a_mask_is_inside_where_it_is_above_0_whatever_its_values(_: Driver) {
    let scene = Scene::new(SOFT_AND_STIFF);
    let [_, ones] = host::layered_disc(&settings(), SOFT_AND_STIFF);
    for mode in [MmdiMode::Corrected, MmdiMode::Clinical] {
        let settings = MmdiSettings { mode, ..settings() };
        let mmdi = Mmdi::embedded(&scene.pipelines, &settings, scene.lent()).expect("embedded");
        let maps = |inside: f32, outside: f32| {
            let mask: Vec<f32> = ones.iter().map(|&m| if m > 0.0 { inside } else { outside }).collect();
            scene.queue.write_buffer(&scene.mask, 0, bytemuck::cast_slice(&mask));
            scene.frame(&mmdi);
            scene.read(&scene.maps)
        };
        let expected = maps(1.0, 0.0);
        for (inside, outside) in [(255.0, 0.0), (1e-3, 0.0), (1.0, -1.0), (1.0, f32::NAN)] {
            assert_same_bits(&maps(inside, outside), &expected);
        }
    }
}

fn two_devices_live_side_by_side(_: Driver) {
    let (a, b) = (Scene::new(SOFT_AND_STIFF), Scene::new([4.0, 3.0]));
    let (first, second) = (a.embed(), b.embed());
    for _ in 0..2 {
        a.frame(&first);
        b.frame(&second);
    }
    // Each has the other's result as its reference, and one outlives the other.
    let (left, right) = (a.reference([4.0, 3.0]), b.reference(SOFT_AND_STIFF));
    assert_same_bits(&a.read(&a.maps), &right);
    drop((a, first));
    assert_same_bits(&b.read(&b.maps), &left);
    b.frame(&second);
    assert_same_bits(&b.read(&b.maps), &left);
}

fn the_hosts_error_handler_stays_the_hosts(_: Driver) {
    let scene = Scene::new(SOFT_AND_STIFF);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    scene.device.on_uncaptured_error(Arc::new(move |error| ear.lock().unwrap().push(error.to_string())));
    let gpu = Device::adopt(scene.device.clone(), scene.queue.clone());
    let pipelines = Pipelines::new(&gpu, Checks::Off);
    let mmdi = Mmdi::embedded(&pipelines, &settings(), scene.lent()).expect("embedded");
    scene.frame(&mmdi);

    // The host's own mistake reaches the host, and only the host.
    let mistake = "a mistake of the host's";
    let _ = scene.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(mistake),
        size: 16,
        usage: BufferUsages::MAP_READ | BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    assert_eq!(heard.lock().unwrap().len(), 1, "{heard:?}");
    assert!(heard.lock().unwrap()[0].contains(mistake), "{heard:?}");
    gpu.check().expect("no error of palpate's");

    // What palpate is refused, palpate's caller is told, and only the caller.
    let unreadable = host::buffer(&scene.device, 4, BufferUsages::STORAGE);
    assert!(gpu.read::<f32>(&unreadable.into()).is_err());
    let unwritable = host::buffer(&scene.device, 2 * 64 * 48, BufferUsages::STORAGE);
    let lent = Host { frames: unwritable.into(), ..scene.lent() };
    let mmdi = Mmdi::embedded(&pipelines, &settings(), lent).expect("embedded");
    assert!(mmdi.invert(&vec![0.0; 2 * 64 * 48], &vec![true; 64 * 48]).is_err());
    assert_eq!(heard.lock().unwrap().len(), 1, "{heard:?}");
}
