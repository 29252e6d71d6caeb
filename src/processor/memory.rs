//! Memory of the processor that a device lends to plans: whole pages, zeroed at first.

use crate::error::{Error, Result};
use memmap2::MmapMut;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// From this number of bytes on, memory is asked for in large pages.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 << 20;

/// A piece of memory. Clones are handles of the same piece, as clones of a buffer on a GPU are. A lock guards it: any
/// number of readers, or one writer.
#[derive(Clone)]
pub struct Memory {
    pages: Arc<RwLock<MmapMut>>,
    bytes: usize,
}

/// A piece of memory that is being read.
pub(crate) type Reading<'a> = RwLockReadGuard<'a, MmapMut>;
/// A piece of memory that is being written.
pub(crate) type Writing<'a> = RwLockWriteGuard<'a, MmapMut>;

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pages, &other.pages)
    }
}

impl Memory {
    /// `bytes` bytes of zeros.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the system refuses.
    pub fn zeroed(bytes: usize) -> Result<Self> {
        // The system gives zeroed pages when they are first touched, by the thread that computes on them.
        let pages = MmapMut::map_anon(bytes.max(1));
        let refused = |_| Error::OutOfMemory {
            what: "a buffer".into(),
            needed: Some(bytes as u64),
            available: crate::memory::available(),
        };
        let pages = pages.map_err(refused)?;
        // Without large pages, looking up addresses takes a tenth of a training step. A system that has none refuses.
        #[cfg(target_os = "linux")]
        if bytes >= LARGE {
            let _ = pages.advise(memmap2::Advice::HugePage);
        }
        Ok(Self { pages: Arc::new(RwLock::new(pages)), bytes })
    }

    /// A copy of `values`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the system refuses.
    pub fn of<T: bytemuck::Pod>(values: &[T]) -> Result<Self> {
        let memory = Self::zeroed(size_of_val(values))?;
        memory.write(0, values)?;
        Ok(memory)
    }

    /// The number of bytes.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// Copies `values` into it, from byte `first` on.
    ///
    /// # Errors
    /// [`Error::Usage`] if they do not fit.
    pub fn write<T: bytemuck::Pod>(&self, first: usize, values: &[T]) -> Result<()> {
        let from: &[u8] = bytemuck::cast_slice(values);
        let range = self.range(first, from.len())?;
        self.writing()[range].copy_from_slice(from);
        Ok(())
    }

    /// Copies all whole values out of it.
    pub fn read<T: bytemuck::Pod>(&self) -> Vec<T> {
        let whole = self.bytes / size_of::<T>() * size_of::<T>();
        bytemuck::pod_collect_to_vec(&self.reading()[..whole])
    }

    /// Copies the first `bytes` bytes of it into `into`, from byte `first` on.
    ///
    /// # Errors
    /// [`Error::Usage`] if there are fewer, or if both are the same memory.
    pub fn copy(&self, bytes: usize, into: &Self, first: usize) -> Result<()> {
        if self == into {
            return Err(Error::Usage("a buffer cannot be copied into itself".into()));
        }
        let (from, to) = (self.range(0, bytes)?, into.range(first, bytes)?);
        let pages = self.reading();
        into.writing()[to].copy_from_slice(&pages[from]);
        Ok(())
    }

    fn range(&self, first: usize, len: usize) -> Result<std::ops::Range<usize>> {
        match first.checked_add(len) {
            Some(end) if end <= self.bytes => Ok(first..end),
            _ => {
                let what = format!("the buffer has {} bytes, not {len} from byte {first} on", self.bytes);
                Err(Error::Usage(what))
            }
        }
    }

    /// A number that differs from that of any other piece of memory, and is never 0.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.pages).addr()
    }

    pub(crate) fn reading(&self) -> Reading<'_> {
        self.pages.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn writing(&self) -> Writing<'_> {
        self.pages.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let memory = Memory::of(&[1.0f32, 2.0, 3.0]).expect("memory");
        assert_eq!(memory.size(), 12);
        memory.write(4, &[5.0f32]).expect("written");
        assert_eq!(memory.read::<f32>(), [1.0, 5.0, 3.0]);
        assert_eq!(memory.read::<[f32; 2]>(), [[1.0, 5.0]], "whole values alone");
        let other = Memory::zeroed(20).expect("memory");
        memory.copy(8, &other, 12).expect("copied");
        assert_eq!(other.read::<f32>(), [0.0, 0.0, 0.0, 1.0, 5.0]);
        for refused in [memory.write(8, &[0u64]), memory.copy(16, &other, 0), memory.copy(12, &other, 12)] {
            assert!(matches!(refused, Err(Error::Usage(_))));
        }
        assert!(matches!(memory.copy(4, &memory.clone(), 0), Err(Error::Usage(_))));
    }
}
