//! Helpers that tests and benches share.
#![allow(dead_code, reason = "each program uses its own part")]

pub mod compare;
use palpate::lowlevel::device::{AdapterChoice, Device};
use palpate::wgpu;

/// A device for a bench, or `None` with a line that says what is skipped; `PALPATE_REQUIRE_GPU=1` makes that a failure.
pub fn gpu() -> Option<Device> {
    match open(Device::open) {
        Ok(gpu) => Some(gpu),
        Err(error) if std::env::var_os("PALPATE_REQUIRE_GPU").is_none() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// What `open` makes of the adapter that `PALPATE_ADAPTER` chooses, or the best.
pub fn open(open: fn(&AdapterChoice) -> palpate::Result<Device>) -> Result<Device, String> {
    open(&chosen().unwrap_or_default()).map_err(|error| error.to_string())
}

/// The same for tests of shaders: without a choice the first adapter, also if that is a software driver.
pub fn open_gpu(open: fn(&AdapterChoice) -> palpate::Result<Device>) -> Result<Device, String> {
    let choice = chosen().filter(|choice| !matches!(choice, AdapterChoice::Processor(_)));
    open(&choice.unwrap_or(AdapterChoice::Index(0))).map_err(|error| error.to_string())
}

/// What `--adapter` has to say so that the program computes on `device`.
pub fn adapter_of(device: &Device) -> String {
    match device.gpu() {
        Some(_) => std::env::var("PALPATE_ADAPTER").unwrap_or_else(|_| "0".into()),
        None => "cpu".into(),
    }
}

fn chosen() -> Option<AdapterChoice> {
    std::env::var("PALPATE_ADAPTER").ok().map(|choice| choice.as_str().into())
}

/// What tests do with the GPU behind a device.
pub trait OnGpu {
    fn wgpu_device(&self) -> &wgpu::Device;
    fn queue(&self) -> &wgpu::Queue;
    fn encoder(&self, label: &str) -> wgpu::CommandEncoder;
}

impl OnGpu for Device {
    fn wgpu_device(&self) -> &wgpu::Device {
        self.gpu().expect("a GPU").device()
    }

    fn queue(&self) -> &wgpu::Queue {
        self.gpu().expect("a GPU").queue()
    }

    fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.gpu().expect("a GPU").encoder(label)
    }
}

/// The bytes of an RGBA texture, row by row.
pub fn read_texture(gpu: &Device, texture: &wgpu::Texture) -> Vec<u8> {
    let (width, height) = (texture.width(), texture.height());
    let pitch = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = gpu.wgpu_device().create_buffer(&wgpu::BufferDescriptor {
        label: Some("texture read-back"),
        size: u64::from(pitch * height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    let mut encoder = gpu.encoder("texture read-back");
    encoder.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(pitch),
                rows_per_image: None,
            },
        },
        wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
    );
    gpu.queue().submit([encoder.finish()]);
    let bytes: Vec<u8> = gpu.read(&buffer.into()).expect("read");
    bytes.chunks(pitch as usize).flat_map(|row| &row[..4 * width as usize]).copied().collect()
}
