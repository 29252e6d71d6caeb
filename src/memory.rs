//! The free memory of the machine.

/// The bytes available without swapping. `None` if the system does not report it; only Linux does.
pub(crate) fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn a_machine_has_memory() {
        assert!(super::available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
