//! Plans. A plan is a fixed list of dispatches over planned buffers. It is recorded as data ([`Recorder`]), compiled
//! once, and then replayed: a run makes no allocations and no bind groups. The same plan can run on its own, be timed
//! dispatch by dispatch, and be encoded into a host's command encoder.

mod cache;
mod extents;
mod lifetimes;
pub(crate) mod params;
mod pipeline;
mod record;
mod spec;

pub use params::Place;
pub(crate) use params::{Params, params};
pub use pipeline::{Checks, Pipelines};
pub(crate) use record::MOST_GROUPS;
pub use record::{Bound, Buf, Dispatch, Recorder, Tex};
pub use spec::{Cost, Kernel, Spec};
pub(crate) use spec::{read, texture, write};

use crate::error::{Error, Result};
use crate::gpu::{Gpu, Pooled, Profiler};
use crate::shader::Access;
use pipeline::Pipeline;
use record::{Node, Resource, Role};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The longest estimated duration of one submission, s.
const LONGEST_SUBMISSION: f64 = 0.25;

/// A compiled list of dispatches, ready to be replayed.
pub struct Plan {
    gpu: Gpu,
    steps: Vec<Step>,
    /// The steps that a run repeats.
    repeated: Range<usize>,
    times: usize,
    nodes: Vec<Node>,
    slots: Vec<Pooled>,
    textures: Vec<wgpu::TextureView>,
    owned_textures: Vec<Option<wgpu::Texture>>,
    uniforms: Pooled,
    /// True if the plan was recorded into a host's encoder. That may be submitted after the plan is dropped.
    encoded: AtomicBool,
}

struct Step {
    spec: Spec,
    stage: &'static str,
    cost: Cost,
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    groups: [u32; 3],
    /// A buffer that holds the numbers of workgroups in place of `groups`, and their offset in bytes.
    gate: Option<(wgpu::Buffer, u64)>,
    bound: Vec<Bound>,
    /// The range of the step's parameters in the uniform buffer, in bytes.
    params: Range<u64>,
}

/// The time of one dispatch by the device's own clock.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The kernel's label.
    pub label: String,
    /// The stage of the method.
    pub stage: &'static str,
    /// The duration, s.
    pub seconds: f64,
    /// The cost of the dispatch.
    pub cost: Cost,
}

impl Plan {
    /// Makes the pipelines, buffers and bind groups of `recorder`'s dispatches. Calls `progress` with the number of
    /// pipelines made and the number of all.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the buffers do not fit the device. [`Error::Kernel`] if a kernel does not compile, or
    /// was recorded with wrong resources.
    pub fn compile(
        recorder: Recorder,
        pipelines: &Pipelines,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let gpu = pipelines.gpu().clone();
        recorder.check()?;
        let specs = recorder.specs();
        let Recorder { mut nodes, dispatches, textures, repeated, .. } = recorder;
        pipelines.prepare(&specs, &|done| progress(done, specs.len()))?;

        let sizes = lifetimes::assign(&mut nodes, &dispatches, &repeated);
        let take = |label: &str, size, usage| gpu.pool().take(&gpu, label, size, usage);
        let storage =
            wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let is_gate = |slot| nodes.iter().any(|n| n.slot == slot && matches!(n.role, Role::Arguments));
        let usage = |slot| if is_gate(slot) { storage | wgpu::BufferUsages::INDIRECT } else { storage };
        let slots = sizes
            .iter()
            .enumerate()
            .map(|(slot, (label, size))| take(label, *size, usage(slot)))
            .collect::<Result<Vec<_>>>()?;
        for node in &nodes {
            if let Role::Constant(bytes) = &node.role {
                gpu.queue().write_buffer(&slots[node.slot], 0, bytes);
            }
        }
        let (textures, owned_textures) = make_textures(&gpu, textures)?;

        let align = u64::from(gpu.caps().limits.min_uniform_buffer_offset_alignment);
        let mut uniform_bytes = Vec::new();
        let ranges: Vec<_> = dispatches
            .iter()
            .map(|d| {
                let start = (uniform_bytes.len() as u64).next_multiple_of(align);
                uniform_bytes.resize(start as usize, 0);
                uniform_bytes.extend_from_slice(&d.params);
                start..uniform_bytes.len() as u64
            })
            .collect();
        uniform_bytes.resize(uniform_bytes.len().next_multiple_of(16).max(16), 0);
        let uniforms = take(
            "parameters",
            uniform_bytes.len() as u64,
            wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        )?;
        gpu.queue().write_buffer(&uniforms, 0, &uniform_bytes);

        let mut plan = Self {
            gpu,
            steps: Vec::new(),
            repeated,
            times: 1,
            nodes,
            slots,
            textures,
            owned_textures,
            uniforms,
            encoded: AtomicBool::new(false),
        };
        for (d, params) in dispatches.into_iter().zip(ranges) {
            let pipeline = pipelines.get(&d.spec)?;
            let bind_group = plan.bind(&d.spec, &pipeline, &d.bound, &params)?;
            let Dispatch { spec, bound, groups, gate, stage, cost, .. } = d;
            let gate = gate.map(|(buf, first)| (plan.slot(buf).clone(), 4 * first as u64));
            plan.steps.push(Step { spec, stage, cost, pipeline, bind_group, groups, gate, bound, params });
        }
        Ok(plan)
    }

    fn bind(
        &self,
        spec: &Spec,
        pipeline: &Pipeline,
        bound: &[Bound],
        params: &Range<u64>,
    ) -> Result<wgpu::BindGroup> {
        let bindings = spec.kernel.bindings;
        let buffer = |i: usize| bound[i].buffer().map(|buf| self.slot(buf));
        let written = |i: usize| bindings[i].access == Access::ReadWrite;
        for (a, b) in (0..bound.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
            if buffer(a).is_some() && buffer(a) == buffer(b) && (written(a) || written(b)) {
                let [a, b] = [a, b].map(|i| bindings[i].name);
                return Err(Error::Usage(format!(
                    "kernel {}: '{a}' and '{b}' are one buffer, and the kernel writes to it; use two buffers",
                    spec.label()
                )));
            }
        }
        let uniform = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.uniforms,
            offset: params.start,
            size: std::num::NonZeroU64::new(params.end - params.start),
        });
        let others = bound.iter().map(|bound| match bound.resource {
            // Never the whole buffer: a host's buffer or a shared one may exceed the largest binding.
            Resource::Buffer(buf) => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: self.slot(buf),
                offset: 0,
                size: std::num::NonZeroU64::new(self.nodes[buf.0].bytes),
            }),
            Resource::Texture(tex) => wgpu::BindingResource::TextureView(&self.textures[tex.0]),
        });
        let entries: Vec<_> = (0..)
            .zip(std::iter::once(uniform).chain(others))
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        let label = spec.label();
        self.gpu.scoped(&format!("binding {label}"), || {
            self.gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&label),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })
    }

    /// Replaces the buffer of the external `buf` by a host's `buffer` in all later runs.
    ///
    /// # Errors
    /// [`Error::Usage`] if `buf` is not external, if `buffer` is smaller than recorded or has no `STORAGE`, or if a
    /// dispatch would read and write the same buffer. The plan is then unchanged.
    pub fn rebind(&mut self, buf: Buf, buffer: wgpu::Buffer) -> Result<()> {
        let Node { label, bytes, role, .. } =
            self.nodes.get_mut(buf.0).ok_or_else(|| Error::Usage(FOREIGN.into()))?;
        if !matches!(role, Role::External(_)) {
            return Err(Error::Usage(format!("'{label}' belongs to the plan and cannot be replaced")));
        }
        record::fits(label, *bytes, &buffer)?;
        let before = std::mem::replace(role, Role::External(buffer));
        let affected =
            self.steps.iter().enumerate().filter(|(_, s)| s.bound.iter().any(|b| b.buffer() == Some(buf)));
        let bound: Result<Vec<_>> =
            affected.map(|(i, s)| Ok((i, self.bind(&s.spec, &s.pipeline, &s.bound, &s.params)?))).collect();
        match bound {
            Ok(bound) => bound.into_iter().for_each(|(i, group)| self.steps[i].bind_group = group),
            Err(error) => {
                self.nodes[buf.0].role = before;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Records every dispatch into `encoder`, in one compute pass. Does not submit, map or poll.
    ///
    /// The plan may be dropped before `encoder` is submitted. Its buffers then stay with the encoder and do not return
    /// to the pool.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        self.encoded.store(true, Ordering::Relaxed);
        record_all(self.order(), encoder);
    }

    /// Sets the number of repetitions of the part from [`Recorder::repeat_from_here`] on, for later runs. It is 1 at
    /// first.
    pub fn repeat(&mut self, times: usize) {
        self.times = times;
    }

    /// The steps of a run in order.
    fn order(&self) -> impl Iterator<Item = &Step> {
        let Range { start, end } = self.repeated;
        let repeated = std::iter::repeat_n(&self.steps[start..end], self.times).flatten();
        self.steps[..start].iter().chain(repeated).chain(&self.steps[end..])
    }

    /// Submits the whole plan once, and returns without waiting. A long plan is split into several submissions of well
    /// under a second even on slow devices, because drivers mistake a longer submission for a hang.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`], or [`Error::Gpu`].
    pub fn run(&self) -> Result<()> {
        self.gpu.scoped("running a plan", || {
            // Roughly the flops and bytes per second of the slowest device of its kind.
            let (flops, bytes) = if self.gpu.caps().software() { (2e10, 2e9) } else { (2e11, 2e10) };
            let estimate = |step: &Step| step.cost.flops / flops + step.cost.bytes / bytes;
            let mut steps = self.order().peekable();
            while steps.peek().is_some() {
                let mut encoder = self.gpu.encoder("palpate plan");
                let mut seconds = 0.0;
                let part = std::iter::from_fn(|| {
                    let step =
                        steps.next_if(|s| seconds == 0.0 || seconds + estimate(s) <= LONGEST_SUBMISSION)?;
                    seconds += estimate(step);
                    Some(step)
                });
                record_all(part, &mut encoder);
                self.gpu.queue().submit([encoder.finish()]);
            }
        })
    }

    /// Runs the plan once, without repetitions, with a timestamp before and after each dispatch.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device has no timestamps.
    pub fn profile(&self) -> Result<Vec<Timing>> {
        let profiler = Profiler::new(&self.gpu, self.steps.len())?;
        self.gpu.scoped("timing a plan", || {
            let mut encoder = self.gpu.encoder("palpate timing");
            for (i, step) in self.steps.iter().enumerate() {
                let writes = Some(profiler.writes(i));
                step.record(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: Some(&step.spec.label()),
                    timestamp_writes: writes,
                }));
            }
            profiler.resolve(&mut encoder);
            self.gpu.queue().submit([encoder.finish()]);
        })?;
        let seconds = profiler.seconds(&self.gpu)?;
        Ok(self.steps.iter().zip(seconds).map(|(step, seconds)| step.timing(seconds)).collect())
    }

    /// Uploads `data` to the start of `buf`.
    ///
    /// # Errors
    /// [`Error::Usage`] if `data` is longer than recorded. [`Error::Gpu`] if the buffer is a host's and has no
    /// `COPY_DST`.
    pub fn write<T: bytemuck::Pod>(&self, buf: Buf, data: &[T]) -> Result<()> {
        let (data, node): (&[u8], _) = (bytemuck::cast_slice(data), self.node(buf)?);
        if data.len() as u64 > node.bytes {
            let Node { label, bytes, .. } = node;
            return Err(Error::Usage(format!("'{label}' holds {bytes} bytes, not {}", data.len())));
        }
        self.gpu.scoped(&format!("writing to '{}'", node.label), || {
            self.gpu.queue().write_buffer(self.slot(buf), 0, data);
        })
    }

    /// Reads all recorded values of `buf`. Blocks until the work submitted before is done.
    ///
    /// # Errors
    /// [`Error::Usage`] if `buf` is scratch that was not kept, because other buffers share its memory.
    pub fn read<T: bytemuck::Pod>(&self, buf: Buf) -> Result<Vec<T>> {
        let n = self.readable(buf)? / size_of::<T>();
        let mut values = self.gpu.read(self.slot(buf))?;
        values.truncate(n);
        Ok(values)
    }

    /// The same without blocking; see [`Gpu::read_async`].
    ///
    /// # Errors
    /// The errors of [`Plan::read`].
    pub async fn read_async<T: bytemuck::Pod>(&self, buf: Buf) -> Result<Vec<T>> {
        let n = self.readable(buf)? / size_of::<T>();
        let mut values = self.gpu.read_async(self.slot(buf)).await?;
        values.truncate(n);
        Ok(values)
    }

    /// The bytes of `buf` that may be read.
    fn readable(&self, buf: Buf) -> Result<usize> {
        let Node { role, label, bytes, .. } = self.node(buf)?;
        if matches!(role, Role::Scratch) {
            return Err(Error::Usage(format!("'{label}' is scratch; call `Recorder::keep` to read it")));
        }
        Ok(*bytes as usize)
    }

    /// The wgpu buffer behind `buf`; `None` for a buffer of another plan.
    pub fn buffer(&self, buf: Buf) -> Option<&wgpu::Buffer> {
        self.nodes.get(buf.0).map(|_| self.slot(buf))
    }

    fn node(&self, buf: Buf) -> Result<&Node> {
        self.nodes.get(buf.0).ok_or_else(|| Error::Usage(FOREIGN.into()))
    }

    fn slot(&self, buf: Buf) -> &wgpu::Buffer {
        match &self.nodes[buf.0].role {
            Role::External(buffer) => buffer,
            _ => &self.slots[self.nodes[buf.0].slot],
        }
    }

    /// The texture behind `tex`, if the plan owns it.
    pub fn texture(&self, tex: Tex) -> Option<&wgpu::Texture> {
        self.owned_textures.get(tex.0)?.as_ref()
    }

    /// The bytes of device memory that the plan holds, without a host's buffers.
    pub fn memory(&self) -> u64 {
        self.slots.iter().map(|slot| slot.size()).sum::<u64>() + self.uniforms.size()
    }

    /// The number of dispatches.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Reports whether there are no dispatches.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The label, stage and cost of each dispatch in order. The times are NaN.
    pub fn timings(&self) -> impl Iterator<Item = Timing> + '_ {
        self.steps.iter().map(|step| step.timing(f64::NAN))
    }

    /// Fills everything that the plan computes with NaN, so that reading a value that was never written is noticed.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or an error that the device reported outside of any error scope.
    pub fn poison(&self) -> Result<()> {
        for node in &self.nodes {
            if matches!(node.role, Role::Scratch | Role::Output) {
                let nan = vec![f32::NAN; self.slots[node.slot].size() as usize / 4];
                self.gpu.queue().write_buffer(&self.slots[node.slot], 0, bytemuck::cast_slice(&nan));
            }
        }
        self.gpu.check()
    }
}

/// The message for a buffer of another plan. A plan knows only the buffers of its own recording.
const FOREIGN: &str = "the buffer belongs to another plan";

impl Drop for Plan {
    fn drop(&mut self) {
        if self.encoded.load(Ordering::Relaxed) {
            self.slots.iter().chain([&self.uniforms]).for_each(Pooled::retire);
        }
    }
}

impl Step {
    fn record(&self, pass: &mut wgpu::ComputePass) {
        let [x, y, z] = self.groups;
        pass.set_pipeline(&self.pipeline.compute);
        pass.set_bind_group(0, &self.bind_group, &[]);
        match &self.gate {
            None => pass.dispatch_workgroups(x, y, z),
            Some((arguments, offset)) => pass.dispatch_workgroups_indirect(arguments, *offset),
        }
    }

    fn timing(&self, seconds: f64) -> Timing {
        Timing { label: self.spec.label(), stage: self.stage, seconds, cost: self.cost }
    }
}

fn record_all<'a>(steps: impl Iterator<Item = &'a Step>, encoder: &mut wgpu::CommandEncoder) {
    let mut pass = encoder
        .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("palpate"), timestamp_writes: None });
    for step in steps {
        step.record(&mut pass);
    }
}

type Textures = (Vec<wgpu::TextureView>, Vec<Option<wgpu::Texture>>);

fn make_textures(gpu: &Gpu, textures: Vec<record::TextureNode>) -> Result<Textures> {
    let make = |node| match node {
        record::TextureNode::External(view) => Ok((view, None)),
        record::TextureNode::Owned { label, width, height } => {
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
