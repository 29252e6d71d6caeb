//! Devices: a GPU, opened here or adopted from a host, or the processor. Only this module creates or owns wgpu objects for
//! the rest of the crate. It has a device's capabilities and a pool of its buffers. It knows nothing of kernels.

mod adapter;
mod buffer;
mod caps;
mod gpu;
mod memory;
mod pool;
mod profile;
mod read;

pub use adapter::{AdapterChoice, Chosen, Found, adapters, choose};
pub use buffer::{Buffer, Texture};
pub use caps::{Caps, Tier, kind};
pub use gpu::Gpu;
pub use pool::{BufferPool, Pooled};
pub use profile::Profiler;

use crate::error::{Error, Result};
use crate::processor::{Instructions, Processor, Team};
use std::sync::Arc;

/// A device to compute on: a GPU opened by palpate ([`Device::open`]) or adopted from a host ([`Device::adopt`]), or the
/// processor ([`Device::processor`]). Clones share the device, its pool and its state. There is no global state.
#[derive(Clone)]
pub struct Device {
    inner: Arc<Inner>,
}

struct Inner {
    kind: Kind,
    caps: Caps,
    pool: BufferPool,
}

enum Kind {
    Gpu(Gpu),
    Processor(Team),
}

impl Device {
    /// Opens the device that `choice` selects. A GPU comes with all of the adapter's own limits.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is no such adapter, and [`Error::NoDevice`] if the adapter gives no device, or the
    /// processor lacks the instruction set that was asked for.
    pub fn open(choice: &AdapterChoice) -> Result<Self> {
        pollster::block_on(Self::open_async(choice))
    }

    /// The same without blocking, as a browser needs it.
    ///
    /// # Errors
    /// The errors of [`Device::open`].
    pub async fn open_async(choice: &AdapterChoice) -> Result<Self> {
        Self::opened(choice, None, false).await
    }

    /// Opens a device like [`Device::open`], with the adapter's matrix units if our kernels support them, for
    /// [`Chooser::with_half`](crate::kernel::form::Chooser::with_half). wgpu's support of matrix units is experimental.
    ///
    /// # Errors
    /// The errors of [`Device::open`].
    pub fn open_with_units(choice: &AdapterChoice) -> Result<Self> {
        Self::open_with(choice, None, true)
    }

    /// Opens a device like [`Device::open`], or with `units` like [`Device::open_with_units`]. If it is the processor, it
    /// computes with this number of threads, unless `choice` has a number of its own.
    ///
    /// # Errors
    /// The errors of [`Device::open`].
    pub fn open_with(choice: &AdapterChoice, threads: Option<usize>, units: bool) -> Result<Self> {
        pollster::block_on(Self::opened(choice, threads, units))
    }

    async fn opened(choice: &AdapterChoice, threads: Option<usize>, units: bool) -> Result<Self> {
        match adapter::choose_async(choice).await? {
            Chosen::Gpu(found) => Ok(Self::on(Gpu::open(&found, units).await?)),
            Chosen::Processor(how) => Self::processor(Processor { threads: how.threads.or(threads), ..how }),
        }
    }

    /// The processor as a device. It needs neither a driver nor a loader.
    ///
    /// # Errors
    /// [`Error::NoDevice`] if it lacks the instruction set that was asked for, or no further thread can be started.
    pub fn processor(how: Processor) -> Result<Self> {
        let refused = |what: String| Error::NoDevice { adapter: Processor::name(), what };
        let Some(instructions) = how.instructions() else {
            let asked = how.instructions.map(|own| own.to_string()).unwrap_or_default();
            let own = Instructions::ALL.into_iter().filter(|own| own.exist());
            let own = own.map(|own| own.to_string()).collect::<Vec<_>>().join(", ");
            return Err(refused(format!("it has no {asked}, only {own}")));
        };
        let team = Team::new(how.threads(), instructions)
            .ok_or_else(|| refused(format!("the system starts no {} threads", how.threads())))?;
        let (caps, pool) = (Caps::processor(&team), BufferPool::default());
        Ok(Self { inner: Arc::new(Inner { kind: Kind::Processor(team), caps, pool }) })
    }

    /// Adopts a host's device and queue. The host keeps its control of them: palpate sets no callbacks on an adopted
    /// device and uses only the features and limits that it was made with.
    pub fn adopt(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self::on(Gpu::adopt(device, queue))
    }

    fn on(gpu: Gpu) -> Self {
        let (caps, pool) = (Caps::of(gpu.device()), BufferPool::default());
        Self { inner: Arc::new(Inner { kind: Kind::Gpu(gpu), caps, pool }) }
    }

    /// The GPU; `None` if the device is the processor.
    pub fn gpu(&self) -> Option<&Gpu> {
        match &self.inner.kind {
            Kind::Gpu(gpu) => Some(gpu),
            Kind::Processor(_) => None,
        }
    }

    /// The processor's threads; `None` if the device is a GPU.
    pub fn team(&self) -> Option<&Team> {
        match &self.inner.kind {
            Kind::Gpu(_) => None,
            Kind::Processor(team) => Some(team),
        }
    }

    /// The GPU, for what only a GPU can do.
    ///
    /// # Errors
    /// [`Error::Usage`] if the device is the processor.
    pub(crate) fn need_gpu(&self, doing: &str) -> Result<&Gpu> {
        self.gpu()
            .ok_or_else(|| Error::Usage(format!("{doing} needs a GPU, and this device is the processor")))
    }

    /// The capabilities of this device.
    pub fn caps(&self) -> &Caps {
        &self.inner.caps
    }

    /// The buffer pool of this device.
    pub fn pool(&self) -> &BufferPool {
        &self.inner.pool
    }

    /// Fails if the device is known to be lost, or if it reported an error outside of any error scope.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or the reported error.
    pub fn check(&self) -> Result<()> {
        self.gpu().map_or(Ok(()), Gpu::check)
    }

    /// Waits until all submitted work is done. On the processor it is done already.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or an error that the device reported outside of any error scope.
    pub fn wait(&self) -> Result<()> {
        self.gpu().map_or(Ok(()), Gpu::wait)
    }

    /// Uploads `data` to the start of `buffer`, which must have `COPY_DST` on a GPU.
    ///
    /// # Errors
    /// [`Error::Gpu`] or [`Error::Usage`] if `buffer` is too small, lacks `COPY_DST` or belongs to the other kind of
    /// device, and [`Error::DeviceLost`].
    pub fn write<T: bytemuck::Pod>(&self, buffer: &Buffer, data: &[T]) -> Result<()> {
        match (&self.inner.kind, buffer) {
            (Kind::Gpu(gpu), Buffer::Gpu(buffer)) => gpu.write(buffer, data),
            (Kind::Processor(_), Buffer::Memory(memory)) => memory.write(0, data),
            _ => Err(foreign()),
        }
    }

    /// Copies the first `bytes` bytes of `from` into `into`, from byte `first` on.
    ///
    /// # Errors
    /// As for [`Device::write`].
    pub(crate) fn copy(&self, from: &Buffer, bytes: u64, into: &Buffer, first: u64) -> Result<()> {
        match (&self.inner.kind, from, into) {
            (Kind::Gpu(gpu), Buffer::Gpu(from), Buffer::Gpu(into)) => gpu.copy(from, bytes, into, first),
            (Kind::Processor(_), Buffer::Memory(from), Buffer::Memory(into)) => {
                from.copy(bytes as usize, into, first as usize)
            }
            _ => Err(foreign()),
        }
    }
}

/// The error of a buffer that belongs to the other kind of device.
pub(crate) fn foreign() -> Error {
    Error::Usage(
        "a buffer of a GPU cannot be used on the processor, nor the processor's memory on a GPU".into(),
    )
}
