//! The capabilities of a device, and tiers of them by which kernels choose their specialisations.

use crate::processor::{Processor, Team};
use std::fmt;

/// The optional features that palpate requests if the adapter has them.
pub(super) const WANTED: wgpu::Features = wgpu::Features::TIMESTAMP_QUERY
    .union(wgpu::Features::SUBGROUP)
    .union(wgpu::Features::SHADER_F16)
    .union(wgpu::Features::SHADER_INT64)
    .union(wgpu::Features::PIPELINE_CACHE);

/// A tier of capabilities. Each is useful on its own, and none implies another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tier {
    /// WebGPU's default limits and no optional feature. Every kernel has a specialisation for this tier.
    Base,
    /// The lanes of a subgroup can exchange values.
    Subgroup,
    /// Half-precision arithmetic and storage.
    Half,
    /// Units that multiply matrices in half precision. A device has them only on request.
    Units,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Tier::Base => "base",
            Tier::Subgroup => "subgroup",
            Tier::Half => "half",
            Tier::Units => "units",
        })
    }
}

/// A device's name, kind, features and limits.
#[derive(Clone, Debug)]
pub struct Caps {
    /// The adapter's own description.
    pub info: wgpu::AdapterInfo,
    /// The features the device was made with.
    pub features: wgpu::Features,
    /// The limits the device was made with.
    pub limits: wgpu::Limits,
}

impl Caps {
    pub(super) fn of(device: &wgpu::Device) -> Self {
        Self { info: device.adapter_info(), features: device.features(), limits: device.limits() }
    }

    /// The processor's. It counts as an adapter with timestamps, whose kernels are limited by 32-bit indices alone.
    pub(super) fn processor(team: &Team) -> Self {
        let mut info = wgpu::AdapterInfo::new(wgpu::DeviceType::Cpu, wgpu::Backend::Noop);
        info.name = Processor::name();
        info.driver = "palpate".into();
        let threads = if team.threads() == 1 { "thread" } else { "threads" };
        info.driver_info = format!("{}, {} {threads}", team.instructions(), team.threads());
        (info.subgroup_min_size, info.subgroup_max_size) = (8, 8);
        let most = 4 * u64::from(u32::MAX);
        let limits = wgpu::Limits {
            max_storage_buffer_binding_size: most,
            max_buffer_size: most,
            ..wgpu::Limits::default()
        };
        let features = wgpu::Features::TIMESTAMP_QUERY;
        Self { info, features, limits }
    }

    /// Reports whether the device is the processor, with kernels of its own, and not a driver.
    pub fn native(&self) -> bool {
        self.info.backend == wgpu::Backend::Noop
    }

    /// Reports whether each dispatch can be timed by the device's own clock.
    pub fn timestamps(&self) -> bool {
        self.features.contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Reports whether the device computes on the CPU: the processor itself, or a driver (lavapipe, SwiftShader, WARP).
    pub fn software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// The kind of the device in words.
    pub fn kind(&self) -> &'static str {
        if self.native() { "processor" } else { kind(self.info.device_type) }
    }

    /// Reports whether any `lanes` neighbouring threads belong to one subgroup and can exchange values.
    pub fn subgroups_hold(&self, lanes: u32) -> bool {
        self.features.contains(wgpu::Features::SUBGROUP) && self.info.subgroup_min_size >= lanes
    }

    /// The tiers that this device reaches.
    pub fn tiers(&self) -> Vec<Tier> {
        let rungs = [
            (Tier::Subgroup, wgpu::Features::SUBGROUP),
            (Tier::Half, wgpu::Features::SHADER_F16),
            (Tier::Units, wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
        ];
        let has = rungs.into_iter().filter(|(_, feature)| self.features.contains(*feature));
        std::iter::once(Tier::Base).chain(has.map(|(tier, _)| tier)).collect()
    }

    /// The size in bytes of the largest buffer that a kernel can bind.
    pub fn max_binding(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size)
    }
}

/// The kind of a device in words.
pub fn kind(kind: wgpu::DeviceType) -> &'static str {
    use wgpu::DeviceType;
    match kind {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software on the CPU",
        DeviceType::Other => "GPU of unknown kind",
    }
}
