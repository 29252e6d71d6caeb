//! Reading buffers back, with and without blocking.

use super::{Buffer, Device, Gpu, foreign};
use crate::error::{Error, Result};
use crate::processor::Memory;
use futures_channel::oneshot::{self, Receiver};

/// The time between two polls while another thread holds a callback.
const CALLBACK_POLL: std::time::Duration = std::time::Duration::from_micros(200);

/// The result that wgpu passes to the callback of a mapping.
type Mapped = std::result::Result<(), wgpu::BufferAsyncError>;

/// A copy of a buffer whose mapping is under way.
struct Reading {
    staging: super::Pooled,
    callback: Receiver<Mapped>,
}

impl Device {
    /// Reads all of `buffer`, which must have `COPY_SRC` on a GPU. Blocks until the work submitted before is done.
    ///
    /// # Errors
    /// [`Error::Gpu`] or [`Error::Usage`] if `buffer` lacks `COPY_SRC` or belongs to the other kind of device,
    /// [`Error::OutOfMemory`], and [`Error::DeviceLost`].
    pub fn read<T: bytemuck::Pod>(&self, buffer: &Buffer) -> Result<Vec<T>> {
        let (gpu, buffer) = match self.place(buffer)? {
            Place::Memory(memory) => return Ok(memory.read()),
            Place::Gpu(gpu, buffer) => (gpu, buffer),
        };
        let mut reading = self.start_reading(gpu, buffer)?;
        loop {
            let waited = gpu.wait();
            // Another thread may poll the device too, a host's for example. Then that thread may be the one that runs
            // the callback, some time after our own wait has ended.
            match reading.callback.try_recv() {
                Ok(None) if waited.is_ok() && gpu.probe().is_none() => std::thread::sleep(CALLBACK_POLL),
                received => return reading.finish(gpu, matches!(received, Ok(Some(Ok(())))), waited),
            }
        }
    }

    /// The same without blocking, as a browser needs it. The future ends when the device has been polled after the work
    /// is done. A browser polls by itself; elsewhere the host does it (`wgpu::Device::poll`).
    ///
    /// # Errors
    /// The errors of [`Device::read`].
    pub async fn read_async<T: bytemuck::Pod>(&self, buffer: &Buffer) -> Result<Vec<T>> {
        let (gpu, buffer) = match self.place(buffer)? {
            Place::Memory(memory) => return Ok(memory.read()),
            Place::Gpu(gpu, buffer) => (gpu, buffer),
        };
        let mut reading = self.start_reading(gpu, buffer)?;
        let mapped = (&mut reading.callback).await;
        reading.finish(gpu, matches!(mapped, Ok(Ok(()))), gpu.check())
    }

    fn place<'a>(&'a self, buffer: &'a Buffer) -> Result<Place<'a>> {
        match (self.gpu(), buffer) {
            (Some(gpu), Buffer::Gpu(buffer)) => Ok(Place::Gpu(gpu, buffer)),
            (None, Buffer::Memory(memory)) => Ok(Place::Memory(memory)),
            _ => Err(foreign()),
        }
    }

    fn start_reading(&self, gpu: &Gpu, buffer: &wgpu::Buffer) -> Result<Reading> {
        let size = buffer.size();
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let staging = self.pool().take(self, "palpate read-back", size, usage)?;
        let to = staging.gpu().ok_or_else(foreign)?;
        // A buffer with a pending mapping cannot be lent again, also if the caller drops the future.
        staging.retire();
        let (sender, callback) = oneshot::channel();
        gpu.scoped("reading a buffer back", || {
            let mut encoder = gpu.encoder("palpate read-back");
            encoder.copy_buffer_to_buffer(buffer, 0, to, 0, size);
            gpu.queue().submit([encoder.finish()]);
            to.map_async(wgpu::MapMode::Read, .., move |result| {
                let _ = sender.send(result);
            });
        })?;
        Ok(Reading { staging, callback })
    }
}

/// The place of a buffer's contents.
enum Place<'a> {
    Memory(&'a Memory),
    Gpu(&'a Gpu, &'a wgpu::Buffer),
}

impl Reading {
    /// The values, if the buffer is `mapped`. `state` is that of the device.
    fn finish<T: bytemuck::Pod>(self, gpu: &Gpu, mapped: bool, state: Result<()>) -> Result<Vec<T>> {
        let staging = self.staging.gpu().ok_or_else(foreign)?;
        let values = match staging.get_mapped_range(..) {
            Ok(view) if mapped => Some(bytemuck::pod_collect_to_vec(&view)),
            _ => None,
        };
        match values {
            Some(values) => {
                staging.unmap();
                self.staging.restore();
                state.map(|()| values)
            }
            None => {
                state?;
                let why = gpu.probe().unwrap_or("a buffer could not be mapped");
                Err(Error::device_lost(why))
            }
        }
    }
}
