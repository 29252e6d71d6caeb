//! Devices. Only this module creates or owns wgpu objects for the rest of the crate: the device, opened here or adopted
//! from a host, its capabilities, and a pool of its buffers. It knows nothing of kernels.

mod adapter;
mod caps;
mod memory;
mod pool;
mod profile;
mod read;

pub use adapter::{AdapterChoice, Found, adapters, choose};
pub use caps::{Caps, Tier, kind};
pub use pool::{BufferPool, Pooled};
pub use profile::Profiler;

use crate::error::{Error, Result};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A device to compute on, opened by palpate ([`Gpu::open`]) or adopted from a host ([`Gpu::adopt`]). Clones share the
/// device, its pool and its state. There is no global state.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    caps: Caps,
    lost: Arc<OnceLock<String>>,
    /// The first error that wgpu reported outside of any error scope.
    uncaptured: Arc<Mutex<Option<wgpu::Error>>>,
    pool: BufferPool,
}

impl Gpu {
    /// Opens a device on the adapter that `choice` selects, with all of the adapter's own limits.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is no such adapter, and [`Error::NoDevice`] if the adapter gives no device.
    pub fn open(choice: &AdapterChoice) -> Result<Self> {
        pollster::block_on(Self::open_async(choice))
    }

    /// The same without blocking, as a browser needs it.
    ///
    /// # Errors
    /// The errors of [`Gpu::open`].
    pub async fn open_async(choice: &AdapterChoice) -> Result<Self> {
        Self::opened(choice, false).await
    }

    /// Opens a device like [`Gpu::open`], with the adapter's matrix units if our kernels support them, for
    /// [`Chooser::with_half`](crate::kernel::form::Chooser::with_half). wgpu's support of matrix units is experimental.
    ///
    /// # Errors
    /// The errors of [`Gpu::open`].
    pub fn open_with_units(choice: &AdapterChoice) -> Result<Self> {
        pollster::block_on(Self::opened(choice, true))
    }

    async fn opened(choice: &AdapterChoice, units: bool) -> Result<Self> {
        let found = adapter::choose_async(choice).await?;
        // A driver may announce matrix units and then refuse them.
        let with_units = if units { adapter::request(&found.adapter, true).await.ok() } else { None };
        let (device, queue) = match with_units {
            Some(opened) => opened,
            None => adapter::request(&found.adapter, false).await?,
        };
        let gpu = Self::new(device, queue);
        let lost = gpu.inner.lost.clone();
        gpu.inner.device.set_device_lost_callback(move |reason, message| {
            let _ = lost.set(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        let uncaptured = gpu.inner.uncaptured.clone();
        gpu.inner.device.on_uncaptured_error(Arc::new(move |error| {
            uncaptured.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }));
        Ok(gpu)
    }

    /// Adopts a host's device and queue. The host keeps its control of them: palpate sets no callbacks on an adopted
    /// device and uses only the features and limits that it was made with.
    pub fn adopt(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self::new(device, queue)
    }

    fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let caps = Caps::of(&device);
        let pool = BufferPool::default();
        let (lost, uncaptured) = Default::default();
        Self { inner: Arc::new(Inner { device, queue, caps, lost, uncaptured, pool }) }
    }

    /// The wgpu device.
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// The wgpu queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
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
        if let Some(why) = self.inner.lost.get() {
            return Err(Error::device_lost(why));
        }
        match self.inner.uncaptured.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(self.error("earlier work", error)),
            None => Ok(()),
        }
    }

    /// The reason for the loss of the device, if it is lost. It is called only after a failure. wgpu reports a loss
    /// only to a callback, which belongs to the host on an adopted device, and ignores all later calls. But a buffer
    /// made by a lost device cannot be mapped, which this function uses.
    fn probe(&self) -> Option<&str> {
        let Inner { device, lost, .. } = &*self.inner;
        if lost.get().is_none() {
            let full = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
            let probe = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("palpate probe"),
                size: 4,
                usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: true,
            });
            if pollster::block_on(full.pop()).is_none() && probe.get_mapped_range(..).is_err() {
                let _ = lost.set("it was destroyed, or its driver stopped".into());
            }
        }
        lost.get().map(String::as_str)
    }

    /// Runs `work` and turns errors that wgpu reports (out of memory, validation, internal) into an error that says
    /// what was being done.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], [`Error::Gpu`], or [`Error::DeviceLost`].
    pub fn scoped<T>(&self, doing: &str, work: impl FnOnce() -> T) -> Result<T> {
        self.check()?;
        let device = &self.inner.device;
        let scopes =
            [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::OutOfMemory]
                .map(|filter| device.push_error_scope(filter));
        let value = work();
        let mut first = None;
        // Scopes form a stack: the last one pushed is popped first.
        for scope in scopes.into_iter().rev() {
            let error = pollster::block_on(scope.pop());
            first = first.or(error);
        }
        match first {
            None => Ok(value),
            Some(error) => Err(self.error(doing, error)),
        }
    }

    fn error(&self, doing: &str, error: wgpu::Error) -> Error {
        match (self.probe(), error) {
            (Some(why), _) => Error::device_lost(why),
            (None, wgpu::Error::OutOfMemory { .. }) => {
                Error::OutOfMemory { what: doing.into(), needed: None, available: None }
            }
            (None, other) => Error::Gpu { doing: doing.into(), what: other.to_string() },
        }
    }

    /// Waits until all submitted work is done.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or an error that the device reported outside of any error scope.
    pub fn wait(&self) -> Result<()> {
        self.check()?;
        // wgpu panics if the device is lost during a wait. Catching the panic is sound: palpate holds no broken state,
        // wgpu's own locks are free again, and every later call fails.
        let device = std::panic::AssertUnwindSafe(&self.inner.device);
        match std::panic::catch_unwind(|| device.poll(wgpu::PollType::wait_indefinitely())) {
            Ok(Ok(_)) => self.check(),
            Ok(Err(error)) => Err(Error::device_lost(error)),
            Err(_) => {
                let why = self.inner.lost.get_or_init(|| "the driver failed during a wait".into());
                Err(Error::device_lost(why))
            }
        }
    }

    /// Uploads `data` to the start of `buffer`, which must have `COPY_DST`.
    ///
    /// # Errors
    /// [`Error::Gpu`] if `buffer` is too small or lacks `COPY_DST`, and [`Error::DeviceLost`].
    pub fn write<T: bytemuck::Pod>(&self, buffer: &wgpu::Buffer, data: &[T]) -> Result<()> {
        self.scoped("writing to a buffer", || {
            self.inner.queue.write_buffer(buffer, 0, bytemuck::cast_slice(data))
        })
    }

    /// Creates a command encoder with this label.
    pub fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.inner.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }
}
