//! Recording: what is to be dispatched over which buffers, as plain data.

use crate::error::{Error, Result};
use crate::kernel::{Cost, Params, Spec};
use std::ops::Range;

/// A buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buf(pub(super) usize);

/// A texture of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tex(pub(super) usize);

/// What a dispatch binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A storage buffer.
    Buffer(Buf),
    /// A storage texture.
    Texture(Tex),
}

impl From<Buf> for Resource {
    fn from(buf: Buf) -> Self {
        Self::Buffer(buf)
    }
}

impl From<Tex> for Resource {
    fn from(tex: Tex) -> Self {
        Self::Texture(tex)
    }
}

pub(super) struct Node {
    pub label: &'static str,
    pub bytes: u64,
    pub role: Role,
    /// Which allocation it lives in; set when compiled.
    pub slot: usize,
}

impl Node {
    fn without_contents(&self) -> Self {
        let role = match &self.role {
            Role::Scratch => Role::Scratch,
            Role::External(buffer) => Role::External(buffer.clone()),
            Role::Input | Role::Output | Role::Constant(_) => Role::Output,
        };
        Self { role, ..*self }
    }
}

pub(super) enum Role {
    /// Lives from its first dispatch to its last; its memory is shared with others over time.
    Scratch,
    /// Written by the host before a run.
    Input,
    /// Read by the host after a run.
    Output,
    /// Uploaded once, when compiled.
    Constant(Vec<u8>),
    /// A host's own.
    External(wgpu::Buffer),
}

pub(super) enum TextureNode {
    Owned { label: &'static str, width: u32, height: u32 },
    External(wgpu::TextureView),
}

/// Whether a host's `buffer` can stand for `need` bytes of storage.
pub(crate) fn fits(label: &str, need: u64, buffer: &wgpu::Buffer) -> Result<()> {
    if buffer.size() >= need && buffer.usage().contains(wgpu::BufferUsages::STORAGE) {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "the host's buffer for '{label}' has {} bytes and usage {:?}; it needs {need} bytes and STORAGE",
        buffer.size(),
        buffer.usage()
    )))
}

/// One dispatch, as data.
#[derive(Clone)]
pub struct Dispatch {
    /// Kernel and specialisation.
    pub spec: Spec,
    /// The uniform parameters' bytes.
    pub params: Vec<u8>,
    /// Bindings 1, 2, … in order.
    pub resources: Vec<Resource>,
    /// Workgroups.
    pub groups: [u32; 3],
    /// The stage of the method it belongs to.
    pub stage: &'static str,
    /// What it has to do.
    pub cost: Cost,
}

/// Collects dispatches; kernels' wrappers write into it.
#[derive(Default)]
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
/// WebGPU's limit on workgroups along one axis.
pub(crate) const MOST_GROUPS: usize = 65_535;

impl Recorder {
    /// An empty recording.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the stage that the dispatches to come belong to.
    pub fn stage(&mut self, stage: &'static str) {
        self.stage = stage;
    }

    fn node(&mut self, label: &'static str, bytes: usize, role: Role) -> Buf {
        // WebGPU wants at least 4 bytes in a binding; 16 keep every vector type happy.
        let bytes = bytes.next_multiple_of(16).max(16) as u64;
        self.nodes.push(Node { label, bytes, role, slot: usize::MAX });
        Buf(self.nodes.len() - 1)
    }

    /// `n` values of `T` that live only between dispatches.
    pub fn scratch<T>(&mut self, label: &'static str, n: usize) -> Buf {
        self.node(label, n * size_of::<T>(), Role::Scratch)
    }

    /// `n` values of `T` that the host writes before each run.
    pub fn input<T>(&mut self, label: &'static str, n: usize) -> Buf {
        self.node(label, n * size_of::<T>(), Role::Input)
    }

    /// `n` values of `T` that the host reads after each run.
    pub fn output<T>(&mut self, label: &'static str, n: usize) -> Buf {
        self.node(label, n * size_of::<T>(), Role::Output)
    }

    /// Makes scratch an output: its memory is shared with nothing, so that it can be read after a run.
    pub fn keep(&mut self, buf: Buf) {
        let role = &mut self.nodes[buf.0].role;
        if matches!(role, Role::Scratch) {
            *role = Role::Output;
        }
    }

    /// Values that never change, uploaded once.
    pub fn constant<T: bytemuck::Pod>(&mut self, label: &'static str, data: &[T]) -> Buf {
        let bytes: &[u8] = bytemuck::cast_slice(data);
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(16).max(16), 0);
        self.node(label, bytes.len(), Role::Constant(bytes))
    }

    /// A host's own buffer.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is smaller than `n` values of `T` or has no `STORAGE`.
    pub fn external<T>(&mut self, label: &'static str, n: usize, buffer: wgpu::Buffer) -> Result<Buf> {
        let bytes = (n * size_of::<T>()) as u64;
        fits(label, bytes, &buffer)?;
        let buf = self.node(label, n * size_of::<T>(), Role::External(buffer));
        self.nodes[buf.0].bytes = bytes;
        Ok(buf)
    }

    /// An rgba8unorm texture of the plan's own.
    pub fn texture(&mut self, label: &'static str, width: u32, height: u32) -> Tex {
        self.textures.push(TextureNode::Owned { label, width, height });
        Tex(self.textures.len() - 1)
    }

    /// A host's own texture, of which the texels from the first on are written.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is smaller than `nx` × `ny`, not rgba8unorm, of several mip levels or
    /// layers, or has no `STORAGE_BINDING`.
    pub fn external_texture(
        &mut self,
        label: &str,
        [nx, ny]: [usize; 2],
        view: wgpu::TextureView,
    ) -> Result<Tex> {
        let texture = view.texture();
        let large = texture.width() as usize >= nx && texture.height() as usize >= ny;
        let usable = texture.usage().contains(wgpu::TextureUsages::STORAGE_BINDING);
        // A view does not tell which part of its texture it shows: the texture must be all there is.
        let plain = texture.mip_level_count() == 1
            && texture.depth_or_array_layers() == 1
            && texture.dimension() == wgpu::TextureDimension::D2;
        if !large || !usable || !plain || texture.format() != wgpu::TextureFormat::Rgba8Unorm {
            return Err(Error::Usage(format!(
                "the host's texture for '{label}' has {} × {} texels of {:?} and usage {:?}; it needs \
                 {nx} × {ny} of Rgba8Unorm, one mip level, one layer and STORAGE_BINDING",
                texture.width(),
                texture.height(),
                texture.format(),
                texture.usage()
            )));
        }
        self.textures.push(TextureNode::External(view));
        Ok(Tex(self.textures.len() - 1))
    }

    /// Records a dispatch of at least `threads` threads, numbered by `linear()` of
    /// `kernels/lib/thread.wgsl`.
    pub fn linear<P: Params>(
        &mut self,
        spec: Spec,
        params: &P,
        resources: &[Resource],
        threads: usize,
        cost: Cost,
    ) {
        let groups = threads.div_ceil(WORKGROUP).max(1);
        let y = groups.div_ceil(MOST_GROUPS);
        self.groups(spec, params, resources, [groups.div_ceil(y), y, 1], cost);
    }

    /// Records a dispatch of so many workgroups along x, y and z, at most 65 535 each.
    pub fn groups<P: Params>(
        &mut self,
        spec: Spec,
        params: &P,
        resources: &[Resource],
        groups: [usize; 3],
        cost: Cost,
    ) {
        let groups = groups.map(|n| n as u32);
        self.dispatches.push(Dispatch {
            spec,
            params: bytemuck::bytes_of(params).to_vec(),
            resources: resources.to_vec(),
            groups,
            stage: self.stage,
            cost,
        });
    }

    /// From here on, up to [`Recorder::repeat_to_here`], dispatches are repeated as often as
    /// [`Plan::repeat`](super::Plan::repeat) says. What one repetition leaves for the next has to be used outside of
    /// them as well. There is one such part in a plan.
    pub fn repeat_from_here(&mut self) {
        self.repeated = self.dispatches.len()..self.dispatches.len();
    }

    /// The end of what is repeated.
    pub fn repeat_to_here(&mut self) {
        self.repeated.end = self.dispatches.len();
    }

    /// Bytes of device memory a plan of this will hold, a host's buffers not counted, and those of its largest buffer.
    pub fn memory(&self) -> [u64; 2] {
        let mut nodes: Vec<_> = self.nodes.iter().map(Node::without_contents).collect();
        let slots = super::memory::assign(&mut nodes, &self.dispatches, &self.repeated);
        [slots.iter().map(|slot| slot.1).sum(), slots.iter().map(|slot| slot.1).max().unwrap_or(0)]
    }

    /// The dispatches so far.
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }
}
