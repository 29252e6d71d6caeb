//! A pool of buffers that are lent and returned, so that a new plan for another image does not increase memory.

use super::{Buffer, Device};
use crate::error::{Error, Result};
use crate::processor::Memory;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The free buffers of one device. Clones share the pool.
#[derive(Clone, Default)]
pub struct BufferPool {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    free: HashMap<(u64, wgpu::BufferUsages), Vec<Buffer>>,
    allocated: u64,
    peak: u64,
}

/// A buffer on loan. It returns to its pool when it is dropped. Its initial contents are undefined.
pub struct Pooled {
    buffer: Buffer,
    usage: wgpu::BufferUsages,
    pool: BufferPool,
    retired: AtomicBool,
}

impl Pooled {
    /// Keeps the buffer out of the pool when it is dropped, because work outside of palpate may still use it. wgpu
    /// frees it after the last use.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Takes [`Pooled::retire`] back.
    pub fn restore(&self) {
        self.retired.store(false, Ordering::Relaxed);
    }
}

impl std::ops::Deref for Pooled {
    type Target = Buffer;
    fn deref(&self) -> &Buffer {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut shelf = self.pool.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if self.retired.load(Ordering::Relaxed) {
            shelf.allocated -= self.buffer.size();
            return;
        }
        let key = (self.buffer.size(), self.usage);
        shelf.free.entry(key).or_default().push(self.buffer.clone());
    }
}

impl BufferPool {
    /// Lends a buffer of exactly `size` bytes, a multiple of 4, with this `usage`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the device has no memory left or `size` exceeds its limits.
    pub fn take(&self, device: &Device, label: &str, size: u64, usage: wgpu::BufferUsages) -> Result<Pooled> {
        let lend = |buffer| Pooled { buffer, usage, pool: self.clone(), retired: AtomicBool::new(false) };
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buffer) = shelf.free.get_mut(&(size, usage)).and_then(Vec::pop) {
            return Ok(lend(buffer));
        }
        let most = device.caps().max_binding();
        if size > most {
            return Err(Error::OutOfMemory {
                what: format!("'{label}' in one buffer on {}", device.caps().info.name),
                needed: Some(size),
                available: Some(most),
            });
        }
        // Free buffers are released before the pool grows beyond its previous peak.
        if shelf.allocated + size > shelf.peak {
            let freed: u64 = shelf.free.drain().flat_map(|(_, buffers)| buffers).map(|b| b.size()).sum();
            shelf.allocated -= freed;
        }
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let what = format!("allocating {:.1} MiB for '{label}'", mib(size));
        let buffer: Buffer = match device.gpu() {
            Some(gpu) => gpu.scoped(&what, || gpu.device().create_buffer(&descriptor))?.into(),
            None => Memory::zeroed(size as usize)?.into(),
        };
        shelf.allocated += size;
        shelf.peak = shelf.peak.max(shelf.allocated);
        Ok(lend(buffer))
    }

    /// The bytes allocated now, lent or free.
    pub fn allocated(&self) -> u64 {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).allocated
    }

    /// The largest number of bytes that were ever allocated at once.
    pub fn peak(&self) -> u64 {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).peak
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
