//! Plans. A plan is a fixed list of dispatches over planned buffers. It is recorded as data ([`Recorder`]), compiled
//! once, and then replayed: a run makes no allocations and no bind groups. The same plan can run on a GPU or on the
//! processor, be timed dispatch by dispatch, and on a GPU be encoded into a host's command encoder.

mod cache;
mod extents;
mod gpu;
mod lifetimes;
mod native;
pub(crate) mod params;
mod pipeline;
mod record;
mod spec;

pub(crate) use native::Call;
pub use params::Place;
pub(crate) use params::{Params, params};
pub use pipeline::{Checks, Pipelines};
pub(crate) use record::MOST_GROUPS;
pub use record::{Bound, Buf, Dispatch, Recorder, Tex};
pub use spec::{Cost, Kernel, Spec};
pub(crate) use spec::{read, texture, write};

use crate::device::{Buffer, Device, Pooled};
use crate::error::{Error, Result};
use crate::shader::Access;
use gpu::OnGpu;
use native::OnProcessor;
use record::{Node, Role};
use std::ops::Range;

/// A compiled list of dispatches, ready to be replayed.
pub struct Plan {
    device: Device,
    dispatches: Vec<Dispatch>,
    /// The dispatches that a run repeats.
    repeated: Range<usize>,
    times: usize,
    buffers: Buffers,
    engine: Engine,
}

/// The buffers of a plan.
struct Buffers {
    nodes: Vec<Node>,
    slots: Vec<Pooled>,
}

/// What runs the dispatches.
enum Engine {
    Gpu(OnGpu),
    Processor(OnProcessor),
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

impl Buffers {
    fn slot(&self, buf: Buf) -> &Buffer {
        match &self.nodes[buf.0].role {
            Role::External(buffer) => buffer,
            _ => &self.slots[self.nodes[buf.0].slot],
        }
    }

    /// Refuses a dispatch that writes to a buffer that it binds twice.
    fn check(&self, Dispatch { spec, bound, .. }: &Dispatch) -> Result<()> {
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
        Ok(())
    }
}

impl Plan {
    /// Makes the pipelines, buffers and bind groups of `recorder`'s dispatches. Calls `progress` with the number of
    /// pipelines made and the number of all.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the buffers do not fit the device. [`Error::Kernel`] if a kernel does not compile, has
    /// no form for this device, or was recorded with wrong resources.
    pub fn compile(
        recorder: Recorder,
        pipelines: &Pipelines,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self> {
        let device = pipelines.device().clone();
        recorder.check()?;
        let specs = recorder.specs();
        let Recorder { mut nodes, dispatches, textures, repeated, .. } = recorder;
        if device.gpu().is_some() {
            pipelines.prepare(&specs, &|done| progress(done, specs.len()))?;
        }
        let sizes = lifetimes::assign(&mut nodes, &dispatches, &repeated);
        let storage =
            wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let is_gate = |slot| nodes.iter().any(|n| n.slot == slot && matches!(n.role, Role::Arguments));
        let usage = |slot| if is_gate(slot) { storage | wgpu::BufferUsages::INDIRECT } else { storage };
        let slots = sizes
            .iter()
            .enumerate()
            .map(|(slot, (label, size))| device.pool().take(&device, label, *size, usage(slot)))
            .collect::<Result<Vec<_>>>()?;
        for node in &nodes {
            if let Role::Constant(bytes) = &node.role {
                device.write(&slots[node.slot], bytes)?;
            }
        }
        let buffers = Buffers { nodes, slots };
        dispatches.iter().try_for_each(|dispatch| buffers.check(dispatch))?;
        let engine = match device.gpu() {
            Some(gpu) => Engine::Gpu(OnGpu::new(gpu, pipelines, &dispatches, &buffers, textures)?),
            None => Engine::Processor(OnProcessor::new(&dispatches, &buffers, textures)?),
        };
        Ok(Self { device, dispatches, repeated, times: 1, buffers, engine })
    }

    /// Replaces the buffer of the external `buf` by a host's `buffer` in all later runs.
    ///
    /// # Errors
    /// [`Error::Usage`] if `buf` is not external, if `buffer` is smaller than recorded, has no `STORAGE` or belongs to
    /// the other kind of device, or if a dispatch would read and write the same buffer. The plan is then unchanged.
    pub fn rebind(&mut self, buf: Buf, buffer: impl Into<Buffer>) -> Result<()> {
        let buffer = buffer.into();
        let Node { label, bytes, role, .. } =
            self.buffers.nodes.get_mut(buf.0).ok_or_else(|| Error::Usage(FOREIGN.into()))?;
        if !matches!(role, Role::External(_)) {
            return Err(Error::Usage(format!("'{label}' belongs to the plan and cannot be replaced")));
        }
        record::fits(label, *bytes, &buffer)?;
        if buffer.gpu().is_some() != self.device.gpu().is_some() {
            return Err(crate::device::foreign());
        }
        let before = std::mem::replace(role, Role::External(buffer));
        let uses = |d: &Dispatch| d.bound.iter().any(|b| b.buffer() == Some(buf));
        let affected: Vec<usize> =
            (0..self.dispatches.len()).filter(|&i| uses(&self.dispatches[i])).collect();
        let mut bound = affected.iter().try_for_each(|&i| self.buffers.check(&self.dispatches[i]));
        if bound.is_ok() {
            bound = match (&mut self.engine, self.device.gpu()) {
                (Engine::Gpu(engine), Some(gpu)) => {
                    engine.rebind(gpu, &self.dispatches, &affected, &self.buffers)
                }
                (Engine::Gpu(_), None) => Err(crate::device::foreign()),
                (Engine::Processor(engine), _) => {
                    affected.iter().try_for_each(|&i| engine.check(&self.dispatches[i], &self.buffers))
                }
            };
        }
        if bound.is_err() {
            self.buffers.nodes[buf.0].role = before;
        }
        bound
    }

    /// Records every dispatch into `encoder`, in one compute pass. Does not submit, map or poll.
    ///
    /// The plan may be dropped before `encoder` is submitted. Its buffers then stay with the encoder and do not return
    /// to the pool.
    ///
    /// # Errors
    /// [`Error::Usage`] on the processor, which has no encoders: call [`Plan::run`].
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        match &self.engine {
            Engine::Gpu(engine) => engine.encode(self.order(), encoder),
            Engine::Processor(_) => {
                return Err(Error::Usage(
                    "a plan on the processor cannot be recorded into an encoder; run it".into(),
                ));
            }
        }
        Ok(())
    }

    /// Sets the number of repetitions of the part from [`Recorder::repeat_from_here`] on, for later runs. It is 1 at
    /// first.
    pub fn repeat(&mut self, times: usize) {
        self.times = times;
    }

    /// The dispatches of a run in order, with their numbers.
    fn order(&self) -> impl Iterator<Item = (usize, &Dispatch)> {
        let Range { start, end } = self.repeated;
        let repeated = std::iter::repeat_n(start..end, self.times).flatten();
        let order = (0..start).chain(repeated).chain(end..self.dispatches.len());
        order.map(|i| (i, &self.dispatches[i]))
    }

    /// Runs the whole plan once. On a GPU, it submits the plan and returns without waiting. A long plan is split into
    /// several submissions of well under a second even on slow devices, because drivers mistake a longer submission for
    /// a hang. On the processor, the work is done when this returns.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`], or [`Error::Gpu`].
    pub fn run(&self) -> Result<()> {
        match &self.engine {
            Engine::Gpu(engine) => engine.run(&self.device, self.order()),
            Engine::Processor(engine) => {
                self.order().try_for_each(|(_, d)| engine.run(&self.device, d, &self.buffers))
            }
        }
    }

    /// Runs the plan once, without repetitions, and takes the time of each dispatch by the device's own clock.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device has no timestamps.
    pub fn profile(&self) -> Result<Vec<Timing>> {
        let seconds = match &self.engine {
            Engine::Gpu(engine) => engine.profile(&self.device, &self.dispatches)?,
            Engine::Processor(engine) => {
                let timed = |d| {
                    let start = std::time::Instant::now();
                    engine.run(&self.device, d, &self.buffers)?;
                    Ok(start.elapsed().as_secs_f64())
                };
                self.dispatches.iter().map(timed).collect::<Result<Vec<_>>>()?
            }
        };
        Ok(self.dispatches.iter().zip(seconds).map(|(dispatch, seconds)| dispatch.timing(seconds)).collect())
    }

    /// Uploads `data` to the start of `buf`.
    ///
    /// # Errors
    /// [`Error::Usage`] if `data` is longer than recorded. [`Error::Gpu`] if the buffer is a host's and has no
    /// `COPY_DST`.
    pub fn write<T: bytemuck::Pod>(&self, buf: Buf, data: &[T]) -> Result<()> {
        let Node { label, bytes, .. } = self.node(buf)?;
        if size_of_val(data) as u64 > *bytes {
            let what = format!("'{label}' holds {bytes} bytes, not {}", size_of_val(data));
            return Err(Error::Usage(what));
        }
        self.device.write(self.buffers.slot(buf), data)
    }

    /// Reads all recorded values of `buf`. Blocks until the work submitted before is done.
    ///
    /// # Errors
    /// [`Error::Usage`] if `buf` is scratch that was not kept, because other buffers share its memory.
    pub fn read<T: bytemuck::Pod>(&self, buf: Buf) -> Result<Vec<T>> {
        let n = self.readable(buf)? / size_of::<T>();
        let mut values = self.device.read(self.buffers.slot(buf))?;
        values.truncate(n);
        Ok(values)
    }

    /// The same without blocking; see [`Device::read_async`].
    ///
    /// # Errors
    /// The errors of [`Plan::read`].
    pub async fn read_async<T: bytemuck::Pod>(&self, buf: Buf) -> Result<Vec<T>> {
        let n = self.readable(buf)? / size_of::<T>();
        let mut values = self.device.read_async(self.buffers.slot(buf)).await?;
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

    /// The buffer behind `buf`; `None` for a buffer of another plan.
    pub fn buffer(&self, buf: Buf) -> Option<&Buffer> {
        self.buffers.nodes.get(buf.0).map(|_| self.buffers.slot(buf))
    }

    fn node(&self, buf: Buf) -> Result<&Node> {
        self.buffers.nodes.get(buf.0).ok_or_else(|| Error::Usage(FOREIGN.into()))
    }

    /// The texture behind `tex`, if the plan owns it and runs on a GPU.
    pub fn texture(&self, tex: Tex) -> Option<&wgpu::Texture> {
        match &self.engine {
            Engine::Gpu(engine) => engine.texture(tex.0),
            Engine::Processor(_) => None,
        }
    }

    /// The texels behind `tex`, four bytes each, row by row, if the plan runs on the processor.
    pub fn texels(&self, tex: Tex) -> Option<Vec<u8>> {
        match &self.engine {
            Engine::Gpu(_) => None,
            Engine::Processor(engine) => Some(engine.texture(tex.0)?.read()),
        }
    }

    /// The bytes of device memory that the plan holds, without a host's buffers.
    pub fn memory(&self) -> u64 {
        let own = match &self.engine {
            Engine::Gpu(engine) => engine.memory(),
            Engine::Processor(_) => 0,
        };
        own + self.buffers.slots.iter().map(|slot| slot.size()).sum::<u64>()
    }

    /// The number of dispatches.
    pub fn len(&self) -> usize {
        self.dispatches.len()
    }

    /// Reports whether there are no dispatches.
    pub fn is_empty(&self) -> bool {
        self.dispatches.is_empty()
    }

    /// The label, stage and cost of each dispatch in order. The times are NaN.
    pub fn timings(&self) -> impl Iterator<Item = Timing> + '_ {
        self.dispatches.iter().map(|dispatch| dispatch.timing(f64::NAN))
    }

    /// Fills everything that the plan computes with NaN, so that reading a value that was never written is noticed.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or an error that the device reported outside of any error scope.
    pub fn poison(&self) -> Result<()> {
        let Buffers { nodes, slots } = &self.buffers;
        for node in nodes.iter().filter(|node| matches!(node.role, Role::Scratch | Role::Output)) {
            let nan = vec![f32::NAN; slots[node.slot].size() as usize / 4];
            self.device.write(&slots[node.slot], &nan)?;
        }
        self.device.check()
    }
}

/// The message for a buffer of another plan. A plan knows only the buffers of its own recording.
const FOREIGN: &str = "the buffer belongs to another plan";

impl Drop for Plan {
    fn drop(&mut self) {
        if matches!(&self.engine, Engine::Gpu(engine) if engine.retire()) {
            self.buffers.slots.iter().for_each(Pooled::retire);
        }
    }
}

impl Dispatch {
    fn timing(&self, seconds: f64) -> Timing {
        Timing { label: self.spec.label(), stage: self.stage, seconds, cost: self.cost }
    }
}
