//! Memory-mapped files.

use crate::error::{Error, Result};
use crate::io;
use memmap2::Mmap;
use std::path::Path;

/// The bytes of a regular, non-empty file; they are read from the disk when accessed.
#[derive(Debug)]
pub(super) struct Map(Mmap);

impl Map {
    pub fn open(path: &Path) -> Result<Self> {
        let file = io::open(path)?;
        // SAFETY: the mapping is read-only, and the system keeps it valid after the file is closed. The danger
        // is another process (or handle) that writes into the file. Bytes would then change under a shared
        // borrow, and a shortened file would end the program with a bus error. Palpate never writes into a file
        // in place: `io::atomic` renames a new file over it, so an existing mapping keeps the old bytes. The
        // documentation of `patches` asks the same of others. If it still happens, nothing here relies on
        // constant bytes. Lengths and offsets are read once and kept. Samples are read only as plain numbers,
        // for which every bit pattern is valid.
        let map = unsafe { Mmap::map(&file) };
        map.map(Self).map_err(|e| Error::file(path, format!("cannot be memory-mapped: {e}")))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
