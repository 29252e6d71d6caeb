//! The only place that creates or owns wgpu objects for the rest of the crate: the device (opened
//! here or adopted from a host), what it can do, and a pool of its buffers. It knows nothing of
//! kernels.

mod adapter;
mod caps;
mod memory;
mod pool;
mod profile;

pub use adapter::{AdapterChoice, Found, adapters, choose};
pub use caps::{Caps, Tier, kind};
pub use pool::{Pool, Pooled};
pub use profile::Profiler;

use crate::error::{Error, Result};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A device to compute on: opened by palpate ([`Gpu::open`]) or a host's own ([`Gpu::adopt`]).
/// Cloning is cheap and shares the device, its pool and its state; there are no globals.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    caps: Caps,
    lost: Arc<OnceLock<String>>,
    /// The first error wgpu reported outside any error scope.
    uncaptured: Arc<Mutex<Option<wgpu::Error>>>,
    pool: Pool,
}

impl Gpu {
    /// Opens a device on the adapter `choice` names, with all of the adapter's own limits.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] when there is no such adapter, or none at all; [`Error::NoDevice`] when it gives no device.
    pub fn open(choice: &AdapterChoice) -> Result<Self> {
        Self::opened(choice, false)
    }

    /// The same with the adapter's matrix units, where it has such as palpate can use: for
    /// [`Chooser::in_half`](crate::kernel::form::Chooser::in_half). wgpu calls its support of them experimental.
    ///
    /// # Errors
    /// As of [`Gpu::open`].
    pub fn open_with_units(choice: &AdapterChoice) -> Result<Self> {
        Self::opened(choice, true)
    }

    fn opened(choice: &AdapterChoice, units: bool) -> Result<Self> {
        let found = adapter::choose(choice)?;
        // A driver may say that it has units and then refuse them.
        let with_units = if units { adapter::request(&found.adapter, true).ok() } else { None };
        let (device, queue) = with_units.map_or_else(|| adapter::request(&found.adapter, false), Ok)?;
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

    /// Computes on a host's device and queue. The host keeps them: palpate sets no callbacks on an
    /// adopted device, and uses only the features and limits it was made with.
    pub fn adopt(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        Self::new(device, queue)
    }

    fn new(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let caps = Caps::of(&device);
        let pool = Pool::default();
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

    /// What this device can do.
    pub fn caps(&self) -> &Caps {
        &self.inner.caps
    }

    /// The buffer pool of this device.
    pub fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// Fails if the device is known to be lost, or has reported an error that nobody awaited.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or that error.
    pub fn check(&self) -> Result<()> {
        if let Some(why) = self.inner.lost.get() {
            return Err(Error::device_lost(why));
        }
        match self.inner.uncaptured.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(self.error("earlier work", error)),
            None => Ok(()),
        }
    }

    /// The reason why the device is lost, if it is; asked only after something failed. wgpu reports a loss to a callback
    /// alone, which on an adopted device belongs to the host, and ignores all later calls; but a buffer that a lost device
    /// makes cannot be mapped.
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
                let _ = lost.set("it was destroyed, or its driver gave it up".into());
            }
        }
        lost.get().map(String::as_str)
    }

    /// Runs `work`, turning whatever wgpu reports of it (out of memory, validation, internal)
    /// into an error that says what was being done.
    pub fn scoped<T>(&self, doing: &str, work: impl FnOnce() -> T) -> Result<T> {
        self.check()?;
        let device = &self.inner.device;
        let scopes =
            [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::OutOfMemory]
                .map(|filter| device.push_error_scope(filter));
        let value = work();
        let mut first = None;
        // Scopes are a stack: the last pushed is popped first.
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

    /// Waits until everything submitted so far is done.
    pub fn wait(&self) -> Result<()> {
        self.check()?;
        // wgpu panics when the device is lost under a wait; palpate is not in an odd state then, wgpu's own
        // locks are free again, and every call from here on fails.
        let device = std::panic::AssertUnwindSafe(&self.inner.device);
        match std::panic::catch_unwind(|| device.poll(wgpu::PollType::wait_indefinitely())) {
            Ok(Ok(_)) => self.check(),
            Ok(Err(error)) => Err(Error::device_lost(error)),
            Err(_) => {
                let why = self.inner.lost.get_or_init(|| "while it was waited for".into());
                Err(Error::device_lost(why))
            }
        }
    }

    /// Uploads `data` into `buffer`, from its start; it must have `COPY_DST`.
    pub fn write<T: bytemuck::Pod>(&self, buffer: &wgpu::Buffer, data: &[T]) -> Result<()> {
        self.scoped("writing to a buffer", || {
            self.inner.queue.write_buffer(buffer, 0, bytemuck::cast_slice(data))
        })
    }

    /// Reads `buffer` back, whole; it must have `COPY_SRC`. Blocks.
    pub fn read<T: bytemuck::Pod>(&self, buffer: &wgpu::Buffer) -> Result<Vec<T>> {
        let size = buffer.size();
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let staging = self.inner.pool.take(self, "palpate read-back", size, usage)?;
        let (sender, receiver) = std::sync::mpsc::channel();
        self.scoped("reading a buffer back", || {
            let mut encoder = self.encoder("palpate read-back");
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, size);
            self.inner.queue.submit([encoder.finish()]);
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                let _ = sender.send(result);
            });
        })?;
        let waited = self.wait();
        let mapped = receiver.try_recv().is_ok_and(|result| result.is_ok());
        let values = match staging.get_mapped_range(..) {
            Ok(view) if mapped => Some(bytemuck::pod_collect_to_vec(&view)),
            _ => None,
        };
        match values {
            Some(values) => {
                staging.unmap();
                waited.map(|()| values)
            }
            None => {
                // A buffer that is still waiting to be mapped cannot be lent again.
                staging.retire();
                waited?;
                let why = self.probe().unwrap_or("a buffer could not be mapped");
                Err(Error::device_lost(why))
            }
        }
    }

    /// A command encoder labelled `label`.
    pub fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.inner.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }
}
