//! How much memory there is, where that can be known.

use super::Gpu;
use crate::error::{Error, Result};
use crate::memory::available;

impl Gpu {
    /// Refuses what will not fit before any of it is allocated. Only a software adapter's memory can be known, and
    /// only on Linux: it is the machine's, which would swap or kill before it says no.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] that says how much `what` needs and how much is there.
    pub fn check_memory(&self, what: &str, bytes: u64) -> Result<()> {
        let free = if self.caps().software() { available() } else { None };
        match free {
            Some(free) if bytes > free => {
                Err(Error::OutOfMemory { what: what.into(), needed: Some(bytes), available: Some(free) })
            }
            _ => Ok(()),
        }
    }
}
