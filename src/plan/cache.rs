//! A cache of compiled pipelines on disk, for drivers without a cache of their own, if the backend supports it.
//!
//! The file begins with a magic number, a checksum of all bytes that follow, and the identity of its device. A damaged
//! or foreign file is ignored and replaced.

use crate::device::{Caps, Device};
use crate::store;
use std::path::Path;

const MAGIC: &[u8; 8] = b"palpate1";

/// The identity of a device, its driver and this version of palpate.
fn identity(caps: &Caps) -> String {
    let info = &caps.info;
    let version = env!("CARGO_PKG_VERSION");
    format!("{} {} {} {} {version}", info.name, info.backend, info.driver, info.driver_info)
}

/// FNV-1a. It detects damage, not manipulation.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let fold = |h: u64, b: &u8| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold).to_le_bytes()
}

fn encode(identity: &str, data: &[u8]) -> Vec<u8> {
    let rest = [&(identity.len() as u32).to_le_bytes(), identity.as_bytes(), data].concat();
    [MAGIC.as_slice(), &checksum(&rest), &rest].concat()
}

/// The data in a file of this device; `None` for any other file.
fn decode<'a>(identity: &str, file: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, rest) = file.strip_prefix(MAGIC)?.split_at_checked(8)?;
    if sum != checksum(rest) {
        return None;
    }
    let (length, rest) = rest.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let (of, data) = rest.split_at_checked(length)?;
    (of == identity.as_bytes()).then_some(data)
}

/// Makes a cache for `device`, filled from `path` if that holds a cache of this device; `None` if the backend has none.
pub(super) fn open(device: &Device, path: &Path) -> Option<wgpu::PipelineCache> {
    let gpu = device.gpu()?;
    if !gpu.device().features().contains(wgpu::Features::PIPELINE_CACHE) {
        return None;
    }
    let file = store::load(path).unwrap_or_default();
    let data = decode(&identity(device.caps()), &file);
    // SAFETY: the data must come from a pipeline cache of the same driver. This program wrote the file, in the user's
    // own cache folder. Its checksum holds, and it names this device, driver and version. wgpu checks its own header
    // too, and with `fallback` it starts with an empty cache if that does not fit.
    let make = || unsafe {
        gpu.device().create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
            label: Some("palpate"),
            data,
            fallback: true,
        })
    };
    gpu.scoped("making a pipeline cache", make).ok()
}

/// Writes `cache` to `path`. A failure is no error, because the next start only compiles again.
pub(super) fn save(device: &Device, cache: &wgpu::PipelineCache, path: &Path) {
    if let Some(data) = cache.get_data() {
        let _ = std::fs::create_dir_all(store::folder(path));
        let _ = store::write(path, &encode(&identity(device.caps()), &data));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_or_foreign_file_is_ignored() {
        let file = encode("this device", b"pipelines");
        assert_eq!(decode("this device", &file), Some(&b"pipelines"[..]));
        assert_eq!(decode("another device", &file), None);
        for i in 0..file.len() {
            let mut damaged = file.clone();
            damaged[i] ^= 1;
            assert_eq!(decode("this device", &damaged), None, "byte {i}");
            assert_eq!(decode("this device", &file[..i]), None, "{i} bytes");
        }
        assert_eq!(decode("this device", b""), None);
    }
}
