//! The available memory, as far as it can be known.

use super::Device;
use crate::error::{Error, Result};
use crate::memory::available;

impl Device {
    /// Refuses work that cannot fit, before anything is allocated. Only the memory of the processor and of software
    /// drivers is known, and only on Linux. It is the machine's memory, which would swap or kill processes before it refuses an allocation.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] with the `bytes` that `what` needs and the bytes that are available.
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
