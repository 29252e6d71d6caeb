//! Pipelines. Each is made once per specialisation and device, several at a time.

use super::{Spec, cache};
use crate::device::Device;
use crate::error::Result;
use crate::shader::Access;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The choice whether drivers guard every index, loop and division in the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Checks {
    /// No checks, which is faster. The SAFETY paragraph in `build` says why this is sound.
    #[default]
    Off,
    /// With checks. The test suite runs every kernel in this mode too.
    On,
}

/// The pipelines of one device. Cloning shares them.
#[derive(Clone)]
pub struct Pipelines {
    device: Device,
    checks: Checks,
    made: Arc<Mutex<HashMap<Spec, Arc<Pipeline>>>>,
    cache: Option<Arc<OnDisk>>,
}

/// A driver's compiled code, kept in a file.
struct OnDisk {
    device: Device,
    cache: wgpu::PipelineCache,
    path: PathBuf,
    /// The number of pipelines compiled since the file was read.
    new: AtomicUsize,
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        if *self.new.get_mut() > 0 {
            cache::save(&self.device, &self.cache, &self.path);
        }
    }
}

/// A compute pipeline and the layout of its one bind group.
pub struct Pipeline {
    /// The compute pipeline.
    pub compute: wgpu::ComputePipeline,
    /// The layout of bind group 0.
    pub layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    /// An empty set of pipelines for `device`.
    pub fn new(device: &Device, checks: Checks) -> Self {
        Self { device: device.clone(), checks, made: Arc::default(), cache: None }
    }

    /// The same, with the driver's compiled code kept in the file `path`, if the backend supports it (Vulkan). The file
    /// is read now and written when the last clone is dropped. A damaged file, or one of another device or driver, is
    /// ignored.
    pub fn kept(device: &Device, checks: Checks, path: &Path) -> Self {
        let on_disk = |cache| {
            Arc::new(OnDisk { device: device.clone(), cache, path: path.into(), new: AtomicUsize::new(0) })
        };
        Self { cache: cache::open(device, path).map(on_disk), ..Self::new(device, checks) }
    }

    /// The device the pipelines belong to.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The pipeline of `spec`. It is made at the first call.
    ///
    /// # Errors
    /// [`crate::Error::Kernel`] if it does not assemble, and [`crate::Error::Gpu`] if the driver refuses it.
    pub fn get(&self, spec: &Spec) -> Result<Arc<Pipeline>> {
        let lock = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = lock().get(spec) {
            return Ok(pipeline.clone());
        }
        let pipeline = Arc::new(self.build(spec)?);
        Ok(lock().entry(spec.clone()).or_insert(pipeline).clone())
    }

    /// Makes the pipelines of all `specs`, on as many threads as there are cores. Calls `progress` with the number done
    /// after each. Drivers compile here, not at the first dispatch.
    ///
    /// # Errors
    /// The errors of [`Pipelines::get`].
    pub fn prepare(&self, specs: &[Spec], progress: &(dyn Fn(usize) + Sync)) -> Result<()> {
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(specs.len());
        let work = || -> Result<()> {
            while let Some(spec) = specs.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.get(spec)?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined =
                workers.into_iter().map(|w| w.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
            joined.fold(Ok(()), Result::and)
        })
    }

    fn build(&self, spec: &Spec) -> Result<Pipeline> {
        let (label, source) = (spec.label(), spec.source()?);
        let gpu = self.device.need_gpu("a shader")?;
        let device = gpu.device();
        // SAFETY: a shader without run-time checks is sound if it never indexes out of bounds, divides by zero, or
        // loops without end. The kernels compare every thread's index with the sizes in their parameters. Wrappers
        // derive those sizes from the buffers that they bind. Divisors are sizes of at least 1, and every loop counts
        // to a parameter. The test suite also runs each kernel in each specialisation on odd sizes with the checks on,
        // with equal results.
        let checks = match self.checks {
            Checks::Off => wgpu::ShaderRuntimeChecks::unchecked(),
            Checks::On => wgpu::ShaderRuntimeChecks::checked(),
        };
        gpu.scoped(&format!("compiling kernel {label}"), || {
            let module = unsafe {
                device.create_shader_module_trusted(
                    wgpu::ShaderModuleDescriptor {
                        label: Some(&label),
                        source: wgpu::ShaderSource::Wgsl(source.into()),
                    },
                    checks,
                )
            };
            let entries: Vec<_> = std::iter::once(Access::Uniform)
                .chain(spec.kernel.bindings.iter().map(|b| b.access))
                .zip(0..)
                .map(|(access, i)| entry(i, access))
                .collect();
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(&label),
                entries: &entries,
            });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(&label),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
            let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(&label),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: None,
                compilation_options: wgpu::PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: self.checks == Checks::On,
                    ..Default::default()
                },
                cache: self.cache.as_ref().map(|on_disk| &on_disk.cache),
            });
            if let Some(on_disk) = &self.cache {
                on_disk.new.fetch_add(1, Ordering::Relaxed);
            }
            Pipeline { compute, layout }
        })
    }
}

fn entry(binding: u32, access: Access) -> wgpu::BindGroupLayoutEntry {
    let buffer = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    let ty = match access {
        Access::Uniform => buffer(wgpu::BufferBindingType::Uniform),
        Access::Read => buffer(wgpu::BufferBindingType::Storage { read_only: true }),
        Access::ReadWrite => buffer(wgpu::BufferBindingType::Storage { read_only: false }),
        Access::Texture => wgpu::BindingType::StorageTexture {
            access: wgpu::StorageTextureAccess::WriteOnly,
            format: wgpu::TextureFormat::Rgba8Unorm,
            view_dimension: wgpu::TextureViewDimension::D2,
        },
    };
    wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::COMPUTE, ty, count: None }
}
