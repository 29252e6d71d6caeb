//! Timestamps of the device's own clock, a pair per dispatch.

use super::Device;
use crate::error::{Error, Result};

/// The largest number of queries in one set (WebGPU's limit).
const PER_SET: usize = 4096;

/// Records the start and the end of each of `n` dispatches.
pub struct Profiler {
    sets: Vec<wgpu::QuerySet>,
    n: usize,
    resolved: wgpu::Buffer,
}

impl Profiler {
    /// A profiler for `n` dispatches.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device has no timestamps.
    pub fn new(device: &Device, n: usize) -> Result<Self> {
        if !device.caps().timestamps() {
            let what = format!("the device on {} has no timestamp queries", device.caps().info.name);
            return Err(Error::Gpu { doing: "timing dispatches".into(), what });
        }
        let gpu = device.need_gpu("a timestamp")?;
        gpu.scoped("making timestamp queries", || {
            let sets = (0..2 * n).step_by(PER_SET).map(|first| {
                gpu.device().create_query_set(&wgpu::QuerySetDescriptor {
                    label: Some("palpate timestamps"),
                    ty: wgpu::QueryType::Timestamp,
                    count: (2 * n - first).min(PER_SET) as u32,
                })
            });
            let resolved = gpu.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some("palpate timestamps"),
                size: (n.max(1) * 16) as u64,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            Self { sets: sets.collect(), n, resolved }
        })
    }

    /// The timestamp writes of a compute pass that holds dispatch `i` alone.
    pub fn writes(&self, i: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let at = (2 * i % PER_SET) as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.sets[2 * i / PER_SET],
            beginning_of_pass_write_index: Some(at),
            end_of_pass_write_index: Some(at + 1),
        }
    }

    /// Ends the recording. Call it once, after the last dispatch.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        for (i, set) in self.sets.iter().enumerate() {
            let count = (2 * self.n - i * PER_SET).min(PER_SET) as u32;
            encoder.resolve_query_set(set, 0..count, &self.resolved, (i * PER_SET * 8) as u64);
        }
    }

    /// The seconds of each dispatch in order. Call it after the work was submitted.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost), and the other errors of [`Device::read`].
    pub fn seconds(&self, device: &Device) -> Result<Vec<f64>> {
        let ticks: Vec<u64> = device.read(&self.resolved.clone().into())?;
        let gpu = device.need_gpu("a timestamp")?;
        let period = f64::from(gpu.queue().get_timestamp_period()) * 1e-9;
        Ok(ticks.chunks_exact(2).take(self.n).map(|t| t[1].saturating_sub(t[0]) as f64 * period).collect())
    }
}
