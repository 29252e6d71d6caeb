//! An application that draws with wgpu and has stiffness maps made inside its own frame.
//!
//! ```text
//! cargo run --release --example embed [PICTURE.png]
//! ```
//!
//! The host owns everything: instance, adapter, device, queue, buffers, textures, encoder and submit. palpate records
//! its dispatches between the host's upload and the host's render pass. It submits, maps and polls nothing. The wave,
//! the mask and the maps stay on the device. The picture shows a disc, soft on the left and stiff on the right, crossed
//! by a plane shear wave: at the top by MMDI, at the bottom by DIME.

use num_complex::Complex64;
use palpate::wgpu::{self, BufferUsages, TextureUsages, util::DeviceExt};
use palpate::{Checks, Chooser, Colouring, Device, Frames, Host, Pipelines, Size};
use palpate::{Dime, DimeMap, DimeSettings, DimeWeights, Mmdi, MmdiMap, MmdiSettings};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The pixels of the texture that stands for the host's window.
const WINDOW: Size = Size::new(512, 896);

fn main() -> Result<()> {
    let path = std::env::args_os().nth(1).map_or("out/embed.png".into(), std::path::PathBuf::from);
    let (device, queue) = device()?;

    // 1. Once: the settings of the inversions, and the host's own buffers and textures for them.
    let settings = MmdiSettings::new(Size::new(160, 144), [1.5, 1.25], Frames::Channels); // a real and an imaginary part
    let for_dime = DimeSettings::new(settings.size, settings.spacing_mm, settings.frames);
    let pixels = settings.size.pixels();
    let frames = buffer(&device, settings.frames.count() * pixels, STORAGE);
    let mask = buffer(&device, pixels, STORAGE);
    let maps = [MmdiMap::ALL.len(), DimeMap::ALL.len()].map(|n| buffer(&device, n * pixels, STORAGE));
    let usage = TextureUsages::STORAGE_BINDING | TextureUsages::TEXTURE_BINDING;
    let pictures = [0, 1].map(|_| texture(&device, settings.size, usage));
    let view = |i: usize| pictures[i].create_view(&Default::default());

    // 2. Once: palpate on the host's device. It compiles kernels and makes buffers here, not in a frame. Both
    //    inversions read the same wave and the same mask.
    let pipelines = Pipelines::new(&Device::adopt(device.clone(), queue.clone()), Checks::Off);
    let [maps_of_mmdi, maps_of_dime] = maps;
    let mmdi = Mmdi::embedded(
        &pipelines,
        &settings,
        Host {
            frames: frames.clone().into(),
            mask: mask.clone().into(),
            maps: maps_of_mmdi.into(),
            picture: Some((view(0).into(), Colouring::stiffness(MmdiMap::Stiffness))),
        },
    )?;
    let dime = Dime::embedded(
        &Chooser::new(&pipelines),
        &DimeWeights::default().weights()?,
        &for_dime,
        Host {
            frames: frames.clone().into(),
            mask: mask.clone().into(),
            maps: maps_of_dime.into(),
            picture: Some((view(1).into(), Colouring::stiffness(DimeMap::Modulus))),
        },
    )?;
    let paint = [0, 1].map(|i| painter(&device, &pictures[i], [i, 2]));
    let window = texture(&device, WINDOW, TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC);

    // 3. Every frame: one encoder for everything. `plan_mut().rebind` makes a plan use other buffers.
    let [wave, inside] = layered_disc(&settings, [2.5, 5.5]);
    let mut encoder = device.create_command_encoder(&Default::default());
    upload(&device, &mut encoder, &wave, &frames);
    upload(&device, &mut encoder, &inside, &mask);
    mmdi.plan().encode(&mut encoder)?;
    dime.plan().encode(&mut encoder)?;
    paint.iter().for_each(|paint| paint(&mut encoder, &window, extent_mm(&settings)));

    // 4. An application would now present the frame. This example has no window; it only reads the picture back.
    let shot = buffer(&device, WINDOW.pixels(), BufferUsages::COPY_DST | BufferUsages::MAP_READ);
    let bytes_per_row = Some(4 * window.width()); // a multiple of 256
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row, rows_per_image: None };
    let into = wgpu::TexelCopyBufferInfo { buffer: &shot, layout };
    encoder.copy_texture_to_buffer(window.as_image_copy(), into, window.size());
    queue.submit([encoder.finish()]);
    shot.map_async(wgpu::MapMode::Read, .., |_| {}); // a failure shows in the range below
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let rgba = shot.get_mapped_range(..)?.to_vec();

    std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
    image::save_buffer(&path, &rgba, window.width(), window.height(), image::ColorType::Rgba8)?;
    let (name, dispatches) = (&pipelines.device().caps().info.name, mmdi.plan().len() + dime.plan().len());
    println!("{}: one frame on {name}, with {dispatches} kinds of dispatches by palpate", path.display());
    Ok(())
}

/// The host's device. palpate needs only WebGPU's default limits and no optional features.
pub fn device() -> Result<(wgpu::Device, wgpu::Queue)> {
    let adapter = pollster::block_on(wgpu::Instance::default().request_adapter(&Default::default()))?;
    let descriptor = wgpu::DeviceDescriptor { label: Some("host"), ..Default::default() };
    Ok(pollster::block_on(adapter.request_device(&descriptor))?)
}

/// palpate needs only `STORAGE`; the host needs the copies.
pub const STORAGE: BufferUsages =
    BufferUsages::STORAGE.union(BufferUsages::COPY_DST).union(BufferUsages::COPY_SRC);

/// Makes a buffer of `count` values of four bytes.
pub fn buffer(device: &wgpu::Device, count: usize, usage: BufferUsages) -> wgpu::Buffer {
    let (label, size) = (Some("host"), 4 * count as u64);
    device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
}

/// Makes an rgba8unorm texture, a format that kernels can write and samplers can filter on every device.
pub fn texture(device: &wgpu::Device, Size { nx, ny }: Size, usage: TextureUsages) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("host"),
        size: wgpu::Extent3d { width: nx as u32, height: ny as u32, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage,
        view_formats: &[],
    })
}

/// Records the copy of `data` into `buffer`.
pub fn upload(
    device: &wgpu::Device,
    encoder: &mut wgpu::CommandEncoder,
    data: &[f32],
    buffer: &wgpu::Buffer,
) {
    let (contents, usage) = (bytemuck::cast_slice(data), BufferUsages::COPY_SRC);
    let staging = wgpu::util::BufferInitDescriptor { label: Some("host upload"), contents, usage };
    encoder.copy_buffer_to_buffer(&device.create_buffer_init(&staging), 0, buffer, 0, buffer.size());
}

/// The host's shader: a triangle that covers the viewport. The sampled colours are sRGB. For a target whose format ends
/// in `Srgb`, the shader would have to make them linear.
const SHADER: &str = "
@group(0) @binding(0) var map: texture_2d<f32>;
@group(0) @binding(1) var smooth_: sampler;

struct Corner { @builtin(position) position: vec4f, @location(0) at: vec2f }

@vertex fn corner(@builtin(vertex_index) i: u32) -> Corner {
    let at = 2.0 * vec2f(vec2u(i & 1, i >> 1));
    return Corner(vec4f(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), at);
}

@fragment fn shade(c: Corner) -> @location(0) vec4f { return textureSample(map, smooth_, c.at); }";

/// Makes the function that records the host's render pass. It draws `map`, whose width and height are given in mm, over
/// the host's scene (here a dark background): into strip `i` of `n` strips from the top, as large as that allows.
pub fn painter(
    device: &wgpu::Device,
    map: &wgpu::Texture,
    [i, n]: [usize; 2],
) -> impl Fn(&mut wgpu::CommandEncoder, &wgpu::Texture, [f64; 2]) + use<> {
    let source = wgpu::ShaderSource::Wgsl(SHADER.into());
    let shader = wgpu::ShaderModuleDescriptor { label: Some("host painter"), source };
    let module = &device.create_shader_module(shader);
    let (entry_point, compilation_options) = (None, wgpu::PipelineCompilationOptions::default());
    let target = wgpu::ColorTargetState {
        format: wgpu::TextureFormat::Rgba8Unorm,
        // Outside the mask all of RGBA is 0, so samples that mix in such texels are premultiplied.
        blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
        write_mask: wgpu::ColorWrites::ALL,
    };
    let targets = &[Some(target)];
    let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("host painter"),
        layout: None,
        vertex: wgpu::VertexState {
            module,
            entry_point,
            compilation_options: compilation_options.clone(),
            buffers: &[],
        },
        fragment: Some(wgpu::FragmentState { module, entry_point, compilation_options, targets }),
        primitive: Default::default(),
        depth_stencil: None,
        multisample: Default::default(),
        multiview_mask: None,
        cache: None,
    });
    let linear = wgpu::FilterMode::Linear;
    let sampler = wgpu::SamplerDescriptor { mag_filter: linear, min_filter: linear, ..Default::default() };
    let sampler = wgpu::BindingResource::Sampler(&device.create_sampler(&sampler));
    let map = wgpu::BindingResource::TextureView(&map.create_view(&Default::default()));
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("host painter"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: map },
            wgpu::BindGroupEntry { binding: 1, resource: sampler },
        ],
    });
    move |encoder, target, [width, height]| {
        let room = [target.width() as f32, target.height() as f32 / n as f32];
        let scale = (room[0] / width as f32).min(room[1] / height as f32);
        let [w, h] = [width as f32 * scale, height as f32 * scale];
        let dark = wgpu::Color { r: 0.06, g: 0.07, b: 0.09, a: 1.0 };
        let attachment = wgpu::RenderPassColorAttachment {
            view: &target.create_view(&Default::default()),
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations {
                load: if i == 0 { wgpu::LoadOp::Clear(dark) } else { wgpu::LoadOp::Load },
                store: wgpu::StoreOp::Store,
            },
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("host frame"),
            color_attachments: &[Some(attachment)],
            ..Default::default()
        });
        let top = i as f32 * room[1];
        pass.set_viewport((room[0] - w) / 2.0, top + (room[1] - h) / 2.0, w, h, 0.0, 1.0);
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bind_group, &[]);
        pass.draw(0..3, 0..1);
    }
}

/// Width and height of the image, mm.
pub fn extent_mm(settings: &MmdiSettings) -> [f64; 2] {
    let (Size { nx, ny }, [hx, hy]) = (settings.size, settings.spacing_mm);
    [nx as f64 * hx, ny as f64 * hy]
}

/// The exact field of a plane shear wave that crosses a disc from left to right, and the disc's mask. The storage
/// moduli left and right of the middle are given in kPa; the loss modulus is a tenth of the storage modulus. Returns
/// the real and imaginary parts `[2][ny][nx]` and the mask `[ny][nx]`.
pub fn layered_disc(settings: &MmdiSettings, moduli: [f64; 2]) -> [Vec<f32>; 2] {
    let modulus = moduli.map(|kpa| 1000.0 * kpa * Complex64::new(1.0, 0.1));
    let omega = std::f64::consts::TAU * settings.frequency_hz;
    let k = modulus.map(|m| 1e-3 * omega * (settings.density / m).sqrt()); // k of exp(-ikx), x in mm
    // Displacement and shear stress are continuous in the middle, where a part of the wave is reflected.
    let [soft, stiff] = [modulus[0] * k[0], modulus[1] * k[1]];
    let reflected = (soft - stiff) / (soft + stiff);
    let run = |k: Complex64, x: f64| (-Complex64::I * k * x).exp();
    let radius = 0.46 * extent_mm(settings).into_iter().fold(f64::INFINITY, f64::min);
    let (Size { nx, ny }, [hx, hy]) = (settings.size, settings.spacing_mm);
    let (mut wave, mut mask) = (vec![0.0; 2 * nx * ny], vec![0.0; nx * ny]);
    for i in 0..nx * ny {
        let off = |at: usize, n: usize, h: f64| (at as f64 + 0.5 - n as f64 / 2.0) * h;
        let (x, y) = (off(i % nx, nx, hx), off(i / nx, ny, hy));
        if x.hypot(y) < radius {
            let left = run(k[0], x) + reflected * run(k[0], -x);
            let u = if x < 0.0 { left } else { (1.0 + reflected) * run(k[1], x) };
            (wave[i], wave[nx * ny + i], mask[i]) = (u.re as f32, u.im as f32, 1.0);
        }
    }
    [wave, mask]
}
