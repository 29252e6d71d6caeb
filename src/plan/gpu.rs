//! A plan on a GPU: its pipelines, bind groups and parameters, and the submission of its dispatches.

use super::pipeline::Pipeline;
use super::record::{Bound, Dispatch, Resource, TextureNode};
use super::{Buffers, Pipelines};
use crate::device::{Buffer, Device, Gpu, Pooled, Profiler, Texture, foreign};
use crate::error::Result;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The longest estimated duration of one submission, s.
const LONGEST_SUBMISSION: f64 = 0.25;

/// The parts of a plan on a GPU besides its buffers.
pub(super) struct OnGpu {
    steps: Vec<Step>,
    textures: Vec<wgpu::TextureView>,
    owned_textures: Vec<Option<wgpu::Texture>>,
    uniforms: Pooled,
    /// True if the plan was recorded into a host's encoder. That may be submitted after the plan is dropped.
    encoded: AtomicBool,
}

/// The parts of one dispatch.
struct Step {
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    /// The buffer that holds the numbers of workgroups of a gated dispatch, and their offset in bytes.
    gate: Option<(wgpu::Buffer, u64)>,
    /// The range of the parameters in the uniform buffer, in bytes.
    params: Range<u64>,
}

impl OnGpu {
    pub fn new(
        gpu: &Gpu,
        pipelines: &Pipelines,
        dispatches: &[Dispatch],
        buffers: &Buffers,
        textures: Vec<TextureNode>,
    ) -> Result<Self> {
        let device = pipelines.device();
        let (textures, owned_textures) = make_textures(gpu, textures)?;
        let align = u64::from(device.caps().limits.min_uniform_buffer_offset_alignment);
        let mut bytes = Vec::new();
        let ranges: Vec<_> = dispatches
            .iter()
            .map(|d| {
                let start = (bytes.len() as u64).next_multiple_of(align);
                bytes.resize(start as usize, 0);
                bytes.extend_from_slice(&d.params);
                start..bytes.len() as u64
            })
            .collect();
        bytes.resize(bytes.len().next_multiple_of(16).max(16), 0);
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniforms = device.pool().take(device, "parameters", bytes.len() as u64, usage)?;
        device.write(&uniforms, &bytes)?;
        let encoded = AtomicBool::new(false);
        let mut made = Self { steps: Vec::new(), textures, owned_textures, uniforms, encoded };
        for (d, params) in dispatches.iter().zip(ranges) {
            let pipeline = pipelines.get(&d.spec)?;
            let bind_group = made.bind(gpu, d, &pipeline, buffers, &params)?;
            let gate = match d.gate {
                Some((buf, first)) => Some((on_gpu(buffers.slot(buf))?.clone(), 4 * first as u64)),
                None => None,
            };
            made.steps.push(Step { pipeline, bind_group, gate, params });
        }
        Ok(made)
    }

    fn bind(
        &self,
        gpu: &Gpu,
        dispatch: &Dispatch,
        pipeline: &Pipeline,
        buffers: &Buffers,
        params: &Range<u64>,
    ) -> Result<wgpu::BindGroup> {
        let uniform = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: on_gpu(&self.uniforms)?,
            offset: params.start,
            size: std::num::NonZeroU64::new(params.end - params.start),
        });
        let others = dispatch.bound.iter().map(|bound: &Bound| match bound.resource {
            // Never the whole buffer: a host's buffer or a shared one may exceed the largest binding.
            Resource::Buffer(buf) => Ok(wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: on_gpu(buffers.slot(buf))?,
                offset: 0,
                size: std::num::NonZeroU64::new(buffers.nodes[buf.0].bytes),
            })),
            Resource::Texture(tex) => Ok(wgpu::BindingResource::TextureView(&self.textures[tex.0])),
        });
        let resources = std::iter::once(Ok(uniform)).chain(others).collect::<Result<Vec<_>>>()?;
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        let label = dispatch.spec.label();
        gpu.scoped(&format!("binding {label}"), || {
            gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&label),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })
    }

    /// Binds the dispatches of these numbers again, after a buffer was replaced. On an error nothing has changed.
    pub fn rebind(
        &mut self,
        gpu: &Gpu,
        dispatches: &[Dispatch],
        affected: &[usize],
        buffers: &Buffers,
    ) -> Result<()> {
        let bind = |&i: &usize| {
            let Step { pipeline, params, .. } = &self.steps[i];
            self.bind(gpu, &dispatches[i], pipeline, buffers, params)
        };
        let bound = affected.iter().map(bind).collect::<Result<Vec<_>>>()?;
        affected.iter().zip(bound).for_each(|(i, group)| self.steps[*i].bind_group = group);
        Ok(())
    }

    /// Records the dispatches `order` into a host's encoder.
    pub fn encode<'a>(
        &self,
        order: impl Iterator<Item = (usize, &'a Dispatch)>,
        encoder: &mut wgpu::CommandEncoder,
    ) {
        self.encoded.store(true, Ordering::Relaxed);
        self.record_all(order, encoder);
    }

    /// Submits the dispatches `order`, in several submissions if they take long.
    pub fn run<'a>(&self, device: &Device, order: impl Iterator<Item = (usize, &'a Dispatch)>) -> Result<()> {
        let gpu = device.need_gpu("running a plan")?;
        gpu.scoped("running a plan", || {
            // Roughly the flops and bytes per second of the slowest device of its kind.
            let (flops, bytes) = if device.caps().software() { (2e10, 2e9) } else { (2e11, 2e10) };
            let estimate = |d: &Dispatch| d.cost.flops / flops + d.cost.bytes / bytes;
            let mut order = order.peekable();
            while order.peek().is_some() {
                let mut encoder = gpu.encoder("palpate plan");
                let mut seconds = 0.0;
                let part = std::iter::from_fn(|| {
                    let step = order
                        .next_if(|(_, d)| seconds == 0.0 || seconds + estimate(d) <= LONGEST_SUBMISSION)?;
                    seconds += estimate(step.1);
                    Some(step)
                });
                self.record_all(part, &mut encoder);
                gpu.queue().submit([encoder.finish()]);
            }
        })
    }

    /// Runs every dispatch once and returns its seconds.
    pub fn profile(&self, device: &Device, dispatches: &[Dispatch]) -> Result<Vec<f64>> {
        let profiler = Profiler::new(device, dispatches.len())?;
        let gpu = device.need_gpu("a timestamp")?;
        gpu.scoped("timing a plan", || {
            let mut encoder = gpu.encoder("palpate timing");
            for (i, dispatch) in dispatches.iter().enumerate() {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: Some(&dispatch.spec.label()),
                    timestamp_writes: Some(profiler.writes(i)),
                });
                self.steps[i].record(dispatch, &mut pass);
            }
            profiler.resolve(&mut encoder);
            gpu.queue().submit([encoder.finish()]);
        })?;
        profiler.seconds(device)
    }

    fn record_all<'a>(
        &self,
        order: impl Iterator<Item = (usize, &'a Dispatch)>,
        encoder: &mut wgpu::CommandEncoder,
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("palpate"),
            timestamp_writes: None,
        });
        for (i, dispatch) in order {
            self.steps[i].record(dispatch, &mut pass);
        }
    }

    /// The texture `tex`, if the plan owns it.
    pub fn texture(&self, tex: usize) -> Option<&wgpu::Texture> {
        self.owned_textures.get(tex)?.as_ref()
    }

    /// The bytes of the parameters.
    pub fn memory(&self) -> u64 {
        self.uniforms.size()
    }

    /// Keeps the parameters out of the pool if a host's encoder may still use them. Returns whether it may.
    pub fn retire(&self) -> bool {
        let encoded = self.encoded.load(Ordering::Relaxed);
        if encoded {
            self.uniforms.retire();
        }
        encoded
    }
}

impl Step {
    fn record(&self, dispatch: &Dispatch, pass: &mut wgpu::ComputePass) {
        let [x, y, z] = dispatch.groups;
        pass.set_pipeline(&self.pipeline.compute);
        pass.set_bind_group(0, &self.bind_group, &[]);
        match &self.gate {
            None => pass.dispatch_workgroups(x, y, z),
            Some((arguments, offset)) => pass.dispatch_workgroups_indirect(arguments, *offset),
        }
    }
}

fn on_gpu(buffer: &Buffer) -> Result<&wgpu::Buffer> {
    buffer.gpu().ok_or_else(foreign)
}

type Textures = (Vec<wgpu::TextureView>, Vec<Option<wgpu::Texture>>);

fn make_textures(gpu: &Gpu, textures: Vec<TextureNode>) -> Result<Textures> {
    let make = |node| match node {
        TextureNode::External(Texture::Gpu(view)) => Ok((view, None)),
        TextureNode::External(Texture::Memory(..)) => Err(foreign()),
        TextureNode::Owned { label, width, height } => {
            let texture = gpu.scoped(&format!("making texture '{label}'"), || {
                gpu.device().create_texture(&wgpu::TextureDescriptor {
                    label: Some(label),
                    size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                    mip_level_count: 1,
                    sample_count: 1,
                    dimension: wgpu::TextureDimension::D2,
                    format: wgpu::TextureFormat::Rgba8Unorm,
                    usage: wgpu::TextureUsages::STORAGE_BINDING
                        | wgpu::TextureUsages::COPY_SRC
                        | wgpu::TextureUsages::TEXTURE_BINDING,
                    view_formats: &[],
                })
            })?;
            let view = wgpu::TextureViewDescriptor { label: Some(label), ..Default::default() };
            Ok((texture.create_view(&view), Some(texture)))
        }
    };
    textures.into_iter().map(make).collect::<Result<Vec<_>>>().map(|made| made.into_iter().unzip())
}
