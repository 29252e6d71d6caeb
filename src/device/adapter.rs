//! The list of adapters, and the choice of one.

use crate::error::{Error, Result};
use crate::processor::{Instructions, Processor};

/// The choice of an adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// The first GPU of the most capable kind: discrete, integrated, virtual. Without a GPU, the processor. A software
    /// driver, which computes on the processor more slowly than palpate itself, is taken only by name or index.
    #[default]
    Best,
    /// The adapter of this index in [`adapters`].
    Index(usize),
    /// The first adapter whose name or driver contains this text, in upper or lower case.
    Name(String),
    /// The processor.
    Processor(Processor),
}

/// The device that a choice selects.
pub enum Chosen {
    /// A GPU, or a software driver.
    Gpu(Box<Found>),
    /// The processor.
    Processor(Processor),
}

impl From<&str> for AdapterChoice {
    /// Takes a number as an index, `cpu` as the processor, `cpu:avx2` (or `avx512`, `neon`, `portable`) as the processor
    /// with this instruction set, and any other text as part of a name.
    fn from(text: &str) -> Self {
        let cpu = text.get(..3).filter(|start| start.eq_ignore_ascii_case("cpu")).map(|_| &text[3..]);
        match cpu {
            Some("") => return Self::Processor(Processor::default()),
            Some(rest) => {
                if let Some(own) = rest.strip_prefix(':').and_then(Instructions::named) {
                    return Self::Processor(Processor { instructions: Some(own), ..Processor::default() });
                }
            }
            None => {}
        }
        text.parse().map_or_else(|_| Self::Name(text.into()), Self::Index)
    }
}

/// An adapter that palpate can compute on, and its own description.
pub struct Found {
    /// The adapter.
    pub adapter: wgpu::Adapter,
    /// The adapter's name, driver, kind and backend.
    pub info: wgpu::AdapterInfo,
    /// The adapter's index in [`adapters`].
    pub index: usize,
}

/// Lists every adapter that can compute, the most capable kind first. The order is stable on one machine.
pub fn adapters() -> Vec<Found> {
    pollster::block_on(adapters_async())
}

async fn adapters_async() -> Vec<Found> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        // Validation layers are for palpate's developers. The environment turns them on, for example WGPU_VALIDATION=1.
        flags: wgpu::InstanceFlags::empty().with_env(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut found: Vec<Found> = instance
        .enumerate_adapters(backends)
        .await
        .into_iter()
        .map(|adapter| Found { info: adapter.get_info(), adapter, index: 0 })
        .collect();
    found.sort_by_key(|f| rank(f.info.device_type));
    found.iter_mut().enumerate().for_each(|(i, f)| f.index = i);
    found
}

/// The index of the first adapter whose name or driver contains `name`, in upper or lower case.
fn named(found: &[Found], name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let holds = |text: &String| text.to_lowercase().contains(&name);
    found.iter().position(|f| holds(&f.info.name) || holds(&f.info.driver))
}

fn rank(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

/// Finds the device that `choice` selects.
///
/// # Errors
/// [`Error::NoAdapter`] if there is none. It lists the adapters that exist.
pub fn choose(choice: &AdapterChoice) -> Result<Chosen> {
    pollster::block_on(choose_async(choice))
}

pub(super) async fn choose_async(choice: &AdapterChoice) -> Result<Chosen> {
    // The processor needs no loader, so none is looked for.
    if let AdapterChoice::Processor(how) = choice {
        return Ok(Chosen::Processor(*how));
    }
    let mut found = adapters_async().await;
    let at = match choice {
        AdapterChoice::Best | AdapterChoice::Processor(_) => {
            let hardware = found.iter().position(|f| f.info.device_type != wgpu::DeviceType::Cpu);
            let Some(at) = hardware else { return Ok(Chosen::Processor(Processor::default())) };
            Some(at)
        }
        // A number beyond the list may be part of a name, for example 4090.
        AdapterChoice::Index(i) if *i < found.len() => Some(*i),
        AdapterChoice::Index(i) => named(&found, &i.to_string()),
        AdapterChoice::Name(name) => named(&found, name),
    };
    match (at, choice) {
        (Some(at), _) => Ok(Chosen::Gpu(Box::new(found.swap_remove(at)))),
        (None, choice) => {
            let wanted = match choice {
                AdapterChoice::Name(name) => Some(name.clone()),
                AdapterChoice::Index(i) => Some(i.to_string()),
                AdapterChoice::Best | AdapterChoice::Processor(_) => None,
            };
            Err(Error::NoAdapter { wanted, found: found.into_iter().map(|found| found.info.name).collect() })
        }
    }
}

/// Reports whether `adapter` has matrix units that our kernels support: 8 × 8 or 16 × 16, f16 factors, f32 sums.
fn has_units(adapter: &wgpu::Adapter) -> bool {
    use wgpu::CooperativeScalarType::{F16, F32};
    let known = |u: &wgpu::CooperativeMatrixProperties| {
        let sides = [u.m_size, u.n_size, u.k_size];
        (sides == [8; 3] || sides == [16; 3]) && u.ab_type == F16 && u.cr_type == F32
    };
    let features = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX | wgpu::Features::SHADER_F16;
    adapter.features().contains(features) && adapter.cooperative_matrix_properties().iter().any(known)
}

/// Requests a device with the adapter's own limits and the optional features that palpate uses. With `units`, the
/// device also has the adapter's matrix units, if our kernels support them.
pub(super) async fn request(adapter: &wgpu::Adapter, units: bool) -> Result<(wgpu::Device, wgpu::Queue)> {
    let units = units && has_units(adapter);
    let (experimental, experimental_features) = if units {
        // SAFETY: wgpu marks its support of matrix units as experimental and possibly unsound. Callers opt in through
        // `Device::open_with_units`, whose documentation says so. The kernels that use the units stay within their
        // buffers. Their results are compared with an oracle on this device before they are used.
        let token = unsafe { wgpu::ExperimentalFeatures::enabled() };
        (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, token)
    } else {
        (wgpu::Features::empty(), wgpu::ExperimentalFeatures::disabled())
    };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("palpate"),
        required_features: adapter.features() & super::caps::WANTED | experimental,
        required_limits: adapter.limits(),
        experimental_features,
        ..Default::default()
    };
    let requested = adapter.request_device(&descriptor).await;
    requested.map_err(|error| Error::NoDevice { adapter: adapter.get_info().name, what: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu, Other, VirtualGpu};

    #[test]
    fn the_most_capable_kind_comes_first() {
        let mut kinds = [Cpu, Other, VirtualGpu, DiscreteGpu, IntegratedGpu];
        kinds.sort_by_key(|kind| rank(*kind));
        assert_eq!(kinds, [DiscreteGpu, IntegratedGpu, VirtualGpu, Other, Cpu]);
    }

    #[test]
    fn numbers_are_indices_and_all_else_names() {
        assert_eq!(AdapterChoice::from("3"), AdapterChoice::Index(3));
        assert_eq!(AdapterChoice::from("RTX 4090"), AdapterChoice::Name("RTX 4090".into()));
    }
}
