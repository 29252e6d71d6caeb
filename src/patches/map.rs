//! A file as memory.

use crate::error::{Error, Result};
use crate::io;
use memmap2::Mmap;
use std::path::Path;

/// A regular, non-empty file's bytes, read from the disk where they are looked at.
#[derive(Debug)]
pub(super) struct Map(Mmap);

impl Map {
    pub fn open(path: &Path) -> Result<Self> {
        let file = io::open(path)?;
        // SAFETY: the mapping is read-only and outlives the file's handle, as the system promises. What Rust
        // cannot see is another process (or this one, by another handle) that writes into the file meanwhile:
        // bytes would change under a shared borrow, and a file made shorter would end the program with a bus
        // error. Palpate itself never writes into a file in place (`io::atomic` renames a new one over it,
        // which leaves the old bytes to those who have mapped them), and `patches` asks the same of others.
        // Should it happen all the same: nothing here relies on bytes staying the same. Lengths and offsets
        // are read once, into memory of our own, and samples are copied out as plain numbers, of which every
        // bit pattern is valid.
        let map = unsafe { Mmap::map(&file) };
        map.map(Self).map_err(|e| Error::file(path, format!("cannot be memory-mapped: {e}")))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
