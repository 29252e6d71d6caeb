//! The recording of dispatches over buffers, as plain data.

use super::spec::Words;
use super::{Cost, Params, Spec};
use crate::device::{Buffer, Texture};
use crate::error::{Error, Result};
use crate::size::Size;
use std::ops::Range;

/// A buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buf(pub(super) usize);

impl Buf {
    /// The extent of the first `n` values of `T`, for a dispatch that reads or writes them.
    pub fn first<T>(self, n: usize) -> Bound {
        Bound { resource: Resource::Buffer(self), extent: Extent::Bytes((n * size_of::<T>()) as u64) }
    }
}

/// A texture of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tex(pub(super) usize);

impl Tex {
    /// The extent of the texels of an image of this size, for a dispatch that writes them.
    pub fn first(self, Size { nx, ny }: Size) -> Bound {
        let extent = Extent::Texels([nx as u32, ny as u32]);
        Bound { resource: Resource::Texture(self), extent }
    }
}

/// A buffer or a texture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Buffer(Buf),
    Texture(Tex),
}

/// The part of a resource, from its start, that a dispatch touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Bytes(u64),
    Texels([u32; 2]),
}

/// A resource that a dispatch binds, with the extent that the dispatch touches. [`Plan::compile`](super::Plan::compile)
/// refuses a dispatch whose extent exceeds the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub(crate) resource: Resource,
    pub(crate) extent: Extent,
}

impl Bound {
    /// The buffer, if the resource is a buffer.
    pub(super) fn buffer(&self) -> Option<Buf> {
        match self.resource {
            Resource::Buffer(buf) => Some(buf),
            Resource::Texture(_) => None,
        }
    }
}

#[derive(Clone)]
pub(super) struct Node {
    /// The name in messages and GPU debuggers.
    pub label: &'static str,
    /// The bytes requested.
    pub len: u64,
    /// The bytes bound: `len` rounded up.
    pub bytes: u64,
    /// The use of the buffer, which decides on its lifetime.
    pub role: Role,
    /// The index of the allocation; set at compilation.
    pub slot: usize,
}

impl Node {
    fn without_contents(&self) -> Self {
        let role = match &self.role {
            Role::Scratch => Role::Scratch,
            Role::External(buffer) => Role::External(buffer.clone()),
            Role::Arguments => Role::Arguments,
            Role::Input | Role::Output | Role::Constant(_) => Role::Output,
        };
        Self { role, ..*self }
    }
}

#[derive(Clone)]
pub(super) enum Role {
    /// Lives from its first dispatch to its last, and shares memory with others over time.
    Scratch,
    /// Written by the host before a run.
    Input,
    /// Read by the host after a run.
    Output,
    /// Uploaded once, at compilation.
    Constant(Vec<u8>),
    /// Written by a kernel, and read by dispatches as their numbers of workgroups.
    Arguments,
    /// Owned by a host.
    External(Buffer),
}

#[derive(Clone)]
pub(super) enum TextureNode {
    Owned { label: &'static str, width: u32, height: u32 },
    External(Texture),
}

impl TextureNode {
    pub(super) fn size(&self) -> [u32; 2] {
        match self {
            Self::Owned { width, height, .. } => [*width, *height],
            Self::External(texture) => texture.size(),
        }
    }
}

/// Checks that a host's `buffer` has room for `need` bytes and can be bound as storage.
pub(crate) fn fits(label: &str, need: u64, buffer: &Buffer) -> Result<()> {
    let usage = buffer.gpu().map(wgpu::Buffer::usage);
    if buffer.size() >= need && usage.is_none_or(|usage| usage.contains(wgpu::BufferUsages::STORAGE)) {
        return Ok(());
    }
    let size = buffer.size();
    Err(Error::Usage(match usage {
        Some(usage) => format!(
            "the host's buffer for '{label}' has {size} bytes and usage {usage:?}; it needs {need} bytes and STORAGE"
        ),
        None => format!("the host's memory for '{label}' has {size} bytes; it needs {need} bytes"),
    }))
}

/// One dispatch, as data.
#[derive(Clone)]
pub struct Dispatch {
    pub(super) spec: Spec,
    /// The bytes of the uniform parameters.
    pub(super) params: Vec<u8>,
    /// Bindings 1, 2, … in order.
    pub(super) bound: Vec<Bound>,
    /// Workgroups along x, y and z.
    pub(super) groups: [u32; 3],
    /// The buffer of [`Recorder::gate`] and the first of its three numbers that replace `groups`, if any.
    pub(super) gate: Option<(Buf, usize)>,
    pub(super) stage: &'static str,
    pub(super) cost: Cost,
}

impl Dispatch {
    /// The kernel and its specialisation.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The stage of the method.
    pub fn stage(&self) -> &'static str {
        self.stage
    }

    /// The cost of the dispatch.
    pub fn cost(&self) -> Cost {
        self.cost
    }
}

/// Collects dispatches. The functions that record kernels write into it.
#[derive(Clone, Default)]
pub struct Recorder {
    pub(super) nodes: Vec<Node>,
    pub(super) textures: Vec<TextureNode>,
    pub(super) dispatches: Vec<Dispatch>,
    /// The dispatches that a run repeats.
    pub(super) repeated: Range<usize>,
    stage: &'static str,
}

/// Threads of one workgroup of every linear kernel (`WORKGROUP` in `kernels/lib/thread.wgsl`).
const WORKGROUP: usize = 64;
/// The largest number of workgroups along one axis (WebGPU's limit).
pub(crate) const MOST_GROUPS: usize = 65_535;

impl Recorder {
    /// An empty recording.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the stage of the dispatches that follow.
    pub fn stage(&mut self, stage: &'static str) {
        self.stage = stage;
    }

    fn node(&mut self, label: &'static str, bytes: usize, role: Role) -> Buf {
        // WebGPU requires at least 4 bytes in a binding. A multiple of 16 suits every vector type.
        let len = bytes as u64;
        let bytes = len.next_multiple_of(16).max(16);
        self.nodes.push(Node { label, len, bytes, role, slot: usize::MAX });
        Buf(self.nodes.len() - 1)
    }

    /// Makes a buffer of `n` values of `T` that lives only between dispatches.
    pub fn scratch<T>(&mut self, label: &'static str, n: usize) -> Buf {
        self.node(label, n * size_of::<T>(), Role::Scratch)
    }

    /// Makes a buffer of `n` values of `T` that the host writes before each run.
    pub fn input<T>(&mut self, label: &'static str, n: usize) -> Buf {
        self.node(label, n * size_of::<T>(), Role::Input)
    }

    /// Makes a buffer of `n` values of `T` that the host reads after each run.
    pub fn output<T>(&mut self, label: &'static str, n: usize) -> Buf {
        self.node(label, n * size_of::<T>(), Role::Output)
    }

    /// Turns scratch into an output. Its memory is then not shared, so that it can be read after a run.
    pub fn keep(&mut self, buf: Buf) {
        if let Some(Node { role: role @ Role::Scratch, .. }) = self.nodes.get_mut(buf.0) {
            *role = Role::Output;
        }
    }

    /// Makes a buffer of values that never change. They are uploaded once.
    pub fn constant<T: bytemuck::Pod>(&mut self, label: &'static str, data: &[T]) -> Buf {
        let mut bytes: Vec<u8> = bytemuck::cast_slice(data).to_vec();
        let len = bytes.len();
        bytes.resize(len.next_multiple_of(16).max(16), 0);
        self.node(label, len, Role::Constant(bytes))
    }

    /// Uses a host's own buffer for `n` values of `T`.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is smaller than `n` values of `T` or has no `STORAGE`.
    pub fn external<T>(&mut self, label: &'static str, n: usize, buffer: impl Into<Buffer>) -> Result<Buf> {
        let buffer = buffer.into();
        let bytes = (n * size_of::<T>()) as u64;
        fits(label, bytes, &buffer)?;
        let buf = self.node(label, n * size_of::<T>(), Role::External(buffer));
        self.nodes[buf.0].bytes = bytes;
        Ok(buf)
    }

    /// Makes an rgba8unorm texture that the plan owns.
    pub fn texture(&mut self, label: &'static str, size: Size) -> Tex {
        let [width, height] = size.axes().map(|n| n as u32);
        self.textures.push(TextureNode::Owned { label, width, height });
        Tex(self.textures.len() - 1)
    }

    /// Uses a host's own texture. The plan writes the texels of an image of `size`.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is smaller than `size`, is not rgba8unorm, has several mip levels or layers, or has
    /// no `STORAGE_BINDING`.
    pub fn external_texture(&mut self, label: &str, size: Size, texture: impl Into<Texture>) -> Result<Tex> {
        let texture = texture.into();
        let [width, height] = texture.size();
        let large = width as usize >= size.nx && height as usize >= size.ny;
        let (usable, what) = match &texture {
            Texture::Gpu(view) => {
                let own = view.texture();
                // A view does not tell which part of its texture it shows, so the texture must have a single part.
                let plain = own.mip_level_count() == 1
                    && own.depth_or_array_layers() == 1
                    && own.dimension() == wgpu::TextureDimension::D2;
                let storage = own.usage().contains(wgpu::TextureUsages::STORAGE_BINDING);
                let rgba = own.format() == wgpu::TextureFormat::Rgba8Unorm;
                let what = format!("texels of {:?} and usage {:?}", own.format(), own.usage());
                (plain && storage && rgba, what)
            }
            Texture::Memory(memory, own) => {
                let bytes = memory.size();
                (bytes >= 4 * own.pixels(), format!("texels in {bytes} bytes of memory"))
            }
        };
        if !large || !usable {
            return Err(Error::Usage(format!(
                "the host's texture for '{label}' has {width} × {height} {what}; it needs {size} of Rgba8Unorm, one mip \
                 level, one layer and STORAGE_BINDING, or as many texels of four bytes in memory"
            )));
        }
        self.textures.push(TextureNode::External(texture));
        Ok(Tex(self.textures.len() - 1))
    }

    /// Records a dispatch of at least `threads` threads, numbered by `linear()` of `kernels/lib/thread.wgsl`.
    pub(crate) fn linear<P: Params>(
        &mut self,
        spec: Spec,
        params: &P,
        bound: &[Bound],
        threads: usize,
        cost: Cost,
    ) {
        let groups = threads.div_ceil(WORKGROUP).max(1);
        let y = groups.div_ceil(MOST_GROUPS);
        self.groups(spec, params, bound, [groups.div_ceil(y), y, 1], cost);
    }

    /// Records a dispatch of `groups` workgroups along x, y and z, at most 65 535 each.
    pub(crate) fn groups<P: Params>(
        &mut self,
        spec: Spec,
        params: &P,
        bound: &[Bound],
        groups: [usize; 3],
        cost: Cost,
    ) {
        let groups = groups.map(|n| n as u32);
        let (params, bound, stage) = (params.bytes(), bound.to_vec(), self.stage);
        self.dispatches.push(Dispatch { spec, params, bound, groups, gate: None, stage, cost });
    }

    /// Records a dispatch of a custom kernel with `groups` workgroups along x, y and z.
    ///
    /// # Safety
    /// The conditions of [`Kernel::custom`](super::Kernel::custom): with `words`, the shader must stay within `bound`.
    pub unsafe fn custom(
        &mut self,
        spec: Spec,
        words: [u32; 4],
        bound: &[Bound],
        groups: [usize; 3],
        cost: Cost,
    ) {
        self.groups(spec, &Words { words }, bound, groups, cost);
    }

    /// Begins the part of the plan that each run repeats, [`Plan::repeat`](super::Plan::repeat) times. A buffer that
    /// passes from one repetition to the next must also be used outside of this part. A plan has one such part.
    pub fn repeat_from_here(&mut self) {
        self.repeated = self.dispatches.len()..self.dispatches.len();
    }

    /// Ends the part that each run repeats.
    pub fn repeat_to_here(&mut self) {
        self.repeated.end = self.dispatches.len();
    }

    /// The workgroups of each dispatch of the part that each run repeats.
    pub(crate) fn repeated_groups(&self) -> Vec<[u32; 3]> {
        self.dispatches[self.repeated.clone()].iter().map(|d| d.groups).collect()
    }

    /// Records a dispatch in front of the part that each run repeats, as the first of each repetition. It writes the
    /// workgroups of the other dispatches of that part, three u32 each, to `arguments`: those of
    /// [`Recorder::repeated_groups`], or 0. Call it after [`Recorder::repeat_to_here`].
    pub(crate) fn gate<P: Params>(
        &mut self,
        spec: Spec,
        params: &P,
        bound: &[Bound],
        threads: usize,
        arguments: Buf,
    ) {
        self.nodes[arguments.0].role = Role::Arguments;
        for (i, dispatch) in self.dispatches[self.repeated.clone()].iter_mut().enumerate() {
            dispatch.gate = Some((arguments, 3 * i));
        }
        self.linear(spec, params, bound, threads, Cost::each(threads, 0, 8));
        let gate = self.dispatches.pop().expect("recorded above");
        self.dispatches.insert(self.repeated.start, gate);
        self.repeated.end += 1;
    }

    /// The bytes of device memory that a plan of this recording will hold, without a host's buffers, and the bytes of
    /// its largest buffer.
    pub fn memory(&self) -> [u64; 2] {
        let mut nodes: Vec<_> = self.nodes.iter().map(Node::without_contents).collect();
        let slots = super::lifetimes::assign(&mut nodes, &self.dispatches, &self.repeated);
        [slots.iter().map(|slot| slot.1).sum(), slots.iter().map(|slot| slot.1).max().unwrap_or(0)]
    }

    /// The dispatches recorded until now.
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// The specialisations of the dispatches recorded until now, each once, in order of first use.
    pub fn specs(&self) -> Vec<Spec> {
        let mut specs: Vec<Spec> = Vec::new();
        for dispatch in &self.dispatches {
            if !specs.contains(&dispatch.spec) {
                specs.push(dispatch.spec.clone());
            }
        }
        specs
    }
}
