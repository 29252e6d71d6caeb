//! Buffers and textures of either kind of device.

use crate::processor::Memory;
use crate::size::Size;

/// A buffer of a GPU, or memory of the processor. Clones are handles of the same contents.
#[derive(Clone, PartialEq)]
pub enum Buffer {
    /// A buffer of a GPU.
    Gpu(wgpu::Buffer),
    /// Memory of the processor.
    Memory(Memory),
}

impl Buffer {
    /// The number of bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Gpu(buffer) => buffer.size(),
            Self::Memory(memory) => memory.size() as u64,
        }
    }

    /// The buffer, if it is one of a GPU.
    pub fn gpu(&self) -> Option<&wgpu::Buffer> {
        match self {
            Self::Gpu(buffer) => Some(buffer),
            Self::Memory(_) => None,
        }
    }

    /// The memory, if it is the processor's.
    pub fn memory(&self) -> Option<&Memory> {
        match self {
            Self::Gpu(_) => None,
            Self::Memory(memory) => Some(memory),
        }
    }
}

impl From<wgpu::Buffer> for Buffer {
    fn from(buffer: wgpu::Buffer) -> Self {
        Self::Gpu(buffer)
    }
}

impl From<Memory> for Buffer {
    fn from(memory: Memory) -> Self {
        Self::Memory(memory)
    }
}

/// An rgba8unorm texture of a GPU, or memory of the processor with four bytes per texel.
#[derive(Clone)]
pub enum Texture {
    /// A view of a texture of a GPU.
    Gpu(wgpu::TextureView),
    /// `[ny][nx]` texels in memory of the processor.
    Memory(Memory, Size),
}

impl Texture {
    /// The number of texels along x and y.
    pub fn size(&self) -> [u32; 2] {
        match self {
            Self::Gpu(view) => [view.texture().width(), view.texture().height()],
            Self::Memory(_, size) => size.axes().map(|n| n as u32),
        }
    }
}

impl From<wgpu::TextureView> for Texture {
    fn from(view: wgpu::TextureView) -> Self {
        Self::Gpu(view)
    }
}
