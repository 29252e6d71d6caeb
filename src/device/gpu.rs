//! A GPU: wgpu's device and queue, and the errors they report.

use super::adapter::{self, Found};
use crate::error::{Error, Result};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A wgpu device and its queue.
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    lost: Arc<OnceLock<String>>,
    /// The first error that wgpu reported outside of any error scope.
    uncaptured: Arc<Mutex<Option<wgpu::Error>>>,
}

impl Gpu {
    pub(super) async fn open(found: &Found, units: bool) -> Result<Self> {
        // A driver may announce matrix units and then refuse them.
        let with_units = if units { adapter::request(&found.adapter, true).await.ok() } else { None };
        let (device, queue) = match with_units {
            Some(opened) => opened,
            None => adapter::request(&found.adapter, false).await?,
        };
        let gpu = Self::adopt(device, queue);
        let lost = gpu.lost.clone();
        gpu.device.set_device_lost_callback(move |reason, message| {
            let _ = lost.set(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        let uncaptured = gpu.uncaptured.clone();
        gpu.device.on_uncaptured_error(Arc::new(move |error| {
            uncaptured.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }));
        Ok(gpu)
    }

    pub(super) fn adopt(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let (lost, uncaptured) = Default::default();
        Self { device, queue, lost, uncaptured }
    }

    /// The wgpu device.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The wgpu queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Fails if the device is known to be lost, or if it reported an error outside of any error scope.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or the reported error.
    pub fn check(&self) -> Result<()> {
        if let Some(why) = self.lost.get() {
            return Err(Error::device_lost(why));
        }
        match self.uncaptured.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(self.error("earlier work", error)),
            None => Ok(()),
        }
    }

    /// The reason for the loss of the device, if it is lost. It is called only after a failure. wgpu reports a loss
    /// only to a callback, which belongs to the host on an adopted device, and ignores all later calls. But a buffer
    /// made by a lost device cannot be mapped, which this function uses.
    pub(super) fn probe(&self) -> Option<&str> {
        let Self { device, lost, .. } = self;
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
        let device = &self.device;
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
        let device = std::panic::AssertUnwindSafe(&self.device);
        match std::panic::catch_unwind(|| device.poll(wgpu::PollType::wait_indefinitely())) {
            Ok(Ok(_)) => self.check(),
            Ok(Err(error)) => Err(Error::device_lost(error)),
            Err(_) => {
                let why = self.lost.get_or_init(|| "the driver failed during a wait".into());
                Err(Error::device_lost(why))
            }
        }
    }

    /// Uploads `data` to the start of `buffer`, which must have `COPY_DST`.
    ///
    /// # Errors
    /// [`Error::Gpu`] if `buffer` is too small or lacks `COPY_DST`, and [`Error::DeviceLost`].
    pub fn write<T: bytemuck::Pod>(&self, buffer: &wgpu::Buffer, data: &[T]) -> Result<()> {
        self.scoped("writing to a buffer", || self.queue.write_buffer(buffer, 0, bytemuck::cast_slice(data)))
    }

    /// Copies the first `bytes` bytes of `from` into `into`, from byte `first` on.
    pub(super) fn copy(
        &self,
        from: &wgpu::Buffer,
        bytes: u64,
        into: &wgpu::Buffer,
        first: u64,
    ) -> Result<()> {
        self.scoped("copying a buffer", || {
            let mut encoder = self.encoder("palpate copy");
            encoder.copy_buffer_to_buffer(from, 0, into, first, bytes);
            self.queue.submit([encoder.finish()]);
        })
    }

    /// Creates a command encoder with this label.
    pub fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }
}
